// A recorded module: plays a transcript (replay_script.hpp) on a port of the rack, so that a fault of the field happens
// again. Two coroutines on the one loop: the player, which goes through the events in their order and with their
// delays, and the answering, which takes what the host says now for the recorded command that it is
// (replay_dialogue.hpp). Where both meet: a recorded command is waited for; a host that says it moves the player there.
// The package: replay_transfer.cpp. It lives as long as the loop runs.
#pragma once

#include <asio/io_context.hpp>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "modem/simulator/at_commands.hpp"
#include "modem/simulator/data_transfer.hpp"
#include "modem/simulator/delta.hpp"
#include "modem/simulator/event_log.hpp"
#include "modem/simulator/port.hpp"
#include "modem/simulator/replay_dialogue.hpp"
#include "modem/simulator/replay_download.hpp"
#include "transport/base/signal.hpp"

namespace dfota::sim {

struct ReplayOptions {
  std::string name;  ///< "m0": the module's in the log
  const Profiles* profiles = &builtin_profiles();
  double speed = 1;  ///< divides every recorded delay
};

class ReplayModule {
 public:
  /// Loop and log must outlive it; stop the loop before it goes.
  ReplayModule(asio::io_context& loop, std::unique_ptr<Port> port, EventLog& log, ReplayScript script,
               ReplayOptions options);
  ReplayModule(const ReplayModule&) = delete;
  ReplayModule& operator=(const ReplayModule&) = delete;

  /// Opens the port and begins. Errc::io: no port.
  Result<void> start();
  /// The port goes; the summary goes to the log.
  void finish();
  /// All of the recording was played, and nothing is being answered.
  [[nodiscard]] bool over() const { return over_; }

 private:
  using Kind = ReplayEvent::Kind;

  Awaitable<> play();
  Awaitable<> ripen(Kind kind);
  Awaitable<> perform(ReplayEvent event);
  Awaitable<> wait_for_command();
  Awaitable<> wait_for_host();
  Awaitable<> wait_until(Clock::time_point until);
  Awaitable<> wait_for_change();
  Awaitable<> hang_up();
  [[nodiscard]] bool moved() const { return moves_ != seen_moves_; }
  [[nodiscard]] Clock::time_point due() const;
  void jump(std::size_t next, double t);
  /// What has happened up to now.
  [[nodiscard]] std::size_t happened() const { return departed_at_.value_or(next_); }

  Awaitable<> answer_commands();
  Awaitable<> answer_beside(std::string command);
  bool take(const std::string& command);
  void catch_up(std::size_t until);
  void begin(std::size_t command, const std::string& sent);
  void miss(const std::string& command, const std::string& why);
  [[nodiscard]] std::optional<AtAnswer> idle_answer(const std::string& command);

  // The package.
  Awaitable<> wait_for_data();
  Awaitable<> wait_for_upload();
  Awaitable<> wait_for_download();
  void begin_transfer(TransferRules rules);
  void end_transfer();
  void end_download();
  void begin_download();
  void depart_from_download(int code);
  [[nodiscard]] std::uint64_t download_goal(const ReplayEvent& file) const;
  [[nodiscard]] std::string with_sizes(const std::string& line);
  std::string_view take_data(std::string_view bytes);

  Result<void> open_port();
  void received(std::string_view bytes);
  bool say(const std::string& text) { return port_->write(framed(text)); }
  void say_final(const std::string& text);
  void say_urc(const std::string& text);
  void record(std::string_view event, const Json& fields = Json::object()) { log_.write(options_.name, event, fields); }

  asio::io_context& loop_;
  EventLog& log_;
  ReplayScript script_;
  ReplayOptions options_;
  ReplayDialogue dialogue_;
  std::unique_ptr<Port> port_;
  Signal changed_;       ///< of the player
  Signal command_came_;  ///< of the answering
  AtLines lines_;
  AtSettings settings_;
  AtSubject subject_;  ///< for what was not recorded
  std::deque<std::string> commands_;

  std::size_t next_ = 0;                    ///< the event that is to be played
  std::optional<std::size_t> departed_at_;  ///< what was recorded behind this place did not happen
  std::uint64_t moves_ = 0, seen_moves_ = 0;
  Clock::time_point last_at_;  ///< when the event before it was played
  double last_t_ = 0;          ///< when it was recorded
  bool heard_ = false;         ///< the host has the port open
  bool over_ = false;

  std::string order_;                  ///< the AT+QFOTADL or AT+QFUPL that is under way, as it came
  std::string recorded_order_;         ///< as it was recorded
  std::uint64_t data_seen_ = 0;        ///< bytes of its data that the recording has had so far
  std::uint64_t uploaded_ = 0;         ///< size of the last upload, and
  std::uint64_t recorded_upload_ = 0;  ///< of the recorded one
  std::shared_ptr<DataTransfer> transfer_;
  QfuplChecksum checksum_;
  DeltaCheck digest_;
  std::shared_ptr<ReplayDownload> download_;
  bool download_over_ = true;

  int qfotadl_count_ = 0;
  std::uint64_t bytes_while_flashing_ = 0;
  std::uint64_t boots_ = 1;
};

}  // namespace dfota::sim
