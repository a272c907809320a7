#include "tests/support/ftp_server.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace dfota::test {
namespace {

// Fields of the transfer log (xferlog(5)): five of the time, seconds, host, bytes, file, type, action, direction, ...
constexpr std::size_t kBytesField = 7, kFileField = 8, kDirectionField = 11;

std::string hash_of(const std::string& password) {
  Process openssl({"openssl", "passwd", "-6", password});
  if (openssl.wait() != 0 || !openssl.wait_for_out("\n")) throw std::runtime_error("openssl passwd: " + openssl.err());
  const std::string line = openssl.out();
  return line.substr(0, line.find('\n'));
}

std::string own_user() {
  const passwd* entry = ::getpwuid(::geteuid());
  if (entry == nullptr) throw std::runtime_error("proftpd needs a user with a name");
  return entry->pw_name;
}

std::string own_group() {
  const group* entry = ::getgrgid(::getegid());
  if (entry == nullptr) throw std::runtime_error("proftpd needs a group with a name");
  return entry->gr_name;
}

}  // namespace

FtpServer::FtpServer(Options options)
    : options_(std::move(options)), directory_(dir_.path() / "srv"), port_(free_port()) {
  std::filesystem::create_directory(directory_);
  if (options_.start) start();
}

// It stays the user that runs the tests, also when that is root: another one could not read the test's directory.
void FtpServer::write_configuration() const {
  const std::string users = dir_ / "users";
  std::ofstream(users) << options_.user << ":" << hash_of(options_.password) << ":" << ::geteuid() << ":" << ::getegid()
                       << "::" << directory_.string() << ":/bin/false\n";
  if (::chmod(users.c_str(), 0600) != 0) throw std::runtime_error("chmod " + users);
  std::ofstream(dir_ / "proftpd.conf") << "ServerName test\nServerType standalone\nDefaultAddress 127.0.0.1\nPort "
                                       << port_ << "\nUseIPv6 off\nUseReverseDNS off\nUser " << own_user() << "\nGroup "
                                       << own_group() << "\nAuthOrder mod_auth_file.c\nAuthUserFile " << users
                                       << "\nRequireValidShell off\nRootLogin on\nControlsEngine off\n"
                                       << "DelayEngine off\nWtmpLog off\nDebugLevel 2\nPidFile " << (dir_ / "pid")
                                       << "\nScoreboardFile " << (dir_ / "scoreboard") << "\nTransferLog "
                                       << (dir_ / "transfers") << "\n"
                                       << options_.extra << "\n";
}

void FtpServer::start() {
  write_configuration();
  process_ =
      std::make_unique<Process>(std::vector<std::string>{"proftpd", "--nodaemon", "--config", dir_ / "proftpd.conf"});
  if (!process_->wait_for_err("standalone mode STARTUP")) {
    throw std::runtime_error("proftpd did not start: " + process_->err());
  }
}

void FtpServer::stop() {
  if (process_) process_->terminate();
}

std::string FtpServer::url(const std::string& name) const {
  return "ftp://" + options_.user + ":" + options_.password + "@127.0.0.1:" + std::to_string(port_) + "/" + name;
}

std::vector<FtpServer::Transfer> FtpServer::transfers() const {
  std::vector<Transfer> found;
  std::ifstream file(dir_ / "transfers");
  std::string line;
  while (std::getline(file, line) && !file.eof()) {
    std::istringstream words(line);
    const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
    if (fields.size() <= kDirectionField || fields[kDirectionField] != "o") continue;
    Transfer transfer;
    transfer.name = std::filesystem::path(fields[kFileField]).filename();
    transfer.bytes = std::stoull(fields[kBytesField]);
    transfer.complete = fields.back() == "c";
    found.push_back(transfer);
  }
  return found;
}

}  // namespace dfota::test
