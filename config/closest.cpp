#include "config/closest.hpp"

#include <algorithm>

namespace dfota {
namespace {

// Levenshtein distance with swapped neighbours counted once: the slips of a typing hand.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before, previous(b.size() + 1), current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    before = previous;
    previous = current;
  }
  return previous[b.size()];
}

}  // namespace

std::optional<std::string> closest(const std::string& typed, const std::vector<std::string>& known) {
  constexpr std::size_t kLongestKey = 64, kMostSlips = 2;
  if (typed.size() > kLongestKey) return std::nullopt;
  std::optional<std::string> best;
  std::size_t least = kMostSlips + 1;
  for (const std::string& key : known) {
    const bool beginning = typed.size() >= 4 && key.starts_with(typed + "_");
    const std::size_t slips = beginning ? 0 : distance(typed, key);
    if (slips >= least || slips > std::max<std::size_t>(key.size() / 3, 1)) continue;
    best = key;
    least = slips;
  }
  return best;
}

}  // namespace dfota
