#include "modem/danger.hpp"

namespace dfota {

std::string_view to_word(Step step) {
  switch (step) {
    case Step::preparing:
      return "preparing";
    case Step::commanded:
      return "commanded";
    case Step::released:
      return "released";
  }
  return "";
}

std::optional<Step> step_from_word(std::string_view word) {
  for (const auto step : {Step::preparing, Step::commanded, Step::released}) {
    if (to_word(step) == word) return step;
  }
  return std::nullopt;
}

}  // namespace dfota
