// A gateway with four modules beside the model of what it may do: time passes in it, everything comes to rest between
// two seconds, and the gateway can die and begin again. What happens in it: jobs_acts.hpp. Test's thread.
#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/gateway_life.hpp"
#include "tests/support/jobs_model.hpp"
#include "tests/support/quick_module.hpp"
#include "tests/support/temp_dir.hpp"
#include "transport/base/clock.hpp"
#include "transport/sha256.hpp"

namespace dfota::test {

class JobsWorld {
 public:
  explicit JobsWorld(unsigned limits) {
    std::filesystem::create_directories(state_dir() / "artifacts");
    const std::string delta(kDeltaBytes, 'd');
    Sha256 hash;
    hash.update(delta);
    sha256_ = hash.hex();
    std::ofstream(state_dir() / "artifacts" / sha256_) << delta;
    configure(limits);
    begin_life();
  }

  [[nodiscard]] JobsModel& model() { return model_; }
  [[nodiscard]] GatewayLife& life() { return *life_; }
  [[nodiscard]] QuickModule& module(unsigned number) { return *rack_[number % kModules]; }
  [[nodiscard]] const std::string& sha256() const { return sha256_; }
  [[nodiscard]] bool failed() const { return !model_.fault().empty(); }
  [[nodiscard]] WallTime wall() const {
    return born_ + std::chrono::duration_cast<WallTime::duration>(Clock::now() - begun_);
  }
  static constexpr std::size_t kModules = 4;

  /// Until nothing is ready, nothing waits for the disk or an answer, and no byte is under way. The time stands still.
  void settle() {
    const auto give_up = std::chrono::steady_clock::now() + kWatchdog;
    for (bool at_rest = false; !at_rest && !failed();) {
      while ((turn(kMostHandlers) > 0 || under_way()) && std::chrono::steady_clock::now() < give_up) {
        std::this_thread::yield();
      }
      at_rest = write_down(give_up) <= GatewayLife::kIdleHandlers;
      if (std::chrono::steady_clock::now() > give_up) model_.blame("it does not come to rest");
    }
    if (failed()) return;
    model_.settled();
    compare();
  }

  void pass(unsigned seconds) {
    for (unsigned i = 0; i < seconds && !failed(); ++i) {
      tick();
      settle();
      for (auto& module : rack_) module->step();
      settle();
    }
  }

  void tick() {
    clock_.advance(std::chrono::seconds(1));
    model_.now += 1;
  }

  /// At most so many handlers of the loop; what reaches a module is seen in the order in which it was written. How much
  /// there was to do.
  unsigned turn(unsigned handlers) {
    life_->loop().restart();
    unsigned did = look() ? 1 : 0;
    for (unsigned ran = 0; ran < handlers && life_->loop().poll_one() > 0; ++ran) {
      look();
      ++did;
    }
    return did;
  }

  /// Takes what the modules were told, and what they have got.
  bool look() {
    bool any = false;
    for (auto& module : rack_) any = module->pump() || any;
    know();
    return any;
  }

  enum class Death {
    whole,  ///< all that was put gets to the disk, and nobody hears of it
    torn,   ///< what was put since `before` does not
    tidy,   ///< as at SIGTERM
  };
  using Files = std::map<std::filesystem::path, std::string>;
  /// The journal as it is on the disk; everything is settled.
  [[nodiscard]] Files journal_files() const {
    Files files;
    for (const auto& entry : std::filesystem::directory_iterator(state_dir())) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      files[entry.path()] = std::string(std::istreambuf_iterator<char>(in), {});
    }
    return files;
  }
  void die(Death death, const Files& before = {}) {
    if (death == Death::tidy) stop();
    life_.reset();
    if (death == Death::torn) {
      for (const auto& entry : std::filesystem::directory_iterator(state_dir())) {
        if (entry.is_regular_file()) std::filesystem::remove(entry.path());
      }
      for (const auto& [path, bytes] : before) std::ofstream(path, std::ios::binary) << bytes;
    }
    for (auto& module : rack_) {
      module->pump();
      module->forget_order();
    }
    know();
    begin_life();
  }

 private:
  static constexpr std::size_t kDeltaBytes = 100;
  static constexpr unsigned kMostHandlers = 20000;
  static constexpr auto kWatchdog = std::chrono::seconds(10);  ///< of real time, for one settling

  [[nodiscard]] std::filesystem::path state_dir() const { return dir_.path() / "state"; }

  static std::string imei_of(std::size_t number) {
    std::string imei = "8612345678901" + std::to_string(number % 10);
    int sum = 0;
    for (std::size_t i = 0; i < imei.size(); ++i) {
      const int digit = (imei[i] - '0') * (i % 2 == 1 ? 2 : 1);
      sum += digit / 10 + digit % 10;
    }
    return imei + static_cast<char>('0' + (10 - sum % 10) % 10);
  }

  void configure(unsigned limits) {
    config_.gateway.id = "g";
    config_.gateway.state_dir = state_dir().string();
    config_.limits = {1 + limits % 3, 1 + limits / 3 % 4};
    config_.tag_limits = {{"a", std::nullopt, 1 + limits / 12 % 2, 1}, {"b", 1, std::nullopt}};
    config_.retry.backoff_s = 2;
    config_.modem.poll_s = 1000;
    auto& timeouts = config_.timeouts;
    timeouts.listen = 1;
    timeouts.start = 15;
    timeouts.download = 40;
    timeouts.reboot = 10;
    timeouts.progress_gap = 20;
    timeouts.update = 60;
    timeouts.absent = 10;
    constexpr unsigned kAny = kModules;
    model_.limits = {config_.limits.downloads,
                     config_.limits.updates,
                     {{"a", {kAny, *config_.tag_limits[0].updates}}, {"b", {1, kAny}}}};
    const std::vector<std::vector<std::string>> tags = {{"a"}, {"a", "b"}, {"b"}, {}};
    for (std::size_t i = 0; i < kModules; ++i) {
      const auto id = "m" + std::to_string(i);
      rack_.push_back(std::make_unique<QuickModule>(id, imei_of(i)));
      auto& module = *rack_.back();
      module.on_fault = [this](const std::string& what) { model_.blame(what); };
      module.on_flash = [this, id](const QuickModule::Order& order) { model_.flashes(order.job, id); };
      module.on_order = [this, id](QuickModule& one, const QuickModule::Order& order) {
        know();
        model_.require(!one.may_flash(), id + ": AT+QFOTADL while the one before may flash");
        model_.ordered(order.job, id);
      };
      config_.modules.push_back({id, module.port(), "", tags[i]});
      model_.modules[id].tags = tags[i];
    }
  }

  void begin_life() {
    GatewayLife::Told told;
    told.part_ended = [this](const Job& job, const Part& part) {
      look();
      model_.ended(job.id(), job.run, part.module, std::string(to_word(part.result->outcome)));
    };
    told.job_ended = [this](const Job& job) { model_.job_ended(job.id(), job.run, std::string(to_word(job.state()))); };
    told.attempt_over = [this](const Job& job, const Part& part) {
      for (auto& module : rack_) {
        if (module->id() == part.module && module->order().job == job.id()) module->forget_order();
      }
    };
    life_ = std::make_unique<GatewayLife>(
        config_, [this] { return wall(); }, std::move(told));
    for (auto& module : rack_) module->learn(life_->files().port(), kDeltaBytes);
    std::vector<std::pair<JobsModel::Key, std::string>> journalled;
    for (const auto& row : life_->outbox()) {
      const auto told_of = nlohmann::json::parse(row.payload);
      journalled.emplace_back(JobsModel::Key{row.job, told_of.at("run"), told_of.at("module")}, told_of.at("outcome"));
    }
    model_.died(journalled);
    life_->start();
  }

  /// Until all that was put is on the disk; how much there was to do.
  unsigned write_down(std::chrono::steady_clock::time_point give_up) {
    life_->wait_for_disk();
    unsigned did = turn(kMostHandlers);
    while (life_->waits_for_disk() && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
      did += turn(kMostHandlers);
    }
    return did;
  }

  /// As the application does at SIGTERM, without the 8 s in which downloads may end.
  void stop() {
    life_->jobs().stop_commanding();
    life_->jobs().interrupt();
    write_down(std::chrono::steady_clock::now() + kWatchdog);
  }

  void know() {
    for (const auto& module : rack_) {
      auto& known = model_.modules[module->id()];
      const auto& order = module->order();
      const auto job = model_.jobs.find(order.job);
      // One that was given up has no place any more, whatever it still does.
      const bool over = job == model_.jobs.end() || model_.outcome_of(order.job, job->second.run, module->id());
      known.busy = module->busy() && !over;
      // One that stands by for its last byte loads nothing any more.
      const bool stands_by = life_ && life_->files().look(module->order().token).last_byte_wanted;
      known.downloading = module->downloading() && !over && !stands_by;
      known.version = module->version();
    }
  }

  [[nodiscard]] bool under_way() const {
    if (life_->owes_answers()) return true;
    for (const auto& module : rack_) {
      const auto* download = module->download();
      if (!module->downloading() || download == nullptr) continue;
      const auto transfer = life_->files().look(module->order().token);
      if (transfer.size == 0 || transfer.released) return true;  // it is about to be cut, or complete
      if (download->bytes() + 1 < transfer.size || !transfer.last_byte_wanted) return true;
    }
    const auto& jobs = life_->jobs().all();
    return std::any_of(jobs.begin(), jobs.end(), [](const auto& entry) {
      const auto& deltas = entry.second->deltas;
      return !entry.second->ended() &&
             std::any_of(deltas.begin(), deltas.end(), [](const auto& delta) { return !delta.second.here; });
    });
  }

  /// What the gateway says of its jobs is what the model knows of them.
  void compare() {
    for (const auto& [id, job] : model_.jobs) {
      const auto* said = life_->jobs().find(id);
      model_.require((said != nullptr) == (job.accepted && !job.forgotten), "job " + id + ": is there, or is not");
      if (said == nullptr) continue;
      model_.seen(id, said->run, std::string(to_word(said->state())));
      for (const auto& part : said->parts) {
        const auto outcome = part->result ? std::optional(std::string(to_word(part->result->outcome))) : std::nullopt;
        model_.require(outcome == model_.outcome_of(id, said->run, part->module),
                       "job " + id + ", module " + part->module + ": its outcome is another now");
      }
    }
  }

  TempDir dir_;
  SteppedClock clock_;
  const Clock::time_point begun_ = Clock::now();
  const WallTime born_ = std::chrono::system_clock::now();
  std::string sha256_;
  Config config_;
  std::vector<std::unique_ptr<QuickModule>> rack_;
  JobsModel model_;
  std::unique_ptr<GatewayLife> life_;
};

}  // namespace dfota::test
