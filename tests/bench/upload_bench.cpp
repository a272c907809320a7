// How much of a line's rate an upload uses: upload_file() to the modules of a dfota-rack that throttles its ports,
// beside the bare line in the same run: the same bytes to the same modules at once and without acknowledgements. The
// time is the rack's, from its CONNECT to its +QFUPL. Prints a Markdown table; asserts nothing.
#include <CLI/CLI.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>

#include "modem/upload.hpp"
#include "tests/support/rack.hpp"
#include "transport/base/log.hpp"
#include "transport/sha256.hpp"

using namespace dfota;

namespace {

constexpr auto kName = "UFS:bench.bin";
constexpr auto kPatience = std::chrono::minutes(10);
constexpr double kSpeed = 10'000;  ///< of the modules' own pauses, which are not the line's
constexpr double kBitsPerByte = 10;

struct File {
  std::filesystem::path path;
  std::string bytes;
  std::string sha256;
};

/// One module of the rack, with what talks to it.
class Subject {
 public:
  Subject(asio::io_context& loop, const std::string& port, const std::string& name)
      : changed_(loop),
        port_(loop, port, LinkOptions(), changed_, "module " + name),
        dialogue_(port_, danger_, [this] { hear(); }) {}

  [[nodiscard]] const std::string& fault() const { return fault_; }
  /// upload_file(), from the first of its commands to the last answer.
  [[nodiscard]] double upload_s() const { return upload_s_; }

  Awaitable<> run(const File& file) {
    const auto done = co_await upload_twice(file);
    if (!done) fault_ = port_.subject() + ": " + done.error().message;
  }

 private:
  void hear() {
    while (const auto line = port_.take_unsolicited()) ended_ = ended_ || *line == "OK";
  }

  /// The rack's log tells the two apart by their order.
  Awaitable<Result<void>> upload_twice(const File& file) {
    const auto opened = co_await port_.open();
    if (!opened) co_return opened.error();
    const auto synchronised = co_await dialogue_.synchronise();
    if (!synchronised) co_return synchronised.error();
    UploadOrder order;
    order.file = file.path;
    order.name = kName;
    order.storage = "UFS";
    UploadSource::Progress none;
    const auto began = std::chrono::steady_clock::now();
    const auto uploaded = co_await upload_file(dialogue_, order, none);
    if (!uploaded) co_return uploaded.error();
    upload_s_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const auto removed = co_await remove_file(dialogue_, order.name);
    if (!removed) co_return removed.error();
    co_return co_await write_bare(file.bytes);
  }

  Awaitable<Result<void>> write_bare(std::string_view bytes) {
    const std::string command = "AT+QFUPL=\"" + std::string(kName) + "\"," + std::to_string(bytes.size()) + ",5,0";
    const auto reply = co_await port_.command(command, kFileLimit);
    if (!reply) co_return reply.error();
    if (reply->final != AtEvent::Kind::connect) co_return Error(Errc::io, command + " was answered by " + reply->text);
    const auto deadline = Clock::now() + kPatience;
    const auto written = co_await port_.write_raw(bytes, kPatience);
    if (!written) co_return written.error();
    for (hear(); !ended_; hear()) {
      if (!port_.is_open()) co_return Error(Errc::link_lost, "the port hung up in the bare upload");
      if (Clock::now() >= deadline) co_return Error(Errc::timeout, "the bare upload was not answered");
      co_await changed_.wait_until(deadline);
    }
    co_return Result<void>();
  }

  Signal changed_;
  ModulePort port_;
  Danger danger_;
  Dialogue dialogue_;
  bool ended_ = false;
  std::string fault_;
  double upload_s_ = 0;
};

/// Bytes per second of the slowest module; 0: it did not work.
struct Rates {
  double upload = 1e12;
  double with_commands = 1e12;
  double bare = 1e12;
};

/// By the rack's log: the transfer of that number, which must have arrived as it was sent.
double logged_rate(test::Rack& rack, const std::string& module, std::size_t number, const File& file) {
  const auto begins = rack.events(module, "upload_begin");
  const auto ends = rack.events(module, "uploaded");
  if (begins.size() <= number || ends.size() <= number) return 0;
  const auto& end = ends[number];
  if (end["end"] != "whole" || end["sha256"] != file.sha256) return 0;
  return static_cast<double>(file.bytes.size()) / (end["ts"].get<double>() - begins[number]["ts"].get<double>());
}

Rates measure(int baud, int count, const File& file) {
  test::Rack::Options options;
  options.modules = count;
  options.speed = kSpeed;
  options.baud = baud;
  test::Rack rack(options);
  asio::io_context loop{1};
  std::vector<std::unique_ptr<Subject>> subjects;
  int left = count;
  for (int number = 0; number < count; ++number) {
    subjects.push_back(std::make_unique<Subject>(loop, rack.port(number), "m" + std::to_string(number)));
    asio::co_spawn(loop, subjects.back()->run(file), [&](const std::exception_ptr& bug) {
      if (bug) std::rethrow_exception(bug);
      if (--left == 0) loop.stop();
    });
  }
  loop.run();
  rack.stop();
  Rates slowest;
  for (int number = 0; number < count; ++number) {
    const auto& subject = *subjects[static_cast<std::size_t>(number)];
    if (!subject.fault().empty()) std::cerr << "upload_bench: " << subject.fault() << '\n';
    const auto module = "m" + std::to_string(number);
    const bool whole = subject.upload_s() > 0;
    slowest.upload = std::min(slowest.upload, logged_rate(rack, module, 0, file));
    slowest.with_commands =
        std::min(slowest.with_commands, whole ? static_cast<double>(file.bytes.size()) / subject.upload_s() : 0);
    slowest.bare = std::min(slowest.bare, logged_rate(rack, module, 1, file));
  }
  return slowest;
}

File make_file(const std::filesystem::path& path, std::size_t size) {
  File file;
  file.path = path;
  std::mt19937 random(20141104);
  for (std::size_t i = 0; i < size; ++i) file.bytes += static_cast<char>(random());
  std::ofstream(path, std::ios::binary) << file.bytes;
  Sha256 hash;
  hash.update(file.bytes);
  file.sha256 = hash.hex();
  return file;
}

void run(const std::vector<int>& bauds, const std::vector<int>& counts, double seconds) {
  const test::TempDir dir;
  std::cout << "Each transfer is " << seconds << " s of the line at its rate, from the rack's CONNECT to its +QFUPL; "
            << "the slowest module counts; " << std::thread::hardware_concurrency() << " CPUs.\n\n"
            << "| baud | modules | line bytes/s | bytes each | upload_file bytes/s | of the line | with its commands "
               "| bare line bytes/s | of the line | upload / bare |\n|---|---|---|---|---|---|---|---|---|---|\n";
  for (const int baud : bauds) {
    const double line = baud / kBitsPerByte;
    const auto file = make_file(dir.path() / "delta.bin", static_cast<std::size_t>(line * seconds));
    for (const int count : counts) {
      const auto rates = measure(baud, count, file);
      std::printf("| %d | %d | %.0f | %zu | %.0f | %.2f %% | %.2f %% | %.0f | %.2f %% | %.4f |\n", baud, count, line,
                  file.bytes.size(), rates.upload, 100 * rates.upload / line, 100 * rates.with_commands / line,
                  rates.bare, 100 * rates.bare / line, rates.bare > 0 ? rates.upload / rates.bare : 0);
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<int> bauds = {115200, 921600};
  std::vector<int> counts = {1, 8};
  double seconds = 10;
  CLI::App options("How much of a line's rate an upload uses.");
  options.add_option("--bauds", bauds, "of the lines, with commas between them")->delimiter(',');
  options.add_option("--counts", counts, "of modules at once, with commas between them")->delimiter(',');
  options.add_option("--seconds", seconds, "of each transfer, at the line's rate");
  CLI11_PARSE(options, argc, argv);
  log::set_level(log::Level::warning);
  try {
    run(bauds, counts, seconds);
  } catch (const std::exception& failure) {
    std::cerr << "upload_bench: " << failure.what() << '\n';
    return 1;
  }
}
