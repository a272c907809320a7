// Where connections of an HTTP server come in and wait: the listener, the heads that are still being read (bounded in
// bytes, number and time), the answer to what is not served, and the last moments of a socket. No thread is spent here,
// and no more than a few hundred bytes on a socket that says nothing. Below file_server and web_server, each with its
// own; the thread of its loop.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "transport/base/clock.hpp"
#include "transport/base/result.hpp"
#include "transport/descriptor.hpp"
#include "transport/http_head.hpp"

namespace dfota {

struct HttpDoorOptions {
  std::string name;  ///< of the server, in its faults: "file server"
  std::string key;   ///< of the configuration, which says where it listens: "http.listen"
  std::string host;
  std::uint16_t port = 0;  ///< 0: any free one (tests)
  std::size_t max_pending_heads = 1024;
  std::size_t max_pending_heads_per_source = 256;
  Clock::duration head_limit = std::chrono::seconds(10);
  std::string refusal;  ///< the whole response to what is no request, or is not taken
  std::string overdue;  ///< to a head that has begun and is not whole in time; empty: cut without a word
  std::size_t max_drained_bytes = 256 * 1024;  ///< of what a peer still sends that has had its response
};

class HttpDoor {
 public:
  struct Visitor {
    Descriptor socket;
    std::string source;  ///< the peer's address, without port
    std::string rest;    ///< what it sent after the head
    HttpHead head;
  };

  /// `on_head` gets each whole head; what it does not take (false) is refused. Both are called on the loop.
  HttpDoor(asio::io_context& loop, HttpDoorOptions options, std::function<bool(Visitor&)> on_head,
           std::function<void(const std::string&)> on_fault);
  ~HttpDoor();
  HttpDoor(const HttpDoor&) = delete;
  HttpDoor& operator=(const HttpDoor&) = delete;

  Result<void> open();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// False while connections cannot be accepted, which is tried again.
  [[nodiscard]] bool accepts() const { return accepts_; }

  /// Waits for a head on this socket; `rest` has been read already. A source that is not trusted has no more of these
  /// than max_pending_heads_per_source.
  void admit(Descriptor socket, const std::string& source, std::string rest);
  /// Ends a connection so that nothing under way is destroyed: our FIN, then the peer's or a short while, then close.
  void part(Descriptor socket);
  void trust(const std::string& source);
  /// Reports a fault, each kind at most once a minute.
  void fault(const std::string& what, int error);

 private:
  struct Guest;
  using Guests = std::list<std::shared_ptr<Guest>>;

  [[nodiscard]] std::weak_ptr<bool> here() const { return alive_; }
  Result<void> listen();
  void await_visitor();
  void accept_all();
  void listen_again_later(int error);
  void await_bytes(const std::shared_ptr<Guest>& guest);
  void read_head(const std::shared_ptr<Guest>& guest);
  void take_bytes(const std::shared_ptr<Guest>& guest, std::string_view bytes);
  void drain(const std::shared_ptr<Guest>& guest);
  void refuse(Descriptor socket, const std::string& response);
  std::shared_ptr<Guest> seat(Descriptor socket);
  void make_room(const std::string& source);
  [[nodiscard]] std::shared_ptr<Guest> next_to_go(const std::string* source) const;
  Descriptor leave(const std::shared_ptr<Guest>& guest);
  void watch_deadlines();
  void cut_overdue();

  asio::io_context& loop_;
  const HttpDoorOptions options_;
  const std::function<bool(Visitor&)> on_head_;
  const std::function<void(const std::string&)> on_fault_;

  asio::ip::address address_;
  std::uint16_t port_ = 0;
  asio::posix::stream_descriptor listener_;
  Timer accept_again_;
  bool accepts_ = false;

  Guests heads_;    // oldest first: all have the same time
  Guests parting_;  // likewise
  std::unordered_map<std::string, std::size_t> heads_of_;
  std::unordered_set<std::string> trusted_;
  Timer deadline_;
  Clock::time_point deadline_at_ = Clock::time_point::max();
  std::map<int, Clock::time_point> faults_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dfota
