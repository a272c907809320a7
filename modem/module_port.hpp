// The port of one module over all its openings: it goes with each reboot and is found again behind its stable name,
// which is asked for every 200 ms while somebody wants it. It may be found again elsewhere: move(). Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "modem/at_port.hpp"

namespace dfota {

class ModulePort {
 public:
  static constexpr auto kAskForName = std::chrono::milliseconds(200);

  /// `changed` is notified by whatever is read; it must outlive this object. `subject` begins the log lines: "module
  /// uc20-a".
  ModulePort(asio::io_context& loop, std::string name, LinkOptions options, Signal& changed, std::string subject);

  /// Opens the port if it is not open, once. Errors as open_link: absent, busy, timeout, refused, io.
  Awaitable<Result<void>> open();
  /// Closes it at once, also under a command in flight, and opens it no more (busy) until take_back().
  void give_away();
  void take_back() { given_away_ = false; }
  /// Closes it at once, so that the module that re-enumerates gets its name back.
  void drop();
  /// Open, and not hung up. A port that hung up is dropped by whoever reads it to its end.
  [[nodiscard]] bool is_open() const;

  /// The module stands at `name` from now on (empty: nobody knows where): what is open is another's, and is closed at
  /// once.
  void move(std::string name);
  /// The same device by another name, such as one that stays.
  void rename(std::string name) { name_ = std::move(name); }
  /// Not to be opened, and closed if it is: who stands there takes no AT commands (05c6:9008).
  void forbid(bool forbidden);
  /// Since when; nothing: it may be opened.
  [[nodiscard]] const std::optional<Clock::time_point>& forbidden_since() const { return forbidden_since_; }

  /// As AtPort::command; link_lost when it is not open.
  Awaitable<Result<AtReply>> command(std::string text, Clock::duration limit);
  /// As AtPort::send_data; link_lost when it is not open.
  Awaitable<Result<AtReply>> send_data(std::string text, DataSource& source, DataLimits limits);
  /// As AtPort::write_raw; link_lost when it is not open.
  Awaitable<Result<void>> write_raw(std::string_view bytes, Clock::duration limit);
  std::optional<std::string> take_unsolicited();

  /// Tells it of this opening and all that follow, and of what is said on them; null: nobody.
  void observe(PortObserver* observer);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& subject() const { return subject_; }
  [[nodiscard]] Signal& changed() { return changed_; }
  [[nodiscard]] Clock::time_point opened_at() const;
  /// When anything was heard for the last time, over all openings.
  [[nodiscard]] Clock::time_point last_heard() const;
  /// How often it was opened; a different number means that it went and came back.
  [[nodiscard]] unsigned openings() const { return openings_; }

 private:
  asio::io_context& loop_;
  std::string name_;
  LinkOptions options_;
  Signal& changed_;
  std::string subject_;
  std::unique_ptr<AtPort> at_;
  PortObserver* observer_ = nullptr;
  std::optional<Clock::time_point> forbidden_since_;
  Clock::time_point heard_before_ = Clock::now();
  unsigned openings_ = 0;
  bool given_away_ = false;
};

}  // namespace dfota
