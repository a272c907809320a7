// A tiny FTP server on loopback and on the test's own loop: one file, one login, extended passive mode, and whatever
// reply a test wants instead of its own. It remembers what it was told.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "transport/base/awaitable.hpp"

namespace dfota::test {

class TinyFtpServer {
 public:
  using Tcp = asio::ip::tcp;

  explicit TinyFtpServer(asio::io_context& loop) : acceptor_(loop, {asio::ip::address_v4::loopback(), 0}) {
    asio::co_spawn(loop, accept(), asio::detached);
  }
  [[nodiscard]] std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
  void close() { acceptor_.close(); }

  std::string user = "test";
  std::string password = "secret";
  std::string path = "d.bin";
  std::string body;
  std::size_t cut_off = 0;                     ///< bytes of the body that are never sent
  std::map<std::string, std::string> replies;  ///< for a verb, instead of doing it
  std::string greeting = "220 ready";
  std::vector<std::string> commands;

 private:
  struct Session {
    explicit Session(Tcp::socket socket) : control(std::move(socket)), passive(control.get_executor()) {}
    Tcp::socket control;
    Tcp::acceptor passive;
    std::string name;
    bool known = false;
  };

  Awaitable<> accept() {
    for (;;) {
      auto [failure, socket] = co_await acceptor_.async_accept(kNoThrow);
      if (failure) co_return;
      asio::co_spawn(acceptor_.get_executor(), serve(std::make_shared<Session>(std::move(socket))), asio::detached);
    }
  }

  static Awaitable<> say(std::shared_ptr<Session> session, std::string text) {
    text += "\r\n";
    co_await asio::async_write(session->control, asio::buffer(text), kNoThrow);
  }

  Awaitable<> serve(std::shared_ptr<Session> session) {
    co_await say(session, greeting);
    std::string input;
    for (;;) {
      const auto [failure, size] =
          co_await asio::async_read_until(session->control, asio::dynamic_buffer(input), "\r\n", kNoThrow);
      if (failure) co_return;
      const auto line = input.substr(0, size - 2);
      input.erase(0, size);
      commands.push_back(line);
      const auto space = std::min(line.find(' '), line.size());
      const auto verb = line.substr(0, space);
      const auto value = line.substr(std::min(space + 1, line.size()));
      const auto instead = replies.find(verb);
      if (instead != replies.end()) {
        co_await say(session, instead->second);
        if (instead->second.rfind("421", 0) == 0) co_return;
      } else if (verb == "RETR" && value == path) {
        co_await send_body(session);
      } else {
        const auto reply = answer(*session, verb, value);
        co_await say(session, reply);
      }
    }
  }

  std::string answer(Session& session, const std::string& verb, const std::string& value) {
    if (verb == "USER") {
      session.name = value;
      return "331 password?";
    }
    if (verb == "PASS") return session.name == user && value == password ? "230 welcome" : "530 no";
    if (verb == "PWD") return "257 \"/\"";
    if (verb == "TYPE") return "200 ok";
    if (verb == "SIZE" && value == path) return "213 " + std::to_string(body.size());
    if (verb == "EPSV") {
      session.passive = Tcp::acceptor(session.control.get_executor(), {asio::ip::address_v4::loopback(), 0});
      return "229 ok (|||" + std::to_string(session.passive.local_endpoint().port()) + "|)";
    }
    if (verb == "QUIT") return "221 bye";
    if (verb == "SIZE" || verb == "RETR") return "550 no such file";
    return "502 not here";
  }

  Awaitable<> send_body(std::shared_ptr<Session> session) {
    auto [failure, data] = co_await session->passive.async_accept(kNoThrow);
    if (failure) co_return;
    co_await say(session, "150 here it comes");
    const auto part = body.substr(0, body.size() - cut_off);
    co_await asio::async_write(data, asio::buffer(part), kNoThrow);
    data.close();
    co_await say(session, cut_off > 0 ? "426 broken off" : "226 done");
  }

  Tcp::acceptor acceptor_;
};

}  // namespace dfota::test
