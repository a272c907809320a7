#include "transport/http_door.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace dfota {
namespace {
using namespace std::chrono_literals;

constexpr int kBacklog = 1024;
constexpr int kAcceptsAtOnce = 512;
constexpr auto kAcceptAgain = 100ms;
constexpr int kLooks = 64;  // for a silent one, before the oldest goes whatever it has said
constexpr auto kSameFaultAgain = 1min;
constexpr auto kPartingLimit = 2s;
constexpr std::size_t kMaxTrusted = 4096;
constexpr int kSendBufferBytes = 32 * 1024;
constexpr int kProbeAfterSeconds = 60, kProbeEverySeconds = 15, kMaxProbes = 4;

bool set(int socket, int level, int option, int value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

/// On the listener; Linux hands all of them on to the sockets that it accepts.
bool set_options(int socket) {
  return set(socket, SOL_SOCKET, SO_REUSEADDR, 1) && set(socket, SOL_SOCKET, SO_SNDBUF, kSendBufferBytes) &&
         set(socket, IPPROTO_TCP, TCP_NODELAY, 1) && set(socket, SOL_SOCKET, SO_KEEPALIVE, 1) &&
         set(socket, IPPROTO_TCP, TCP_KEEPIDLE, kProbeAfterSeconds) &&
         set(socket, IPPROTO_TCP, TCP_KEEPINTVL, kProbeEverySeconds) &&
         set(socket, IPPROTO_TCP, TCP_KEEPCNT, kMaxProbes);
}

std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text.data(), text.size());
  } else {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text.data(), text.size());
  }
  constexpr std::string_view kMapped = "::ffff:";
  const std::string_view all = text.data();
  return std::string(all.starts_with(kMapped) ? all.substr(kMapped.size()) : all);
}

bool is_resource(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// The listener is well, only this connection is not (accept(2): errors of the network come here, too).
bool is_of_one_connection(int error) {
  constexpr std::array kErrors{EINTR,     ECONNABORTED, EPROTO,     EPERM,        ENETDOWN,   ENOPROTOOPT,
                               EHOSTDOWN, ENONET,       EOPNOTSUPP, EHOSTUNREACH, ENETUNREACH};
  return std::find(kErrors.begin(), kErrors.end(), error) != kErrors.end();
}

}  // namespace

struct HttpDoor::Guest {
  explicit Guest(asio::io_context& loop) : socket(loop) {}
  asio::posix::stream_descriptor socket;
  std::string source;
  HeadReader reader;
  Clock::time_point deadline;
  bool parting = false;
  std::size_t drained = 0;
  Guests::iterator place;
};

HttpDoor::HttpDoor(asio::io_context& loop, HttpDoorOptions options, std::function<bool(Visitor&)> on_head,
                   std::function<void(const std::string&)> on_fault)
    : loop_(loop),
      options_(std::move(options)),
      on_head_(std::move(on_head)),
      on_fault_(std::move(on_fault)),
      listener_(loop),
      accept_again_(loop),
      deadline_(loop) {}

// A handler that was queued as done before its descriptor was closed still runs: it finds its guest closed, or the door
// gone.
HttpDoor::~HttpDoor() {
  asio::error_code ignored;
  for (const auto* guests : {&heads_, &parting_}) {
    for (const auto& guest : *guests) guest->socket.close(ignored);
  }
}

Result<void> HttpDoor::open() {
  asio::error_code error;
  address_ = asio::ip::make_address(options_.host, error);
  if (error) return Error(Errc::invalid, options_.key + ": " + options_.host + " is not an IP address");
  port_ = options_.port;
  auto listening = listen();
  if (listening) await_visitor();
  return listening;
}

Result<void> HttpDoor::listen() {
  const auto failed = [this](const char* what) {
    const auto code = errno == EADDRINUSE ? Errc::busy : errno == EADDRNOTAVAIL ? Errc::invalid : Errc::io;
    return Error(code, options_.key + " " + options_.host + ":" + std::to_string(port_) + ": " + what + ": " +
                           std::strerror(errno));
  };
  sockaddr_storage place{};
  socklen_t size = sizeof(sockaddr_in);
  if (address_.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(place);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port_);
    v4.sin_addr.s_addr = htonl(address_.to_v4().to_uint());
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(place);
    size = sizeof v6;
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port_);
    v6.sin6_scope_id = static_cast<std::uint32_t>(address_.to_v6().scope_id());
    const auto bytes = address_.to_v6().to_bytes();
    std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
  }
  Descriptor socket(::socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return failed("no socket");
  if (!set_options(socket.get())) return failed("socket option");
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&place), size) != 0) return failed("bind");
  if (::listen(socket.get(), kBacklog) != 0) return failed("listen");
  size = sizeof place;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&place), &size) != 0) return failed("getsockname");
  port_ = ntohs(reinterpret_cast<sockaddr_in&>(place).sin_port);  // at the same place in sockaddr_in6

  asio::error_code error;
  listener_.assign(socket.get(), error);
  if (error) return Error(Errc::io, options_.key + ": " + error.message());
  socket.release();
  return {};
}

void HttpDoor::await_visitor() {
  accepts_ = true;
  listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this, here = here()](const asio::error_code& error) {
    if (!here.expired() && error != asio::error::operation_aborted) accept_all();
  });
}

void HttpDoor::accept_all() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    Descriptor socket(
        ::accept4(listener_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      admit(std::move(socket), text_of(peer), {});
      continue;
    }
    if (errno == EAGAIN) break;
    if (!is_of_one_connection(errno)) return listen_again_later(errno);
  }
  await_visitor();
}

void HttpDoor::listen_again_later(int error) {
  accepts_ = false;
  fault(options_.name + ": connections cannot be accepted, trying again every 100 ms", error);
  accept_again_.expires_after(kAcceptAgain);
  accept_again_.async_wait([this, error, here = here()](const asio::error_code& canceled) {
    if (canceled || here.expired()) return;
    if (is_resource(error)) return accept_all();
    asio::error_code ignored;
    listener_.close(ignored);
    if (!listen()) return listen_again_later(error);
    await_visitor();
  });
}

void HttpDoor::fault(const std::string& what, int error) {
  const auto now = Clock::now();
  const auto known = faults_.find(error);
  if (known != faults_.end() && now - known->second < kSameFaultAgain) return;
  faults_[error] = now;
  on_fault_(what + ": " + std::strerror(error));
}

void HttpDoor::admit(Descriptor socket, const std::string& source, std::string rest) {
  make_room(source);
  const auto guest = seat(std::move(socket));
  if (!guest) return;
  guest->source = source;
  guest->deadline = Clock::now() + options_.head_limit;
  guest->place = heads_.insert(heads_.end(), guest);
  ++heads_of_[source];
  watch_deadlines();
  if (rest.empty()) {
    await_bytes(guest);
  } else {
    take_bytes(guest, rest);
  }
}

std::shared_ptr<HttpDoor::Guest> HttpDoor::seat(Descriptor socket) {
  auto guest = std::make_shared<Guest>(loop_);
  asio::error_code error;
  guest->socket.assign(socket.get(), error);
  if (error) {
    fault(options_.name + ": a connection cannot be watched and is cut", error.value());
    return nullptr;
  }
  socket.release();
  return guest;
}

void HttpDoor::make_room(const std::string& source) {
  if (heads_.size() >= options_.max_pending_heads) leave(next_to_go(nullptr));
  const auto count = heads_of_.find(source);
  if (count == heads_of_.end() || count->second < options_.max_pending_heads_per_source) return;
  if (trusted_.contains(source)) return;
  leave(next_to_go(&source));
}

/// The oldest, of this source or of all, that is silent: the request of an older one may have come already, and only
/// has not been read yet.
std::shared_ptr<HttpDoor::Guest> HttpDoor::next_to_go(const std::string* source) const {
  std::shared_ptr<Guest> oldest;
  int looked = 0;
  for (const auto& guest : heads_) {
    if (source != nullptr && guest->source != *source) continue;
    if (!oldest) oldest = guest;
    char byte = 0;
    if (::recv(guest->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) return guest;
    if (++looked == kLooks) break;
  }
  return oldest;
}

Descriptor HttpDoor::leave(const std::shared_ptr<Guest>& guest_of_list) {
  const auto guest = guest_of_list;  // the list's own pointer goes with its place
  if (guest->parting) {
    parting_.erase(guest->place);
  } else {
    heads_.erase(guest->place);
    const auto count = heads_of_.find(guest->source);
    if (--count->second == 0) heads_of_.erase(count);
  }
  return Descriptor(guest->socket.release());
}

void HttpDoor::await_bytes(const std::shared_ptr<Guest>& guest) {
  guest->socket.async_wait(asio::posix::stream_descriptor::wait_read, [this, guest](const asio::error_code& error) {
    if (error || !guest->socket.is_open()) return;
    if (guest->parting) {
      drain(guest);
    } else {
      read_head(guest);
    }
  });
}

void HttpDoor::read_head(const std::shared_ptr<Guest>& guest) {
  std::array<char, kMaxHeadBytes> bytes;
  const auto count = ::recv(guest->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0) return take_bytes(guest, std::string_view(bytes.data(), static_cast<std::size_t>(count)));
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return await_bytes(guest);
  leave(guest);
}

void HttpDoor::take_bytes(const std::shared_ptr<Guest>& guest, std::string_view bytes) {
  bytes.remove_prefix(guest->reader.feed(bytes));
  const auto state = guest->reader.state();
  if (state == HeadReader::State::reading) return await_bytes(guest);

  Visitor visitor;
  visitor.source = guest->source;
  visitor.rest = bytes;
  visitor.socket = leave(guest);
  auto head = state == HeadReader::State::whole ? parse_http_head(guest->reader.text()) : std::nullopt;
  if (head) {
    visitor.head = std::move(*head);
    if (on_head_(visitor)) return;
  }
  refuse(std::move(visitor.socket), options_.refusal);
}

void HttpDoor::refuse(Descriptor socket, const std::string& response) {
  // It fits: nothing was sent on this socket that is not acknowledged.
  [[maybe_unused]] const auto sent =
      ::send(socket.get(), response.data(), response.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  part(std::move(socket));
}

void HttpDoor::part(Descriptor socket) {
  ::shutdown(socket.get(), SHUT_WR);
  if (parting_.size() >= options_.max_pending_heads) leave(parting_.front());
  const auto guest = seat(std::move(socket));
  if (!guest) return;
  guest->parting = true;
  guest->deadline = Clock::now() + kPartingLimit;
  guest->place = parting_.insert(parting_.end(), guest);
  watch_deadlines();
  drain(guest);
}

void HttpDoor::drain(const std::shared_ptr<Guest>& guest) {
  std::array<char, kMaxHeadBytes> bytes;
  const auto count = ::recv(guest->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count > 0) guest->drained += static_cast<std::size_t>(count);
  const bool more = count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
  if (!more || guest->drained > options_.max_drained_bytes) {
    leave(guest);
  } else {
    await_bytes(guest);
  }
}

void HttpDoor::trust(const std::string& source) {
  if (trusted_.size() >= kMaxTrusted) trusted_.clear();
  trusted_.insert(source);
}

void HttpDoor::watch_deadlines() {
  auto next = Clock::time_point::max();
  if (!heads_.empty()) next = heads_.front()->deadline;
  if (!parting_.empty()) next = std::min(next, parting_.front()->deadline);
  if (next >= deadline_at_) return;
  deadline_at_ = next;
  deadline_.expires_at(next);
  deadline_.async_wait([this, here = here()](const asio::error_code& canceled) {
    if (!canceled && !here.expired()) cut_overdue();
  });
}

void HttpDoor::cut_overdue() {
  const auto now = Clock::now();
  while (!heads_.empty() && heads_.front()->deadline <= now) {
    const bool begun = !heads_.front()->reader.silent();
    auto socket = leave(heads_.front());
    if (begun && !options_.overdue.empty()) refuse(std::move(socket), options_.overdue);
  }
  while (!parting_.empty() && parting_.front()->deadline <= now) leave(parting_.front());
  deadline_at_ = Clock::time_point::max();
  watch_deadlines();
}

}  // namespace dfota
