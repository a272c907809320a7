// One HTTP request by curl, as a user makes it. Test's thread.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.hpp"

namespace dfota::test {

struct CurlReply {
  int status = 0;
  std::string head, body;
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body); }
};

/// `arguments` beside those that it always has. Throws when there was no answer.
inline CurlReply curl(const std::string& url, std::vector<std::string> arguments = {}) {
  std::vector<std::string> argv = {"curl",         "-q", "-sS", "-i", "--noproxy",     "*",
                                   "--path-as-is", "-m", "60",  "-w", "\n%{http_code}"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  argv.push_back(url);
  Process process(argv);
  if (process.wait() != 0) throw std::runtime_error("curl " + url + ": " + process.err());
  const auto text = process.out();
  CurlReply reply;
  const auto end = text.rfind('\n');
  reply.status = std::stoi(text.substr(end + 1));
  auto begin = text.find("\r\n\r\n");
  // An interim answer (100 Continue) comes before the one.
  while (begin != std::string::npos && text.compare(begin + 4, 5, "HTTP/") == 0)
    begin = text.find("\r\n\r\n", begin + 4);
  if (begin == std::string::npos) throw std::runtime_error("curl " + url + ": no head in " + text);
  reply.head = text.substr(0, begin + 2);
  reply.body = text.substr(begin + 4, end - begin - 4);
  return reply;
}

}  // namespace dfota::test
