#include "gateway/application.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <csignal>
#include <fstream>

#include "gateway/wiring.hpp"
#include "transport/base/log.hpp"

namespace dfota {
namespace {

namespace fs = std::filesystem;

/// A descriptor for each module and each of its transfers: the soft limit of 1024 is for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// -1 when another gateway holds it.
int lock_directory(const fs::path& directory) {
  const int lock = ::open((directory / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  if (lock >= 0) ::close(lock);
  return -1;
}

std::string first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

}  // namespace

Application::Application(Config config) : config_(std::move(config)), loop_(1), signals_(loop_) {}

Application::~Application() {
  if (api_) api_->stop(std::chrono::milliseconds(0));
  if (lock_ >= 0) ::close(lock_);
}

int Application::run() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow (LimitFSIZE) is a full disk
  raise_descriptor_limit();
  if (const int code = open(); code != kExitOk) return code;
  if (const int code = start(); code != kExitOk) return code;
  loop_.run();
  return exit_code_;
}

int Application::open() {
  const fs::path state_dir = config_.gateway.state_dir;
  std::error_code error;
  // The journal holds the jobs as they came, passwords in their URLs included.
  if (fs::create_directories(state_dir, error)) fs::permissions(state_dir, fs::perms::owner_all, error);
  if (error) {
    log::error("gateway.state_dir ", state_dir.string(), " cannot be made: ", error.message());
    return kExitJournal;
  }
  lock_ = lock_directory(state_dir);
  if (lock_ < 0) {
    log::error("another gateway holds ", state_dir.string(), "; give each its own gateway.state_dir");
    return kExitHeld;
  }
  auto journal = Journal::open(loop_, state_dir / "journal.db");
  if (!journal) {
    log::error("the journal cannot be opened: ", journal.error().message);
    return journal.error().code == Errc::busy ? kExitHeld : kExitJournal;
  }
  journal_ = std::move(journal.value());
  journal_->on_commit = [this](std::chrono::nanoseconds took, bool written) { metrics_.journal_wrote(took, written); };
  files_ = std::make_unique<FileServer>(loop_, file_server_options(config_));
  files_->on_fault = [this](const std::string& what) {
    log::error("http: ", what);
    if (api_) api_->report_fault("http_listener_down", what);
  };
  if (const auto started = files_->start(); !started) {
    log::error("http.listen: ", started.error().message);
    return kExitHeld;
  }
  return config_.ftp ? open_shelf() : kExitOk;
}

int Application::open_shelf() {
  auto shelf = FtpShelf::open(loop_, *config_.ftp);
  if (!shelf) {
    log::error("ftp.dir: ", shelf.error().message);
    return shelf.error().code == Errc::busy ? kExitHeld : kExitConfiguration;
  }
  shelf_ = std::move(shelf.value());
  return kExitOk;
}

int Application::start() {
  auto contents = journal_->take_contents();
  open_catalog();
  open_api(contents);
  open_jobs(contents);
  if (config_.admin) {
    if (const int code = open_admin(*config_.admin); code != kExitOk) return code;
  }
  api_->start(*jobs_, modules_, *artifact_commands_, *releases_, *files_, *transcripts_);
  if (admin_) admin_->show_all();
  places_->start(*jobs_);
  const auto figures = [this] { return figures_of(modules_, *jobs_, *files_, *api_); };
  asio::co_spawn(loop_, metrics_.watch(loop_, figures), rethrow);
  asio::co_spawn(loop_, catalog_->drop_lost(), rethrow);
  asio::co_spawn(loop_, incoming_->watch(), rethrow);
  wait_for_signal();
  log::notice("gateway ", config_.gateway.id, " ", DFOTA_VERSION, ": ", modules_.size(), " modules, files on ",
              config_.http.public_url, admin_ ? ", page on " + admin_->url() : std::string());
  service_manager_ = std::make_unique<ServiceManager>(loop_, *journal_, modules_, *jobs_);
  service_manager_->ready();
  return kExitOk;
}

void Application::open_api(JournalContents& contents) {
  const auto password = config_.mqtt.password_file.empty() ? std::string() : first_line(config_.mqtt.password_file);
  api_ = std::make_unique<MqttApi>(loop_, config_, password, *journal_, std::move(contents.outbox), contents.facts);
  api_->on_taken_over = [this] {
    log::error("mqtt: another client has taken our client id dfota-", config_.gateway.id,
               "; is a second gateway called so?");
    give_up(kExitTakenOver);
  };
  api_->on_forget_module = [this](const std::string& module) { return places_->forget(module); };
  journal_->on_disk = [this](const std::optional<Error>& failure) {
    if (failure) {
      api_->set_problem(MqttApi::kJournalUnavailable, failure->message);
    } else {
      api_->clear_problem(MqttApi::kJournalUnavailable);
    }
  };
  journal_->on_overrun = [this] { give_up(kExitJournal); };
  if (!journal_->set_aside().empty()) {
    log::error("the journal was broken and is kept as ", journal_->set_aside(), "; every module is listened to for ",
               config_.timeouts.progress_gap, " s before it is spoken to");
    config_.timeouts.listen = config_.timeouts.progress_gap;
    api_->set_problem("journal_corrupt", "kept as " + journal_->set_aside());
  }
  const auto report_fault = [this](const std::string& code, const std::string& message) {
    api_->report_fault(code, message);
  };
  artifact_commands_ = std::make_unique<ArtifactCommands>(config_.artifacts, *catalog_, *fetch_, report_fault);
  incoming_ = std::make_unique<Incoming>(loop_, *catalog_, report_fault);
}

void Application::open_jobs(const JournalContents& contents) {
  slots_ = std::make_unique<Slots>(loop_, config_.limits, config_.tag_limits);
  const auto known_time = contents.facts.find(ServiceTime::kFact);
  time_ = std::make_unique<ServiceTime>(known_time == contents.facts.end() ? std::string() : known_time->second);
  listeners_ = std::make_unique<JobListeners>(*api_);
  listeners_->add(metrics_);
  transcripts_ =
      std::make_unique<Transcripts>(loop_, config_.gateway.id, fs::path(config_.gateway.state_dir) / "transcripts");
  jobs_ = std::make_unique<Jobs>(Jobs::Parts{loop_, config_, modules_, *fetch_, catalog_->all(), *trust_, shelf_.get(),
                                             *slots_, *files_, *journal_, *time_, *listeners_, transcripts_.get()});
  places_ = std::make_unique<Places>(loop_, config_, modules_);
  places_->make_modules(read_module_facts(contents.facts));
  if (modules_.empty() && config_.discovery.ports.empty()) {
    log::warning("there is no [[module]], and no port in [discovery]: there is nothing to update");
  }
  jobs_->recover(contents);
}

int Application::open_admin(const AdminConfig& config) {
  admin_ = std::make_unique<Admin>(
      Admin::Parts{loop_, config_, *api_, *jobs_, modules_, *files_, *journal_, *transcripts_, metrics_});
  const auto started = admin_->start(config);
  if (started) return kExitOk;
  const bool of_address = started.error().code == Errc::busy;
  log::error(of_address ? "admin.listen: " : "admin.token_file: ", started.error().message);
  return of_address ? kExitHeld : kExitConfiguration;
}

void Application::open_catalog() {
  fetch_ = std::make_unique<Fetch>(loop_, fetch_options(config_));
  trust_ = std::make_unique<Trust>(config_.artifacts);
  const auto directory = fs::path(config_.gateway.state_dir) / "catalog";
  catalog_ = std::make_unique<Catalog>(loop_, *fetch_, *trust_, directory, config_.artifacts.incoming);
  catalog_->load();
  releases_ = std::make_unique<Releases>(catalog_->all());
  catalog_->on_changed = [this] {
    releases_->catalog_changed();
    api_->catalog_changed();
    if (admin_) admin_->catalog_changed();
  };
}

void Application::wait_for_signal() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  signals_.async_wait([this](const asio::error_code& error, int) {
    if (error) return;
    asio::co_spawn(loop_, stop(), rethrow);
  });
}

/// Nothing new starts; downloads that end within 8 s end, the others are cut at no cost; what flashes stays in the
/// journal.
Awaitable<> Application::stop() {
  log::notice("stopping");
  service_manager_->stopping();
  api_->stop_taking();
  jobs_->stop_commanding();
  const auto deadline = Clock::now() + kDrain;
  while (jobs_->downloading() > 0 && Clock::now() < deadline) {
    co_await sleep_for(loop_, std::chrono::milliseconds(50));
  }
  jobs_->interrupt();
  const auto committed = co_await journal_->committed();
  if (!committed) log::error("the journal could not be written at the end: ", committed.error().message);
  co_await transcripts_->flush();
  give_up(committed ? kExitOk : kExitJournal);
}

void Application::give_up(int code) {
  exit_code_ = code;
  api_->stop(std::chrono::milliseconds(1000));
  loop_.stop();
}

}  // namespace dfota
