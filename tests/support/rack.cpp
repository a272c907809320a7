#include "tests/support/rack.hpp"

#include <stdexcept>

namespace dfota::test {
namespace {

std::vector<std::string> arguments(const Rack::Options& options, const TempDir& dir) {
  std::vector<std::string> argv = {program("dfota-rack"), "--dir", dir.path().string(), "--speed",
                                   std::to_string(options.speed)};
  if (options.modules > 0) argv.insert(argv.end(), {"--count", std::to_string(options.modules)});
  for (const auto& file : options.replays) argv.insert(argv.end(), {"--replay", file});
  if (!options.replays.empty()) {
    argv.insert(argv.end(), {"--replay-speed", std::to_string(options.replay_speed)});
  }
  if (options.baud > 0) argv.insert(argv.end(), {"--baud", std::to_string(options.baud)});
  if (options.tcp) argv.insert(argv.end(), {"--tcp", "127.0.0.1:0"});
  const std::pair<const char*, const std::string*> settings[] = {{"--version", &options.version},
                                                                 {"--model", &options.model},
                                                                 {"--profiles-dir", &options.profiles_dir},
                                                                 {"--efs", &options.efs}};
  for (const auto& [name, value] : settings) {
    if (!value->empty()) argv.insert(argv.end(), {name, *value});
  }
  for (const auto& fault : options.faults) argv.insert(argv.end(), {"--fault", fault});
  return argv;
}

}  // namespace

std::string kept_transcript(const std::string& name) {
  return std::string(DFOTA_SOURCE_DIR) + "/tests/transcripts/" + name + ".jsonl";
}

std::string program(const std::string& name) {
  std::string path = std::string(DFOTA_BINARY_DIR) + "/" + name;
  if (!std::filesystem::exists(path)) throw std::runtime_error(path + " is not built");
  return path;
}

Rack::Rack(const Options& options) {
  if (options.prepare) options.prepare(dir_.path());
  process_ = std::make_unique<Process>(arguments(options, dir_));
  if (!wait_for([](const Json& event) { return event["event"] == "rack_ready"; })) {
    throw std::runtime_error("dfota-rack did not start: " + process_->err());
  }
  for (int module = 0; module < options.all(); ++module) {
    const auto name = "m" + std::to_string(module);
    ports_.push_back(options.tcp ? wait_for(name, "ready").value()["port"].get<std::string>() : dir_ / name);
  }
}

void Rack::parse(const std::string& text) {
  for (auto end = text.find('\n', parsed_bytes_); end != std::string::npos; end = text.find('\n', parsed_bytes_)) {
    events_.push_back(Json::parse(text.begin() + static_cast<std::ptrdiff_t>(parsed_bytes_),
                                  text.begin() + static_cast<std::ptrdiff_t>(end)));
    parsed_bytes_ = end + 1;
  }
}

const std::vector<Rack::Json>& Rack::events() {
  parse(process_->out());
  return events_;
}

std::vector<Rack::Json> Rack::events(const std::string& module, const std::string& event) {
  std::vector<Json> found;
  for (const auto& line : events()) {
    if (line.value("module", "") == module && line["event"] == event) found.push_back(line);
  }
  return found;
}

std::optional<Rack::Json> Rack::wait_for(const Predicate& fits, std::chrono::milliseconds limit) {
  std::size_t next = 0;
  std::optional<Json> found;
  process_->wait_for_out(
      [&](const std::string& text) {
        parse(text);
        for (; next < events_.size() && !found; ++next) {
          if (fits(events_[next])) found = events_[next];
        }
        return found.has_value();
      },
      limit);
  return found;
}

std::optional<Rack::Json> Rack::wait_for(const std::string& module, const std::string& event) {
  return wait_for([&](const Json& line) { return line.value("module", "") == module && line["event"] == event; });
}

bool Rack::wait_for_urc(const std::string& module, const std::string& text) {
  return wait_for([&](const Json& line) {
           return line.value("module", "") == module && line["event"] == "urc" &&
                  line.value("text", "").find(text) != std::string::npos;
         })
      .has_value();
}

void Rack::stop() {
  process_->terminate();
}

Rack::Json Rack::summary(const std::string& module) {
  const auto summaries = events(module, "summary");
  if (summaries.size() != 1) throw std::runtime_error("no summary of " + module + ": stop the rack first");
  return summaries.front();
}

int Rack::qfotadl(const std::string& module) {
  return summary(module)["qfotadl"];
}

std::string Rack::version(const std::string& module) {
  return summary(module)["version"];
}

std::vector<std::string> Rack::written_while_flashing(const std::string& module) {
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  for (const auto& event : events(module, "bytes_while_flashing")) {
    texts.push_back(event["text"]);
    bytes += event["count"].get<std::size_t>();
  }
  if (bytes != summary(module)["bytes_while_flashing"].get<std::size_t>()) throw std::runtime_error("the log has gaps");
  return texts;
}

}  // namespace dfota::test
