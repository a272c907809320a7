#include "tests/support/scripted_broker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace dfota::test {
namespace {
enum PacketType { kConnect = 1, kPublish = 3, kSubscribe = 8, kPing = 12 };

bool read_exactly(int fd, std::string& into, std::size_t size) {
  into.resize(size);
  return size == 0 || ::recv(fd, into.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

std::uint16_t u16(const std::string& from, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(from.at(at)) << 8 |
                                    static_cast<unsigned char>(from.at(at + 1)));
}

std::string u16_bytes(std::uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
}  // namespace

ScriptedBroker::ScriptedBroker(std::uint16_t receive_maximum) : receive_maximum_(receive_maximum) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 4) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port for the scripted broker");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { accept_and_read(); });
}

ScriptedBroker::~ScriptedBroker() {
  ::shutdown(listener_, SHUT_RDWR);
  hang_up();
  thread_.join();
  ::close(listener_);
}

void ScriptedBroker::accept_and_read() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    {
      const std::lock_guard lock(mutex_);
      client_ = fd;
    }
    while (read_packet(fd)) {
    }
    const std::lock_guard lock(mutex_);
    client_ = -1;
    ::close(fd);
  }
}

bool ScriptedBroker::read_packet(int fd) {
  std::string byte, body;
  if (!read_exactly(fd, byte, 1)) return false;
  const auto head = static_cast<unsigned char>(byte[0]);
  std::size_t length = 0;
  for (int shift = 0; shift < 28; shift += 7) {
    if (!read_exactly(fd, byte, 1)) return false;
    length |= static_cast<std::size_t>(byte[0] & 0x7f) << shift;
    if ((byte[0] & 0x80) == 0) break;
  }
  if (!read_exactly(fd, body, length)) return false;
  switch (head >> 4) {
    case kConnect: {
      const std::string properties = receive_maximum_ == 0 ? "" : "\x21" + u16_bytes(receive_maximum_);
      const std::string rest = std::string(2, '\0') + static_cast<char>(properties.size()) + properties;
      send("\x20" + std::string(1, static_cast<char>(rest.size())) + rest);
      const std::lock_guard lock(mutex_);
      ++connections_;
      break;
    }
    case kPublish: {
      const std::uint16_t topic_size = u16(body, 0);
      const bool has_id = (head & 0x06) != 0;
      const std::lock_guard lock(mutex_);
      publishes_.push_back({has_id ? u16(body, 2 + topic_size) : std::uint16_t{0}, body.substr(2, topic_size)});
      break;
    }
    case kSubscribe:
      send("\x90\x04" + body.substr(0, 2) + std::string("\0\x01", 2));
      break;
    case kPing:
      send(std::string("\xd0\0", 2));
      break;
    default:
      break;
  }
  changed_.notify_all();
  return true;
}

void ScriptedBroker::send(const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  if (client_ >= 0) ::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

bool ScriptedBroker::wait_for_publishes(std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kWatchdog, [&] { return publishes_.size() >= count; });
}

std::vector<ScriptedBroker::Publish> ScriptedBroker::publishes() const {
  const std::lock_guard lock(mutex_);
  return publishes_;
}

std::size_t ScriptedBroker::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void ScriptedBroker::acknowledge(std::uint16_t packet_id) {
  send("\x40\x02" + u16_bytes(packet_id));
}

void ScriptedBroker::disconnect(std::uint8_t reason) {
  send(std::string("\xe0\x02", 2) + static_cast<char>(reason) + std::string(1, '\0'));
  hang_up();
}

void ScriptedBroker::hang_up() {
  const std::lock_guard lock(mutex_);
  if (client_ >= 0) ::shutdown(client_, SHUT_RDWR);
}

}  // namespace dfota::test
