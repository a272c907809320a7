#include "tests/support/broker.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>

namespace dfota::test {

Broker::Broker(Options options) : options_(std::move(options)), port_(free_port()) {
  if (options_.start) start();
}

std::string Broker::configuration() const {
  // As root it would change its user, who may not write here.
  const std::string ours = "log_dest stderr\nlog_type all\nuser root\n";
  const std::string here = "listener " + std::to_string(port_) + " 127.0.0.1\n";
  if (!options_.whole.empty()) {
    const std::string theirs = "listener 8883\n";
    const auto at = options_.whole.find(theirs);
    if (at == std::string::npos) throw std::runtime_error("no listener 8883 in mosquitto.conf");
    return std::string(options_.whole).replace(at, theirs.size(), here) + ours;
  }
  std::string text = here + "allow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 100000\n" + ours;
  if (options_.persistence) text += "persistence true\npersistence_location " + dir_.path().string() + "/\n";
  return text + options_.extra + "\n";
}

void Broker::start() {
  std::ofstream(dir_ / "mosquitto.conf") << configuration();
  process_ = std::make_unique<Process>(std::vector<std::string>{"mosquitto", "-c", dir_ / "mosquitto.conf"});
  if (!process_->wait_for_err(" running")) throw std::runtime_error("mosquitto did not start: " + process_->err());
}

void Broker::stop() {
  if (process_) process_->terminate();
}

void Broker::kill() {
  if (process_) process_->kill();
}

void Broker::restart() {
  stop();
  start();
}

void Broker::freeze() const {
  process_->signal(SIGSTOP);
}
void Broker::thaw() const {
  process_->signal(SIGCONT);
}

}  // namespace dfota::test
