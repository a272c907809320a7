#include "transport/web_body.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>

#include "transport/descriptor.hpp"

namespace dfota {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Error file_error(const std::string& name, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return Error(full ? Errc::no_space : Errc::io, name + ": " + std::strerror(error));
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

Result<void> write_all(int file, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const auto count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_error(name, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

std::optional<Error> too_large(std::uint64_t bytes, std::uint64_t most) {
  if (bytes <= most) return std::nullopt;
  return Error(Errc::refused, "a body of " + std::to_string(bytes) + " bytes is too large: at most " +
                                  std::to_string(most) + " are taken");
}

/// One place among those that save, or none.
class Saving {
 public:
  Saving(std::atomic<unsigned>& count, std::size_t most) : count_(count), got_(count.fetch_add(1) < most) {}
  ~Saving() { --count_; }
  Saving(const Saving&) = delete;
  Saving& operator=(const Saving&) = delete;
  [[nodiscard]] bool got() const { return got_; }

 private:
  std::atomic<unsigned>& count_;
  const bool got_;
};

}  // namespace

int status_of(const Error& body_error) {
  switch (body_error.code) {
    case Errc::invalid:
      return 411;
    case Errc::refused:
      return 413;
    case Errc::timeout:
      return 408;
    case Errc::link_lost:
      return 400;
    case Errc::busy:
      return 503;
    case Errc::no_space:
      return 507;
    default:
      return 500;
  }
}

SocketBody::SocketBody(int socket, std::string rest, const WebCall& call, const WebServerOptions& options,
                       std::atomic<unsigned>& saving)
    : socket_(socket),
      rest_(std::move(rest)),
      left_(call.body_bytes.value_or(0)),
      call_(call),
      options_(options),
      saving_(saving) {}

Result<void> SocketBody::begin() {
  if (!call_.expects_continue || left_ == 0 || !rest_.empty()) return {};
  // It fits: nothing was sent on this socket before.
  const auto sent = ::send(socket_, kContinue.data(), kContinue.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<ssize_t>(kContinue.size())) return Error(Errc::link_lost, "the peer has gone");
  return {};
}

Result<std::size_t> SocketBody::receive(char* to, std::size_t size, Clock::time_point deadline) {
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
  if (!rest_.empty()) {
    const auto count = rest_.copy(to, size);
    rest_.erase(0, count);
    left_ -= count;
    return count;
  }
  for (;;) {
    const auto count = ::recv(socket_, to, size, MSG_DONTWAIT);
    if (count > 0) {
      left_ -= static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      return Error(Errc::link_lost, "the connection ended " + std::to_string(left_) + " bytes before the body did");
    }
    pollfd more{socket_, POLLIN, 0};
    if (::poll(&more, 1, milliseconds_until(deadline)) == 0) {
      return Error(Errc::timeout, "no more of the body came, " + std::to_string(left_) + " bytes before its end");
    }
  }
}

Result<std::string> SocketBody::read() {
  if (auto error = too_large(left_, options_.max_body_bytes)) return std::move(*error);
  if (const auto begun = begin(); !begun) return begun.error();
  const auto deadline = Clock::now() + options_.body_limit;
  std::string body;
  std::array<char, kChunkBytes> chunk;
  while (left_ > 0) {
    const auto count = receive(chunk.data(), chunk.size(), deadline);
    if (!count) return count.error();
    body.append(chunk.data(), count.value());
    // A peer that drips never makes recv wait.
    if (left_ > 0 && Clock::now() >= deadline) return Error(Errc::timeout, "the body did not come in time");
  }
  return body;
}

Result<std::uint64_t> SocketBody::save(const std::filesystem::path& file, std::uint64_t max_bytes) {
  if (!call_.body_bytes) return Error(Errc::invalid, "the request has no Content-Length");
  if (auto error = too_large(left_, max_bytes)) return std::move(*error);
  const std::uint64_t size = left_;
  // One worker at least stays for what has no body.
  const Saving place(saving_, std::max<std::size_t>(options_.workers, 2) - 1);
  if (!place.got()) return Error(Errc::busy, "too many files are coming at once: try again");
  const std::string name = file.string();
  Descriptor opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!opened.valid()) return file_error(name, errno);
  auto saved = begin();
  if (saved) saved = copy_to(opened.get(), name);
  if (!saved) {
    ::unlink(file.c_str());
    return saved.error();
  }
  return size;
}

Result<void> SocketBody::copy_to(int file, const std::string& name) {
  std::array<char, kChunkBytes> chunk;
  while (left_ > 0) {
    const auto count = receive(chunk.data(), chunk.size(), Clock::now() + options_.body_idle_limit);
    if (!count) return count.error();
    if (auto written = write_all(file, {chunk.data(), count.value()}, name); !written) return written;
  }
  return {};
}

}  // namespace dfota
