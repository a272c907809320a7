#include "config/module_url.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace dfota;

namespace {

using Parsed = std::variant<ModuleUrl, std::string>;

ModuleUrl right(const Parsed& parsed) {
  if (const auto* fault = std::get_if<std::string>(&parsed)) FAIL(*fault);
  return std::get<ModuleUrl>(parsed);
}

std::string fault(const Parsed& parsed) {
  return std::holds_alternative<std::string>(parsed) ? std::get<std::string>(parsed) : "";
}

std::string of(std::size_t bytes) {
  return std::string(bytes, 'a');
}

}  // namespace

TEST_CASE("addresses of files, with what is left out filled in") {
  struct Row {
    std::string text;
    ModuleUrl url;
    std::string spelled;  // behind X://
  };
  const std::vector<Row> rows = {
      {"ftp://u:p@h/f.bin", {UrlScheme::ftp, "u", "p", "h", 21, "f.bin"}, "u:p@h:21/f.bin"},
      {"FTP://u:p@h:2121/a/b/f", {UrlScheme::ftp, "u", "p", "h", 2121, "a/b/f"}, "u:p@h:2121/a/b/f"},
      {"ftp://10.0.0.1/f",
       {UrlScheme::ftp, "anonymous", "anonymous", "10.0.0.1", 21, "f"},
       "anonymous:anonymous@10.0.0.1:21/f"},
      {"ftp://u:p@[::1]:2121/f", {UrlScheme::ftp, "u", "p", "::1", 2121, "f"}, "u:p@[::1]:2121/f"},
      {"ftp://u%41:p%2F@h/f%20", {UrlScheme::ftp, "u%41", "p%2F", "h", 21, "f%20"}, "u%41:p%2F@h:21/f%20"},
      {"http://h/f.bin", {UrlScheme::http, "", "", "h", 80, "f.bin"}, "h:80/f.bin"},
      {"HTTP://h:1/f", {UrlScheme::http, "", "", "h", 1, "f"}, "h:1/f"},
      {"hTtP://[2001:db8::1]/f", {UrlScheme::http, "", "", "2001:db8::1", 80, "f"}, "[2001:db8::1]:80/f"},
      {"http://h/f?a=b,c@d/", {UrlScheme::http, "", "", "h", 80, "f?a=b,c@d/"}, "h:80/f?a=b,c@d/"},
      {"https://u:p@h:65535/d/f", {UrlScheme::https, "u", "p", "h", 65535, "d/f"}, "u:p@h:65535/d/f"},
      {"https://h/?f", {UrlScheme::https, "", "", "h", 443, "?f"}, "h:443/?f"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const ModuleUrl url = right(parse_module_url(row.text));
    CHECK(url == row.url);
    CHECK(url.spell("X://") == "X://" + row.spelled);
  }
}

TEST_CASE("what is told of an address has no user, password or query") {
  CHECK(right(parse_module_url("FTP://u:hunter2@h/d/f")).masked() == "ftp://h:21/d/f");
  CHECK(right(parse_module_url("https://u:hunter2@h/f?token=hunter2")).masked() == "https://h:443/f");
  CHECK(right(parse_ftp_directory("ftp://u:hunter2@[::1]:5/d")).masked() == "ftp://[::1]:5/d/");
}

TEST_CASE("every refused character is refused at every place") {
  std::string refused = "'\"`$;&|#\\<>(){}^ \t\r\n\x7f";
  refused += '\0';
  for (int c = 1; c < 0x20; ++c) refused += static_cast<char>(c);
  for (int c = 0x80; c < 0x100; ++c) refused += static_cast<char>(c);
  const std::vector<std::string> addresses = {"ftp://user:word@host:21/dir/file",
                                              "http://user:word@host:80/dir/file?query", "https://host/dir/file?query"};
  for (const std::string& address : addresses) {
    CHECK(fault(parse_module_url(address)).empty());
    const std::string rest = address.substr(address.find("//") + 2);
    for (std::size_t at = address.find("//") + 2; at <= address.size(); ++at) {
      for (const char c : refused) {
        std::string text = address;
        text.insert(at, 1, c);
        CAPTURE(text);
        CHECK(fault(parse_module_url(text)).find("pass on to a shell") != std::string::npos);
      }
    }
  }
  for (std::size_t at = 6; at <= std::string("ftp://u:p@h:21/d/").size(); ++at) {
    for (const char c : refused) {
      std::string text = "ftp://u:p@h:21/d/";
      text.insert(at, 1, c);
      CAPTURE(text);
      CHECK_FALSE(fault(parse_ftp_directory(text)).empty());
    }
  }
}

TEST_CASE("a refused character is named where it cannot be one of a password") {
  CHECK(fault(parse_module_url("http://h/a;b")).starts_with("holds a ; that"));
  CHECK(fault(parse_module_url("http://h/a\x01"
                               "b"))
            .starts_with("holds a character that"));
  CHECK(fault(parse_module_url("http://h/a?b;c")).starts_with("holds a character that"));
  CHECK(fault(parse_module_url("ftp://u:p;q@h/a")).starts_with("holds a character that"));
  CHECK(fault(parse_module_url("ftp://u:p/q;r@h/a")).starts_with("holds a character that"));
}

TEST_CASE("what is no address of a file") {
  struct Row {
    std::string text, part;  // of the message
  };
  const std::vector<Row> rows = {
      {"", "must begin with http://, https:// or ftp://"},
      {"ftp://", "must begin with"},
      {"h/f", "must begin with"},
      {"sftp://h/f", "must begin with"},
      {"UFS:f", "must begin with"},
      {" ftp://h/f", "must begin with"},
      {"ftp:/h/f", "must begin with"},
      {"ftp:///f", "must name a host"},
      {"ftp://:21/f", "must name a host"},
      {"ftp://h:/f", "port of 1 to 65535"},
      {"ftp://h:0/f", "port of 1 to 65535"},
      {"ftp://h:65536/f", "port of 1 to 65535"},
      {"ftp://h:-1/f", "port of 1 to 65535"},
      {"ftp://h:2x/f", "port of 1 to 65535"},
      {"ftp://::1/f", "must name a host"},
      {"ftp://[::1/f", "must name a host"},
      {"ftp://[h]/f", "must name a host"},
      {"ftp://1.2.3/f", "must name a host"},
      {"ftp://h..x/f", "must name a host"},
      {"ftp://h%41/f", "must name a host"},
      {"ftp://0.0.0.0/f", "not one for listening"},
      {"http://[::]/f", "not one for listening"},
      {"ftp://@h/f", "both of them, or neither"},
      {"ftp://u@h/f", "both of them, or neither"},
      {"ftp://u:@h/f", "both of them, or neither"},
      {"ftp://:p@h/f", "both of them, or neither"},
      {"http://u@h/f", "both of them, or neither"},
      {"ftp://u:p:q@h/f", "take for its end"},
      {"ftp://u:p@q@h/f", "take for its end"},
      {"ftp://u@v:p@h/f", "take for its end"},
      {"ftp://u:p/q@h/f", "must name a host"},
      {"ftp://u:21/q@h/f", "a / in its password"},
      {"ftp://h", "must name a file"},
      {"ftp://h/", "must name a file"},
      {"ftp://h/d/", "must name a file"},
      {"http://h", "must name a file"},
      {"http://h/d/", "must name a file"},
      {"http://h?f", "must have a / between"},
      {"ftp://h?f", "must have a / between"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const std::string found = fault(parse_module_url(row.text));
    CAPTURE(found);
    CHECK(found.find(row.part) != std::string::npos);
  }
}

TEST_CASE("the guide's limits, each at its edge") {
  const auto ftp = [](std::size_t user, std::size_t password, std::size_t host, std::size_t path) {
    return fault(parse_module_url("ftp://" + of(user) + ":" + of(password) + "@" + of(host) + ":65535/" + of(path)));
  };
  CHECK(ftp(50, 50, 50, 50).empty());
  CHECK(ftp(51, 50, 50, 50) == "has a user of 51 bytes: modules take at most 50");
  CHECK(ftp(50, 51, 50, 50) == "has a password of 51 bytes: modules take at most 50");
  CHECK(ftp(50, 50, 51, 50) == "has a host of 51 bytes: modules take at most 50");
  CHECK(ftp(50, 50, 50, 51) == "has a path of 51 bytes: modules take at most 50");

  const std::string with_port = "http://h:80/";
  CHECK(fault(parse_module_url(with_port + of(255 - with_port.size()))).empty());
  CHECK(fault(parse_module_url(with_port + of(256 - with_port.size()))).find("is 256 bytes") == 0);
  CHECK(fault(parse_module_url("http://h/" + of(255 - with_port.size()))).empty());
  CHECK(fault(parse_module_url("http://h/" + of(256 - with_port.size()))).find("is 256 bytes") == 0);
  const std::string https = "https://h:443/";
  CHECK(fault(parse_module_url("https://h/" + of(255 - https.size()))).empty());
  CHECK(fault(parse_module_url("https://h/" + of(256 - https.size()))).find("is 256 bytes") == 0);
}

TEST_CASE("directories end with a slash and leave room for a name") {
  struct Row {
    std::string text, path;
  };
  for (const Row& row : std::vector<Row>{{"ftp://u:p@h", ""},
                                         {"ftp://u:p@h/", ""},
                                         {"ftp://u:p@h/d", "d/"},
                                         {"FTP://u:p@h/d/e/", "d/e/"},
                                         {"ftp://u:p@h/" + of(15), of(15) + "/"},
                                         {"ftp://u:p@h/" + of(15) + "/", of(15) + "/"}}) {
    CAPTURE(row.text);
    const ModuleUrl url = right(parse_ftp_directory(row.text));
    CHECK(url.path == row.path);
    const std::string name = "dfota-" + of(24) + ".zip";
    REQUIRE(name.size() == kFtpNameBytes);
    const std::string file = url.file(name).spell("FTP://");
    CHECK(file == "FTP://u:p@h:21/" + row.path + name);
    CHECK(right(parse_module_url(file)) == url.file(name));
  }
  CHECK(fault(parse_ftp_directory("ftp://u:p@h/" + of(16))).find("path before the name of a file of 17 bytes") !=
        std::string::npos);
  CHECK(fault(parse_ftp_directory("ftp://" + of(51) + ":p@h/")).find("user of 51 bytes") != std::string::npos);
  CHECK(fault(parse_ftp_directory("http://h/")).find("must be an ftp:// address") == 0);
  CHECK(fault(parse_ftp_directory("ftp://h/d?x")).find("must not hold a ?") == 0);
  CHECK(fault(parse_ftp_directory("ftp://u:p@h:x/")).find("port of 1 to 65535") != std::string::npos);
}
