// A module at the far end of a line of so many baud (8N1), on a pseudo-terminal: it answers what an upload asks, takes
// the data no faster than the line carries it, and says A, OK and the rest no faster either. The other side of
// upload_bench.cpp. One thread steps all of them.
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "modem/upload_source.hpp"

namespace dfota::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

/// One direction of the line. A late step loses nothing while bytes wait; a line that ran dry has idled since.
class Pace {
 public:
  Pace(double bytes_per_second, SteadyTime now) : rate_(bytes_per_second), free_at_(now) {}

  [[nodiscard]] std::size_t due(SteadyTime now) const {
    return static_cast<std::size_t>(std::chrono::duration<double>(now - free_at_).count() * rate_);
  }
  void carried(std::size_t bytes) {
    free_at_ += std::chrono::duration_cast<SteadyTime::duration>(
        std::chrono::duration<double>(static_cast<double>(bytes) / rate_));
  }
  void idled(SteadyTime now) { free_at_ = now; }

 private:
  double rate_;
  SteadyTime free_at_;
};

class SlowModule {
 public:
  explicit SlowModule(unsigned baud)
      : in_(baud / 10.0, std::chrono::steady_clock::now()), out_(baud / 10.0, std::chrono::steady_clock::now()) {
    termios raw{};
    cfmakeraw(&raw);
    if (::openpty(&master_, &slave_, name_, &raw, nullptr) != 0) throw std::runtime_error("no pseudo-terminal");
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
  }
  ~SlowModule() {
    ::close(master_);
    ::close(slave_);
  }
  SlowModule(const SlowModule&) = delete;
  SlowModule& operator=(const SlowModule&) = delete;

  [[nodiscard]] std::string port() const { return name_; }

  void step(SteadyTime now) {
    char bytes[512];
    for (std::size_t due = in_.due(now); due > 0; due = in_.due(now)) {
      const auto got = ::read(master_, bytes, std::min(due, sizeof bytes));
      if (got <= 0) {
        in_.idled(now);
        break;
      }
      in_.carried(static_cast<std::size_t>(got));
      for (long i = 0; i < got; ++i) take(bytes[i]);
    }
    if (answer_.empty()) {
      out_.idled(now);
    } else if (const auto due = std::min(out_.due(now), answer_.size()); due > 0) {
      const auto put = ::write(master_, answer_.data(), due);
      if (put <= 0) return;
      out_.carried(static_cast<std::size_t>(put));
      answer_.erase(0, static_cast<std::size_t>(put));
    }
  }

 private:
  void take(char byte) {
    if (data_left_ > 0) {
      sum_.add(std::string_view(&byte, 1));
      ++stored_;
      if (acknowledges_ && stored_ % UploadSource::kBlock == 0) answer_ += 'A';
      if (--data_left_ > 0) return;
      char told[64];
      std::snprintf(told, sizeof told, "\r\n+QFUPL: %zu,%x\r\n\r\nOK\r\n", stored_, unsigned{sum_.value()});
      answer_ += told;
    } else if (byte == '\r') {
      obey();
      command_.clear();
    } else {
      command_ += byte;
    }
  }

  void obey() {
    unsigned acknowledges = 0;
    if (std::sscanf(command_.c_str(), "AT+QFUPL=\"%*[^\"]\",%zu,%*u,%u", &data_left_, &acknowledges) == 2) {
      stored_ = 0;
      sum_ = QfuplChecksum();
      acknowledges_ = acknowledges == 1;
      answer_ += "\r\nCONNECT\r\n";
    } else if (command_.starts_with("AT+QFDEL")) {
      answer_ += "\r\n+CME ERROR: 405\r\n";
    } else if (command_.starts_with("AT+QFLDS")) {
      answer_ += "\r\n+QFLDS: 16777216,16777216\r\n\r\nOK\r\n";
    } else if (command_.starts_with("AT+QFLST=")) {
      answer_ += "\r\n+QFLST: " + command_.substr(9) + "," + std::to_string(stored_) + "\r\n\r\nOK\r\n";
    } else {
      answer_ += "\r\nERROR\r\n";
    }
  }

  int master_ = -1, slave_ = -1;
  char name_[64] = {};
  Pace in_, out_;
  std::string command_;
  std::string answer_;  ///< still to be sent
  std::size_t data_left_ = 0;
  std::size_t stored_ = 0;
  bool acknowledges_ = false;
  QfuplChecksum sum_;
};

}  // namespace dfota::bench
