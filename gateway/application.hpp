// Owns everything and wires it: the loop, the journal, the file server, the fetcher, the modules, the jobs and the MQTT
// face. main makes one and runs it.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <memory>
#include <string>

#include "config/config.hpp"
#include "gateway/admin/admin.hpp"
#include "gateway/artifact_commands.hpp"
#include "gateway/catalog.hpp"
#include "gateway/ftp_shelf.hpp"
#include "gateway/incoming.hpp"
#include "gateway/job_listeners.hpp"
#include "gateway/jobs.hpp"
#include "gateway/journal.hpp"
#include "gateway/metrics.hpp"
#include "gateway/mqtt_api.hpp"
#include "gateway/places.hpp"
#include "gateway/releases.hpp"
#include "gateway/service_manager.hpp"
#include "gateway/slots.hpp"
#include "gateway/transcripts.hpp"
#include "gateway/trust.hpp"
#include "modem/module.hpp"
#include "transport/fetch.hpp"
#include "transport/file_server.hpp"

namespace dfota {

/// Exit codes of the daemon (contract, "Programs").
enum ExitCode {
  kExitOk = 0,
  kExitConfiguration = 2,
  kExitHeld = 3,
  kExitTakenOver = 4,
  kExitBug = 70,
  kExitJournal = 75
};

class Application {
 public:
  static constexpr auto kDrain = std::chrono::seconds(8);  ///< downloads may end within it when the gateway is stopped

  explicit Application(Config config);
  ~Application();

  /// Runs until SIGTERM or SIGINT, or a reason to give up. Returns an ExitCode.
  int run();

 private:
  int open();
  int open_shelf();
  int start();
  void open_catalog();
  void open_api(JournalContents& contents);
  void open_jobs(const JournalContents& contents);
  int open_admin(const AdminConfig& config);
  void wait_for_signal();
  Awaitable<> stop();
  void give_up(int code);

  Config config_;
  asio::io_context loop_;
  asio::signal_set signals_;
  int exit_code_ = kExitOk;
  int lock_ = -1;    ///< of the state directory, held for as long as we live
  Metrics metrics_;  ///< the journal's thread tells it, too
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<FileServer> files_;
  std::unique_ptr<Fetch> fetch_;
  std::unique_ptr<Trust> trust_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Releases> releases_;
  std::unique_ptr<FtpShelf> shelf_;  ///< null without [ftp]
  std::unique_ptr<Slots> slots_;
  std::unique_ptr<Transcripts> transcripts_;
  std::unique_ptr<MqttApi> api_;
  std::unique_ptr<JobListeners> listeners_;
  std::unique_ptr<ArtifactCommands> artifact_commands_;
  std::unique_ptr<Incoming> incoming_;
  std::unique_ptr<ServiceTime> time_;
  Jobs::Modules modules_;
  std::unique_ptr<Places> places_;
  std::unique_ptr<Jobs> jobs_;
  std::unique_ptr<ServiceManager> service_manager_;
  std::unique_ptr<Admin> admin_;  ///< null without [admin]; the first to go, for its threads ask all others
};

}  // namespace dfota
