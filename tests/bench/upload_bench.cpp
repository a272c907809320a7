// How much of a line's rate an upload uses: upload_file with its commands, its acknowledgements and its checks, beside
// a bare loop in the same run that writes the same bytes to the same module without acknowledgements. Prints a Markdown
// table; asserts nothing.
#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <thread>

#include "modem/upload.hpp"
#include "tests/bench/slow_module.hpp"

using namespace dfota;

namespace {

constexpr auto kTick = std::chrono::microseconds(500);
constexpr auto kPatience = std::chrono::minutes(10);
constexpr auto kName = "UFS:bench.bin";

struct File {
  std::filesystem::path path;
  std::string bytes;
};

/// One module, with what talks to it.
class Subject {
 public:
  Subject(asio::io_context& loop, unsigned baud, unsigned number)
      : module_(baud),
        changed_(loop),
        port_(loop, module_.port(), LinkOptions(), changed_, "module m" + std::to_string(number)),
        dialogue_(port_, danger_, [this] { hear(); }) {}

  bench::SlowModule& module() { return module_; }
  [[nodiscard]] const std::string& fault() const { return fault_; }
  /// Of the last run, from the first command to the last answer.
  [[nodiscard]] double bytes_per_second() const { return rate_; }

  Awaitable<> run(const File& file, bool bare) {
    const auto opened = co_await port_.open();
    if (!opened) {
      fault_ = opened.error().message;
      co_return;
    }
    const auto began = std::chrono::steady_clock::now();
    Result<void> done;
    if (bare) {
      done = co_await write_bare(file.bytes);
    } else {
      done = co_await upload(file.path);
    }
    if (!done) fault_ = done.error().message;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    rate_ = static_cast<double>(file.bytes.size()) / took.count();
  }

 private:
  void hear() {
    while (const auto line = port_.take_unsolicited()) ended_ = ended_ || *line == "OK";
  }

  Awaitable<Result<void>> upload(std::filesystem::path file) {
    UploadOrder order;
    order.file = file;
    order.name = kName;
    order.storage = "UFS";
    UploadSource::Progress none;
    co_return co_await upload_file(dialogue_, order, none);
  }

  Awaitable<Result<void>> write_bare(std::string_view bytes) {
    const std::string command = "AT+QFUPL=\"" + std::string(kName) + "\"," + std::to_string(bytes.size()) + ",5,0";
    const auto reply = co_await port_.command(command, kFileLimit);
    if (!reply) co_return reply.error();
    const auto written = co_await port_.write_raw(bytes, kPatience);
    if (!written) co_return written.error();
    const auto deadline = Clock::now() + kPatience;
    for (hear(); !ended_; hear()) {
      if (Clock::now() >= deadline) co_return Error(Errc::timeout, "the bare loop was not answered");
      co_await changed_.wait_until(deadline);
    }
    co_return Result<void>();
  }

  bench::SlowModule module_;
  Signal changed_;
  ModulePort port_;
  Danger danger_;
  Dialogue dialogue_;
  bool ended_ = false;
  std::string fault_;
  double rate_ = 0;
};

/// The rate of the slowest of `count` modules that are served at once.
double measure(unsigned baud, unsigned count, const File& file, bool bare) {
  asio::io_context loop{1};
  std::vector<std::unique_ptr<Subject>> subjects;
  for (unsigned number = 0; number < count; ++number) subjects.push_back(std::make_unique<Subject>(loop, baud, number));
  std::atomic<bool> over = false;
  std::thread line([&] {
    for (auto next = std::chrono::steady_clock::now(); !over; next += kTick) {
      const auto now = std::chrono::steady_clock::now();
      for (const auto& subject : subjects) subject->module().step(now);
      std::this_thread::sleep_until(next);
    }
  });
  unsigned left = count;
  for (const auto& subject : subjects) {
    asio::co_spawn(loop, subject->run(file, bare), [&](const std::exception_ptr&) {
      if (--left == 0) loop.stop();
    });
  }
  loop.run();
  over = true;
  line.join();
  double slowest = 1e12;
  for (const auto& subject : subjects) {
    if (!subject->fault().empty()) std::cerr << "upload_bench: " << subject->fault() << '\n';
    slowest = std::min(slowest, subject->fault().empty() ? subject->bytes_per_second() : 0);
  }
  return slowest;
}

File make_file(const std::filesystem::path& path, std::size_t size) {
  File file;
  file.path = path;
  std::mt19937 random(20141104);
  for (std::size_t i = 0; i < size; ++i) file.bytes += static_cast<char>(random());
  std::ofstream(path, std::ios::binary) << file.bytes;
  return file;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<unsigned> bauds = {115200, 921600};
  std::vector<unsigned> counts = {1, 8};
  double seconds = 10;
  CLI::App options("How much of a line's rate an upload uses.");
  options.add_option("--bauds", bauds, "of the lines, with commas between them")->delimiter(',');
  options.add_option("--counts", counts, "of modules at once, with commas between them")->delimiter(',');
  options.add_option("--seconds", seconds, "of each run, at the line's rate");
  CLI11_PARSE(options, argc, argv);

  char directory[] = "/tmp/dfota-bench-XXXXXX";
  if (::mkdtemp(directory) == nullptr) return 1;
  std::cout << "Each run is " << seconds << " s of the line at its rate; the slowest module counts; "
            << std::thread::hardware_concurrency() << " CPUs.\n\n"
            << "| baud | modules | bytes each | upload_file bytes/s | of the line's rate | bare loop bytes/s "
               "| of the line's rate | upload / bare |\n|---|---|---|---|---|---|---|---|\n";
  for (const unsigned baud : bauds) {
    const double rate = baud / 10.0;
    const auto file =
        make_file(std::filesystem::path(directory) / "delta.bin", static_cast<std::size_t>(rate * seconds));
    for (const unsigned count : counts) {
      const double upload = measure(baud, count, file, false);
      const double bare = measure(baud, count, file, true);
      std::printf("| %u | %u | %zu | %.0f | %.1f %% | %.0f | %.1f %% | %.3f |\n", baud, count, file.bytes.size(),
                  upload, 100 * upload / rate, bare, 100 * bare / rate, bare > 0 ? upload / bare : 0);
      std::fflush(stdout);
    }
  }
  std::filesystem::remove_all(directory);
}
