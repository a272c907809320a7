#include "gateway/admin/access.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using Kind = Access::Kind;

namespace {

const std::string kToken = "0123456789abcdef0123456789abcdef";
const std::string kBearer = "Bearer " + kToken;

struct Desk {
  explicit Desk(AdminConfig config = {}) : access(kToken, "rack-1", config) {
    access.on_wrong_token = [this](const std::string& line) { told.push_back(line); };
  }
  explicit Desk(const std::string& host, std::uint16_t port, std::vector<std::string> hosts = {})
      : Desk(AdminConfig{host, port, "", std::move(hosts)}) {}

  /// 0: it may.
  int status(const WebRequest& request, Kind kind) const {
    const auto refusal = access.why_not(request, kind);
    if (!refusal) return 0;
    const auto error = nlohmann::json::parse(refusal->body).at("error");
    CHECK_FALSE(error.at("code").get<std::string>().empty());
    CHECK_FALSE(error.at("message").get<std::string>().empty());
    return refusal->status;
  }

  Access access;
  std::vector<std::string> told;
};

WebRequest asking(WebHeaders fields = {}, const std::string& method = "GET") {
  WebRequest request;
  request.method = method;
  request.path = "/api/v1/modules";
  request.source = "127.0.0.1";
  request.from_loopback = true;
  request.fields = std::move(fields);
  if (request.header("host").empty()) request.fields.emplace_back("host", "127.0.0.1:8481");
  return request;
}

WebRequest from_elsewhere(WebRequest request) {
  request.source = "192.0.2.7";
  request.from_loopback = false;
  return request;
}

/// "name=value" of the cookie that was given for the token.
std::string cookie_of(const Access& access) {
  const auto answer = access.handle_session(asking({{"authorization", kBearer}}, "POST"));
  REQUIRE(answer.status == 204);
  REQUIRE(answer.headers.size() == 1);
  REQUIRE(answer.headers[0].first == "Set-Cookie");
  return answer.headers[0].second.substr(0, answer.headers[0].second.find(';'));
}

std::string header_of(const WebAnswer& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

TEST_CASE("on this machine one may look without the token, from elsewhere not; a write wants it always") {
  const Desk desk;
  CHECK(desk.status(asking(), Kind::open) == 0);
  CHECK(desk.status(asking(), Kind::read) == 0);
  CHECK(desk.status(asking({}, "POST"), Kind::write) == 401);
  CHECK(desk.status(from_elsewhere(asking()), Kind::open) == 0);
  CHECK(desk.status(from_elsewhere(asking()), Kind::read) == 401);
  const auto refusal = desk.access.why_not(asking({}, "POST"), Kind::write);
  CHECK(header_of(*refusal, "WWW-Authenticate").starts_with("Bearer "));

  for (const auto& field : {std::pair<std::string, std::string>{"authorization", kBearer},
                            {"authorization", "bearer " + kToken},
                            {"cookie", cookie_of(desk.access)},
                            {"cookie", "a=b; " + cookie_of(desk.access) + ";c=d"}}) {
    CHECK(desk.status(asking({field}, "POST"), Kind::write) == 0);
    CHECK(desk.status(from_elsewhere(asking({field})), Kind::read) == 0);
    CHECK(desk.status(from_elsewhere(asking({field}, "PUT")), Kind::write) == 0);
  }
}

TEST_CASE("a proxy on this machine makes nobody local") {
  const Desk desk;
  for (const std::string field : {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"}) {
    CHECK(desk.status(asking({{field, "192.0.2.7"}}), Kind::read) == 401);
    CHECK(desk.status(asking({{field, "192.0.2.7"}, {"authorization", kBearer}}), Kind::read) == 0);
  }
}

TEST_CASE("what is not the token, or not its cookie, is refused") {
  const Desk desk;
  const auto cookie = cookie_of(desk.access);
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"authorization", "Bearer"},
      {"authorization", "Bearer "},
      {"authorization", kToken},
      {"authorization", "Basic " + kToken},
      {"authorization", kBearer + "0"},
      {"authorization", kBearer.substr(0, kBearer.size() - 1)},
      {"authorization", "Bearer " + std::string(kToken.size(), '0')},
      {"cookie", cookie + "0"},
      {"cookie", cookie.substr(0, cookie.size() - 1)},
      {"cookie", "dfota_rack-1="},
      {"cookie", "dfota_rack-1=" + kToken},
      {"cookie", "xdfota_rack-1=" + cookie.substr(cookie.find('=') + 1)},
      {"cookie", "dfota_rack-2=" + cookie.substr(cookie.find('=') + 1)},
  };
  for (const auto& field : wrong) {
    CAPTURE(field.second);
    CHECK(desk.status(asking({field}, "POST"), Kind::write) == 401);
    CHECK(desk.status(from_elsewhere(asking({field})), Kind::read) == 401);
  }
}

TEST_CASE("a page listening on this machine goes by its loopback names, under any port that a tunnel gives it") {
  const Desk desk;
  for (const std::string host : {"127.0.0.1:8481", "127.0.0.1", "localhost:8481", "LOCALHOST:9000", "[::1]:8481"}) {
    CAPTURE(host);
    CHECK(desk.status(asking({{"host", host}}), Kind::read) == 0);
  }
  for (const std::string host :
       {"", "rebound.example.com", "rebound.example.com:8481", "192.168.1.10:8481", "localhost.:8481",
        "localhost.example.com", "127.0.0.1.example.com", "127.0.0.1:8481@x", "127.0.0.1:0", "127.0.0.1:x", "127.1",
        "::1", "a b", "0.0.0.0:8481"}) {
    CAPTURE(host);
    auto request = asking({{"authorization", kBearer}, {"host", host}});
    if (host.empty()) request.fields = {{"authorization", kBearer}};
    for (const auto kind : {Kind::open, Kind::read, Kind::write}) CHECK(desk.status(request, kind) == 421);
    CHECK(desk.access.handle_session(request).status == 421);
  }
}

TEST_CASE("a page listening at an address goes by it and its port, and by admin.hosts") {
  const Desk desk("192.168.1.10", 8481, {"Rack.example.com", "proxy.example.com:443", "[fd00::1]:99"});
  for (const std::string host : {"192.168.1.10:8481", "rack.example.com", "RACK.example.com:1234", "proxy.example.com",
                                 "proxy.example.com:443", "[fd00::1]:99"}) {
    CAPTURE(host);
    CHECK(desk.status(asking({{"host", host}}), Kind::read) == 0);
  }
  for (const std::string host : {"192.168.1.10", "192.168.1.10:80", "192.168.1.11:8481", "localhost:8481",
                                 "127.0.0.1:8481", "proxy.example.com:8443", "[fd00::1]", "x.rack.example.com"}) {
    CAPTURE(host);
    CHECK(desk.status(asking({{"host", host}}), Kind::read) == 421);
  }
  CHECK(Desk("192.168.1.10", 80).status(asking({{"host", "192.168.1.10"}}), Kind::read) == 0);
}

TEST_CASE("a page listening everywhere goes by every address, and by no name that nobody gave it") {
  for (const std::string everywhere : {"0.0.0.0", "::"}) {
    const Desk desk(everywhere, 8481, {"rack"});
    for (const std::string host : {"192.168.1.10:8481", "10.0.0.1", "[fd00::1]:18481", "localhost:18481", "rack:1"}) {
      CAPTURE(host);
      CHECK(desk.status(asking({{"host", host}}), Kind::read) == 0);
    }
    CHECK(desk.status(asking({{"host", "rebound.example.com:8481"}}), Kind::read) == 421);
  }
}

TEST_CASE("pages of other sites change nothing and read nothing, with the cookie or on this machine") {
  const Desk desk;
  const auto cookie = cookie_of(desk.access);
  const std::vector<WebHeaders> foreign = {
      {{"origin", "http://evil.example.com"}},
      {{"origin", "http://127.0.0.1:9000"}},
      {{"origin", "http://localhost:8481"}},
      {{"origin", "null"}},
      {{"origin", "ftp://127.0.0.1:8481"}},
      {{"sec-fetch-site", "cross-site"}},
      {{"sec-fetch-site", "same-site"}},
      {{"sec-fetch-site", "Cross-Site"}},
      {{"origin", "http://127.0.0.1:8481"}, {"sec-fetch-site", "cross-site"}},
  };
  for (auto fields : foreign) {
    CHECK(desk.status(asking(fields), Kind::open) == 0);
    CHECK(desk.status(asking(fields), Kind::read) == 403);
    fields.emplace_back("cookie", cookie);
    CHECK(desk.status(asking(fields, "POST"), Kind::write) == 403);
    CHECK(desk.status(asking(fields, "PUT"), Kind::write) == 403);
    fields.emplace_back("sec-fetch-mode", "navigate");
    CHECK(desk.status(asking(fields, "POST"), Kind::write) == 403);
    fields.emplace_back("authorization", kBearer);
    CHECK(desk.access.handle_session(asking(fields, "POST")).status == 403);
    CHECK(desk.access.handle_session(asking(fields, "DELETE")).status == 403);
  }
  const std::vector<WebHeaders> own = {
      {{"origin", "http://127.0.0.1:8481"}, {"sec-fetch-site", "same-origin"}},
      {{"origin", "https://127.0.0.1:8481"}},  // a proxy that speaks https and leaves Host as it is
      {{"sec-fetch-site", "none"}},
      {},
  };
  for (auto fields : own) {
    CHECK(desk.status(asking(fields), Kind::read) == 0);
    fields.emplace_back("cookie", cookie);
    CHECK(desk.status(asking(fields, "POST"), Kind::write) == 0);
  }
  CHECK(desk.status(asking({{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "navigate"}}), Kind::read) == 0);
}

TEST_CASE("a body that is no JSON is none for a command") {
  const Desk desk;
  const auto post = [&](const std::string& type, const std::string& length = "3") {
    WebHeaders fields = {{"authorization", kBearer}, {"content-length", length}};
    if (!type.empty()) fields.emplace_back("content-type", type);
    return desk.status(asking(fields, "POST"), Kind::write);
  };
  CHECK(post("application/json") == 0);
  CHECK(post("Application/JSON; charset=utf-8") == 0);
  CHECK(post("", "0") == 0);
  CHECK(post("") == 415);
  CHECK(post("text/plain") == 415);
  CHECK(post("text/plain; x=application/json") == 415);
  CHECK(post("application/x-www-form-urlencoded") == 415);
  CHECK(desk.status(asking({{"authorization", kBearer}, {"content-length", "3"}}, "PUT"), Kind::write) == 0);
}

TEST_CASE("a session says what one may, is begun with the token, and ends") {
  const Desk desk;
  const auto session = [&](const WebRequest& request) {
    const auto answer = desk.access.handle_session(request);
    CHECK(answer.status == 200);
    return nlohmann::json::parse(answer.body);
  };
  auto said = session(asking());
  CHECK(said.at("gateway") == "rack-1");
  CHECK_FALSE(said.at("version").get<std::string>().empty());
  CHECK(said.at("may_read") == true);
  CHECK(said.at("may_write") == false);
  said = session(from_elsewhere(asking()));
  CHECK(said.at("may_read") == false);
  said = session(from_elsewhere(asking({{"cookie", cookie_of(desk.access)}})));
  CHECK(said.at("may_read") == true);
  CHECK(said.at("may_write") == true);

  CHECK(desk.access.handle_session(asking({}, "POST")).status == 401);
  CHECK(desk.access.handle_session(asking({{"authorization", "Bearer wrong"}}, "POST")).status == 401);
  CHECK(desk.access.handle_session(asking({{"cookie", cookie_of(desk.access)}}, "POST")).status == 401);
  CHECK(desk.access.handle_session(asking({}, "PUT")).status == 405);

  const auto ended = desk.access.handle_session(asking({}, "DELETE"));
  CHECK(ended.status == 204);
  CHECK(header_of(ended, "Set-Cookie") == "dfota_rack-1=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
}

TEST_CASE("the cookie is not the token, outlives a restart, and is of one gateway and one token") {
  const auto cookie = cookie_of(Desk().access);
  CHECK(cookie.starts_with("dfota_rack-1="));
  CHECK(cookie.find(kToken) == std::string::npos);
  CHECK(cookie == cookie_of(Desk().access));
  const auto value = cookie.substr(cookie.find('='));
  CHECK_FALSE(Access(kToken + "x", "rack-1", {}).why_not(asking({{"cookie", cookie}}, "POST"), Kind::write) ==
              std::nullopt);
  CHECK_FALSE(Access(kToken, "rack-2", {}).why_not(asking({{"cookie", "dfota_rack-2" + value}}, "POST"), Kind::write) ==
              std::nullopt);

  const auto plain = Desk().access.handle_session(asking({{"authorization", kBearer}}, "POST"));
  CHECK(header_of(plain, "Set-Cookie") == cookie + "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");
  const auto proxied =
      Desk().access.handle_session(asking({{"authorization", kBearer}, {"x-forwarded-proto", "https"}}, "POST"));
  CHECK(header_of(proxied, "Set-Cookie").ends_with("; Secure"));
}

TEST_CASE("wrong tokens are told once a minute, with where they come from") {
  SteppedClock clock;
  Desk desk;
  const auto wrong = from_elsewhere(asking({{"authorization", "Bearer wrong"}}));
  for (int i = 0; i < 5; ++i) CHECK(desk.status(wrong, Kind::read) == 401);
  CHECK(desk.told == std::vector<std::string>{"admin page: a wrong token from 192.0.2.7"});
  clock.advance(std::chrono::seconds(61));
  CHECK(desk.status(wrong, Kind::write) == 401);
  REQUIRE(desk.told.size() == 2);
  CHECK(desk.told[1] == "admin page: a wrong token from 192.0.2.7, and 4 more before it");
  CHECK(desk.status(asking({}, "POST"), Kind::write) == 401);
  CHECK(desk.told.size() == 2);
}

TEST_CASE("the headers of every answer") {
  const auto headers = admin_headers();
  const auto has = [&](const std::string& name, const std::string& value) {
    return std::count(headers.begin(), headers.end(), std::pair(name, value)) == 1;
  };
  CHECK(has("X-Frame-Options", "DENY"));
  CHECK(has("X-Content-Type-Options", "nosniff"));
  CHECK(has("Referrer-Policy", "no-referrer"));
  CHECK(has("Cross-Origin-Resource-Policy", "same-origin"));
  CHECK(has("Cross-Origin-Opener-Policy", "same-origin"));
  CHECK(has("Cache-Control", "no-store"));
  REQUIRE(headers.front().first == "Content-Security-Policy");
  for (const std::string part :
       {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"}) {
    CHECK(headers.front().second.find(part) != std::string::npos);
  }
}

TEST_CASE("the token is made once, for its owner only, and read again") {
  test::TempDir dir;
  const std::string file = dir / "admin_token";
  const auto made = admin_token(file);
  REQUIRE(made.ok());
  CHECK(made.value().size() == 32);
  CHECK(made.value().find_first_not_of("0123456789abcdef") == std::string::npos);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(status.st_nlink == 1);
  CHECK(admin_token(file).value() == made.value());
  CHECK(admin_token(dir / "another").value() != made.value());
  std::ofstream(dir / "third.new") << "left by a power cut";
  CHECK(admin_token(dir / "third").value().size() == 32);
  CHECK_FALSE(std::filesystem::exists(dir / "third.new"));
}

TEST_CASE("a token of one's own is taken from its file, or the file is named with what is wrong") {
  test::TempDir dir;
  const std::string file = dir / "token";
  const auto read = [&](const std::string& text) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    return admin_token(file);
  };
  CHECK(read("correct-horse-battery").value() == "correct-horse-battery");
  CHECK(read("correct-horse-battery\n").value() == "correct-horse-battery");
  CHECK(read("correct-horse-battery\r\n").value() == "correct-horse-battery");
  CHECK(read(std::string(1024, 'x') + "\n").value() == std::string(1024, 'x'));
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "it is empty"},
      {"\n", "it is empty"},
      {"short\n", "its token is too short"},
      {"correct horse battery", "it holds more than one word"},
      {"correct-horse-battery\nanother-token-below", "it holds more than one word"},
      {std::string("correct-horse\0battery", 21), "it holds more than one word"},
      {std::string(1025, 'x'), "its token is too long"},
  };
  for (const auto& [text, what] : wrong) {
    const auto result = read(text);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == Errc::invalid);
    CHECK(
        result.error().message.starts_with("admin.token_file " + file + ": " + what + ": write a line of at least 16"));
    CHECK(result.error().message.find("horse") == std::string::npos);
  }
  CHECK(admin_token(dir.path()).error().code == Errc::io);
  CHECK(admin_token(dir / "nowhere/token").error().code == Errc::io);
  REQUIRE(::symlink("loop", (dir / "loop").c_str()) == 0);
  CHECK(admin_token(dir / "loop").error().message.find("cannot be read") != std::string::npos);
}
