// A certificate authority of a test's own, made by the openssl program.
#pragma once

#include <string>

#include "tests/support/temp_dir.hpp"

namespace dfota::test {

class Certificates {
 public:
  Certificates();  ///< makes the authority ca

  /// Another authority: NAME.crt, NAME.key.
  void authority(const std::string& name) const;
  /// NAME.crt and NAME.key with this common name, signed by ca. `alternative_name`: "DNS:localhost". With days before
  /// now it has expired.
  void issue(const std::string& name, const std::string& alternative_name, int days = 2) const;
  void issue(const std::string& name) const { issue(name, "DNS:" + name); }

  [[nodiscard]] std::string crt(const std::string& name) const { return dir_ / (name + ".crt"); }
  [[nodiscard]] std::string key(const std::string& name) const { return dir_ / (name + ".key"); }
  [[nodiscard]] const TempDir& dir() const { return dir_; }

 private:
  TempDir dir_;
};

}  // namespace dfota::test
