#include "tests/support/certificates.hpp"

#include <stdexcept>

#include "tests/support/process.hpp"

namespace dfota::test {
namespace {
void openssl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  Process process(arguments);
  if (process.wait() != 0) throw std::runtime_error("openssl: " + process.err());
}
}  // namespace

Certificates::Certificates() {
  authority("ca");
}

void Certificates::authority(const std::string& name) const {
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
           "/CN=" + name, "-keyout", key(name), "-out", crt(name)});
}

void Certificates::issue(const std::string& name, const std::string& alternative_name, int days) const {
  const std::string request = dir_ / (name + ".csr");
  openssl({"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name,
           "-addext", "subjectAltName=" + alternative_name, "-keyout", key(name), "-out", request});
  openssl({"x509", "-req", "-in", request, "-CA", crt("ca"), "-CAkey", key("ca"), "-CAcreateserial", "-days",
           std::to_string(days), "-copy_extensions", "copy", "-out", crt(name)});
}

}  // namespace dfota::test
