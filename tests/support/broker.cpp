#include "tests/support/broker.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>

namespace dfota::test {

Broker::Broker(Options options) : options_(std::move(options)), port_(free_port()) {
  if (options_.start) start();
}

void Broker::start() {
  {
    std::ofstream file(dir_ / "mosquitto.conf");
    // As root it would change its user, who may not write here.
    file << "listener " << port_
         << " 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nlog_dest stderr\nlog_type all\n"
         << "user root\nmax_queued_messages 100000\n";
    if (options_.persistence) file << "persistence true\npersistence_location " << dir_.path().string() << "/\n";
    file << options_.extra << "\n";
  }
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
