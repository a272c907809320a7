// A module behind tcp://, for tests with very many updates: the kernel hands loopback bytes over at once, so that
// nothing is waited for. It says what the test makes it say, and can go and come back under its address. Test's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dfota::test {

class TcpModule {
 public:
  TcpModule();
  ~TcpModule();
  TcpModule(const TcpModule&) = delete;
  TcpModule& operator=(const TcpModule&) = delete;

  [[nodiscard]] std::string port() const { return "tcp://127.0.0.1:" + std::to_string(number_); }
  void plug();
  void unplug();  ///< the gateway sees the hang-up; a connection is refused
  [[nodiscard]] bool plugged() const { return listener_ >= 0; }

  /// Takes up a connection and what was written; true when there was anything.
  bool pump();
  /// The next command, without its CR.
  std::optional<std::string> next_line();
  /// Bytes as they are; false: nobody listens, and they are lost, as on a wire.
  bool say(std::string_view bytes);
  /// How many there have been.
  [[nodiscard]] unsigned connections() const { return connections_; }

 private:
  int reserved_ = -1;  ///< keeps the number ours while nobody listens
  int listener_ = -1, connection_ = -1;
  std::uint16_t number_ = 0;
  unsigned connections_ = 0;
  std::string received_;
};

/// A GET of what a module was told, counting the bytes of the body.
class TcpDownload {
 public:
  TcpDownload(std::uint16_t port, const std::string& path);
  ~TcpDownload();
  TcpDownload(const TcpDownload&) = delete;
  TcpDownload& operator=(const TcpDownload&) = delete;

  bool pump();
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] bool ended() const { return connection_ < 0; }  ///< cut, or refused

 private:
  int connection_ = -1;
  std::string head_;
  bool in_body_ = false, good_ = false;
  std::uint64_t bytes_ = 0;
};

}  // namespace dfota::test
