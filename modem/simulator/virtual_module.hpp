// One simulated Quectel module: a port, an AT interpreter, a memory, and the story of each AT+QFOTADL
// (virtual_update.cpp; how the package comes: virtual_delivery.cpp; data mode: virtual_data.cpp; its own HTTP
// client: virtual_http.cpp). Three coroutines on
// the one loop: the port's reader, the commands, the life (boots and updates). It lives as long as the loop runs. All
// durations of its own are divided by the speed factor.
#pragma once

#include <asio/io_context.hpp>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "modem/simulator/at_commands.hpp"
#include "modem/simulator/data_transfer.hpp"
#include "modem/simulator/event_log.hpp"
#include "modem/simulator/faults.hpp"
#include "modem/simulator/file_system.hpp"
#include "modem/simulator/identity.hpp"
#include "modem/simulator/port.hpp"
#include "transport/base/signal.hpp"

namespace dfota::sim {

/// What the boot loader writes, without a frame.
inline constexpr std::string_view kBootNoise = "^boot.rom'v'!\n";

/// The module's own durations in seconds, at speed 1.
struct Pace {
  double speed = 1;
  double answer_s = 0.1;
  double start_s = 1;
  double reboot_s = 15;
  double flash_s = 120;
  double boot_s = 20;
};

struct ModuleOptions {
  int index = 0;
  std::string name;  ///< "m0": the module's in the log, and of its files
  std::string dir;
  std::string model = "UC20";
  std::string version;  ///< of the very first boot; empty: one of the family's
  const Profiles* profiles = &builtin_profiles();
  std::string efs_package;  ///< a file of the host, which AT+QFOTADL=1 of a BG96 takes; empty: there is none
  Pace pace;
  std::vector<Fault> faults;
};

class VirtualModule {
 public:
  /// Loop and log must outlive it; stop the loop before it goes.
  VirtualModule(asio::io_context& loop, std::unique_ptr<Port> port, EventLog& log, ModuleOptions options);
  VirtualModule(const VirtualModule&) = delete;
  VirtualModule& operator=(const VirtualModule&) = delete;

  /// Opens the port and starts its life. Errc::io: no port, or a state file that is not ours.
  Result<void> start();
  /// The port goes; the summary goes to the log.
  void finish();

  [[nodiscard]] const Memory& memory() const { return memory_; }
  [[nodiscard]] int qfotadl_count() const { return qfotadl_count_; }
  [[nodiscard]] uint64_t bytes_while_flashing() const { return bytes_while_flashing_; }
  /// Booted, all boot URCs sent, no update under way.
  [[nodiscard]] bool ready() const { return mode_ == Mode::ready && !updating_ && !booting_; }

 private:
  enum class Mode { off, ready, flashing };

  Awaitable<> live();
  Awaitable<> answer_commands();
  Awaitable<> write_in_pieces();
  Awaitable<> boot();
  Awaitable<bool> reboot(double duration_s);
  Result<void> open_port();
  Awaitable<> bounce_port();
  Awaitable<> pause(double duration_s);
  Awaitable<> hang();

  Awaitable<> update(FotaOrder order);
  Awaitable<> update_from_file(UpdateTarget target);
  Awaitable<> refuse_by_ftp();
  Awaitable<> refuse(std::string stage, int code, double after_s);
  Awaitable<int> fetch(FotaOrder order, Result<DeltaHeader>& package);
  void tell_downloading(unsigned urcs, uint64_t bytes, uint64_t total);
  Awaitable<int> take_stream(uint64_t length, Result<DeltaHeader>& package);
  void take_package(const DeltaCheck& check, int code, Result<DeltaHeader>& package);
  Awaitable<Step> download_reached();
  Awaitable<> last_words_heard();
  Awaitable<> flash(std::string end_stage, Result<DeltaHeader> package);
  Awaitable<> apply(Result<DeltaHeader> package, Count count);
  Awaitable<bool> write_firmware(int until_percent, Count count);
  Awaitable<> take_writing_faults(unsigned percent);
  Awaitable<> end_flashing(int code, std::string version);
  void leave_flashing();
  void power_off();
  Awaitable<> stay_off();

  Awaitable<> upload(UploadOrder order);
  Awaitable<> transfer_end();

  Awaitable<> take_url(HttpOrder order);
  Awaitable<int> get(HttpOrder order, std::string& body);
  Awaitable<> answer_get(HttpOrder order);
  Awaitable<> tell_body();
  Awaitable<> serve(HttpOrder order);
  std::string_view take_data(std::string_view bytes);

  void received(std::string_view bytes);
  void take_commands(std::string_view bytes);
  AtAnswer run_command(const std::string& line);
  void begin_flashing();
  void urc(const std::string& text);
  bool send(std::string_view bytes);
  void record(std::string_view event, const Json& fields = Json::object()) { log_.write(options_.name, event, fields); }
  void remember();
  [[nodiscard]] std::string first_version() const;
  [[nodiscard]] const StageNames& stages() const { return subject_.family.stages(); }
  [[nodiscard]] std::vector<std::string> boot_urcs() const;

  asio::io_context& loop_;
  EventLog& log_;
  ModuleOptions options_;
  Behaviour behaviour_;
  std::string state_path_;
  Memory memory_;
  FileSystem files_;
  std::unique_ptr<Port> port_;
  Signal command_came_;
  Signal update_came_;
  Signal data_came_;
  AtLines lines_;
  AtSettings settings_;
  AtSubject subject_;
  std::deque<std::string> commands_;
  std::optional<FotaOrder> accepted_;
  std::shared_ptr<DataTransfer> transfer_;
  Clock::time_point excess_until_;
  std::string unsent_;
  bool sending_ = false;
  std::minstd_rand chance_;
  Mode mode_ = Mode::off;
  bool updating_ = false;
  bool booting_ = true;
  bool reset_in_download_ = false;
  bool powered_down_ = false;
  bool low_voltage_told_ = false;
  unsigned downloading_said_ = 0;
  int qfotadl_count_ = 0;
  uint64_t bytes_while_flashing_ = 0;
  uint64_t generation_ = 0;  ///< of boots: an answer of an earlier one is never sent
};

}  // namespace dfota::sim
