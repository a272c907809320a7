// Which ids may be those of forgotten jobs: a bit for each hash, so that a command with a new id is not looked up on
// the disk before it is accepted. Of a fixed size, whatever was forgotten; it errs on one side only, and then the disk
// is asked. Any one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace dfota {

class ForgottenIds {
 public:
  void add(const std::string& id) { bits_[place(id)] = true; }
  /// False: it is certain that this id was never added.
  [[nodiscard]] bool may_hold(const std::string& id) const { return bits_[place(id)]; }

 private:
  static constexpr std::size_t kBits = 1 << 20;  ///< 128 KiB; with 10,000 ids one new id in 100 is looked up in vain
  static std::size_t place(const std::string& id) { return std::hash<std::string>()(id) % kBits; }

  std::vector<bool> bits_ = std::vector<bool>(kBits);
};

}  // namespace dfota
