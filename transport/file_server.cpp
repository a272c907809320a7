#include "transport/file_server.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "transport/even_time.hpp"
#include "transport/file_server_answer.hpp"
#include "transport/file_server_offer.hpp"
#include "transport/http_door.hpp"

namespace dfota {
namespace {

constexpr std::size_t kStackBytes = 256 * 1024;
// A module that lost its connection asks again while we still wait for the old one: so a few for each token, and of
// more the oldest is cut. Threads are bounded by twice this, for those that are being cut, times the number of offers.
constexpr std::size_t kMaxRequestsPerToken = 4;
constexpr std::size_t kMaxThreadsPerToken = 2 * kMaxRequestsPerToken;
constexpr std::size_t kMaxNameBytes = 128;

/// Only what a module can write in a URL, and what is the same with and without percent-encoding.
bool is_segment(const std::string& text) {
  constexpr auto kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.size() <= kMaxNameBytes && text.find_first_not_of(kAllowed) == std::string::npos &&
         text.find_first_not_of('.') != std::string::npos;
}

/// Tokens are found by a hash that nobody outside can predict, and compared in a time that does not depend on where
/// they differ.
struct SaltedHash {
  SaltedHash() { [[maybe_unused]] const auto got = ::getrandom(&salt, sizeof salt, 0); }
  std::size_t operator()(const std::string& token) const {
    std::string salted(reinterpret_cast<const char*>(&salt), sizeof salt);
    return std::hash<std::string>()(salted + token);
  }
  std::uint64_t salt = 0;
};

struct EvenTimeEqual {
  bool operator()(const std::string& a, const std::string& b) const { return even_time_equal(a, b); }
};

Error system_error(Errc code, const std::string& what) {
  return Error(code, what + ": " + std::strerror(errno));
}

void* run_thread(void* argument) {
  auto& connection = *static_cast<Connection*>(argument);
  answer(connection);
  connection.on_end();
  return nullptr;
}

/// 0 or an errno. Signals stay with the threads of main.
int start_thread(Connection& connection) {
  pthread_attr_t attributes;
  if (const int error = ::pthread_attr_init(&attributes); error != 0) return error;
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = ::pthread_create(&connection.thread, &attributes, run_thread, &connection);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  return error;
}

HttpDoorOptions door_options(const FileServerOptions& options) {
  HttpDoorOptions door;
  door.name = "file server";
  door.key = "http.listen";
  door.host = options.host;
  door.port = options.port;
  door.max_pending_heads = options.max_pending_heads;
  door.max_pending_heads_per_source = options.max_pending_heads_per_source;
  door.head_limit = options.head_limit;
  door.refusal =
      "HTTP/1.1 404 Not Found\r\n"
      "Content-Length: 0\r\n"
      "Connection: close\r\n"
      "\r\n";
  return door;
}

void cut(Connection& connection) {
  connection.cut = true;
  discard_on_close(connection.socket.get());
  ::shutdown(connection.socket.get(), SHUT_RDWR);
}

}  // namespace

class FileServer::Impl {
 public:
  Impl(FileServer& server, asio::io_context& loop, FileServerOptions options)
      : loop_(loop),
        options_(options),
        door_(
            loop, door_options(options),
            [this](HttpDoor::Visitor& visitor) {
              const bool served = serve(visitor);
              ++(served ? totals_.served : totals_.refused);
              return served;
            },
            [&server](const std::string& line) {
              if (server.on_fault) server.on_fault(line);
            }) {}
  ~Impl();

  Result<void> offer(const std::string& token, const std::string& name, const std::filesystem::path& file,
                     std::function<void()> on_change);
  Transfer look(const std::string& token);
  FileServerTotals totals();
  void release(const std::string& token);
  bool revoke(const std::string& token);
  HttpDoor& door() { return door_; }

 private:
  std::shared_ptr<Offer> find(const std::string& target) const;
  bool serve(HttpDoor::Visitor& visitor);
  void account(Offer& offer, const Connection& connection);
  void retire(Connection* connection);
  void tell(const std::shared_ptr<Offer>& offer);
  static void changed(const std::shared_ptr<Offer>& offer);

  asio::io_context& loop_;
  const FileServerOptions options_;
  std::unordered_map<std::string, std::shared_ptr<Offer>, SaltedHash, EvenTimeEqual> offers_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  FileServerTotals totals_;
  std::shared_ptr<Impl*> self_ = std::make_shared<Impl*>(this);  // what is posted holds it weakly
  HttpDoor door_;
};

FileServer::Impl::~Impl() {
  for (const auto& [token, offer] : offers_) offer->gate.revoke();
  for (const auto& [key, connection] : connections_) cut(*connection);
  for (const auto& [key, connection] : connections_) ::pthread_join(connection->thread, nullptr);
}

Result<void> FileServer::Impl::offer(const std::string& token, const std::string& name,
                                     const std::filesystem::path& file, std::function<void()> on_change) {
  if (!is_segment(token) || !is_segment(name)) {
    return Error(Errc::invalid, "offer " + name + ": token and name must be of letters, digits, '.', '_' and '-'");
  }
  if (offers_.contains(token)) return Error(Errc::refused, "offer " + name + ": its token is in use");
  const std::string what = "offer " + file.string();
  Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.valid()) return system_error(errno == ENOENT ? Errc::absent : Errc::io, what);
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) return system_error(Errc::io, what);
  if (!S_ISREG(status.st_mode)) return Error(Errc::invalid, what + ": not a regular file");
  if (status.st_size == 0) return Error(Errc::invalid, what + ": it is empty");
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return system_error(Errc::io, what);
  offers_.emplace(token, std::make_shared<Offer>(name, std::move(opened), static_cast<std::uint64_t>(status.st_size),
                                                 std::move(event), std::move(on_change)));
  return {};
}

Transfer FileServer::Impl::look(const std::string& token) {
  Transfer result;
  const auto found = offers_.find(token);
  if (found == offers_.end()) return result;
  Offer& offer = *found->second;
  for (const Connection* connection : offer.connections) {
    account(offer, *connection);
    if (connection->waits_for_release && !offer.gate.may_pass()) result.last_byte_wanted = true;
  }
  result.size = offer.size;
  result.delivered_bytes = offer.delivered.bytes();
  result.requests = offer.requests;
  result.open_connections = static_cast<unsigned>(offer.connections.size());
  result.released = offer.gate.may_pass();
  result.complete = result.delivered_bytes == result.size;
  result.peer = offer.peer;
  return result;
}

void FileServer::Impl::account(Offer& offer, const Connection& connection) {
  const auto before = offer.delivered.bytes();
  offer.account(connection);
  totals_.delivered_bytes += offer.delivered.bytes() - before;
}

FileServerTotals FileServer::Impl::totals() {
  for (const auto& [key, connection] : connections_) account(*connection->offer, *connection);
  totals_.open_connections = connections_.size();
  return totals_;
}

void FileServer::Impl::release(const std::string& token) {
  const auto found = offers_.find(token);
  if (found != offers_.end()) found->second->gate.release();
}

bool FileServer::Impl::revoke(const std::string& token) {
  const auto found = offers_.find(token);
  if (found == offers_.end()) return true;
  const auto offer = found->second;  // kept by its threads, too, until the last has ended
  offers_.erase(found);
  const bool was_held = offer->gate.revoke();
  for (Connection* connection : offer->connections) cut(*connection);
  return was_held;
}

std::shared_ptr<Offer> FileServer::Impl::find(const std::string& target) const {
  const std::string prefix = "/a/";
  if (!target.starts_with(prefix)) return nullptr;
  const auto slash = target.find('/', prefix.size());
  if (slash == std::string::npos) return nullptr;
  const auto found = offers_.find(target.substr(prefix.size(), slash - prefix.size()));
  if (found == offers_.end() || target.substr(slash + 1) != found->second->name) return nullptr;
  return found->second;
}

bool FileServer::Impl::serve(HttpDoor::Visitor& visitor) {
  auto head = request_head(visitor.head);
  if (head.method == RequestHead::Method::other || head.announces_body) return false;
  const auto offer = find(head.target);
  if (!offer) return false;
  door_.trust(visitor.source);
  auto& open = offer->connections;
  if (open.size() >= kMaxThreadsPerToken) return false;
  if (static_cast<std::size_t>(std::count_if(open.begin(), open.end(), [](auto* c) { return !c->cut; })) >=
      kMaxRequestsPerToken) {
    cut(**std::find_if(open.begin(), open.end(), [](auto* c) { return !c->cut; }));
  }

  auto connection = std::make_unique<Connection>();
  auto* key = connection.get();
  connection->socket = std::move(visitor.socket);
  connection->source = std::move(visitor.source);
  connection->rest = std::move(visitor.rest);
  connection->range = resolve_range(head, offer->size);
  connection->head = std::move(head);
  connection->offer = offer;
  connection->stall_limit = options_.stall_limit;
  connection->on_last_byte_wanted = [this, offer] { tell(offer); };
  connection->on_end = [&loop = loop_, self = std::weak_ptr(self_), key] {
    asio::post(loop, [self, key] {
      if (const auto impl = self.lock()) (*impl)->retire(key);
    });
  };
  offer->peer = connection->source;
  if (connection->head.method == RequestHead::Method::get) ++offer->requests;
  if (const int error = start_thread(*connection); error != 0) {
    door_.fault("file server: no thread for a download, its connection is cut", error);
    return true;
  }
  open.push_back(key);
  connections_.emplace(key, std::move(connection));
  tell(offer);
  return true;
}

void FileServer::Impl::retire(Connection* key) {
  const auto entry = connections_.find(key);
  const auto connection = std::move(entry->second);
  connections_.erase(entry);
  ::pthread_join(connection->thread, nullptr);
  const auto offer = connection->offer;
  account(*offer, *connection);
  std::erase(offer->connections, key);
  if (!connection->clean || connection->cut) {
    discard_on_close(connection->socket.get());
  } else if (connection->head.keep_alive) {
    door_.admit(std::move(connection->socket), connection->source, std::move(connection->rest));
  } else {
    door_.part(std::move(connection->socket));
  }
  changed(offer);
}

/// Any thread.
void FileServer::Impl::tell(const std::shared_ptr<Offer>& offer) {
  asio::post(loop_, [offer] { changed(offer); });
}

void FileServer::Impl::changed(const std::shared_ptr<Offer>& offer) {
  if (offer->gate.revoked() || !offer->on_change) return;
  const auto on_change = offer->on_change;  // it may revoke the offer, or end the server
  on_change();
}

FileServer::FileServer(asio::io_context& loop, FileServerOptions options)
    : impl_(std::make_unique<Impl>(*this, loop, std::move(options))) {}

FileServer::~FileServer() = default;

Result<void> FileServer::start() {
  return impl_->door().open();
}

std::uint16_t FileServer::port() const {
  return impl_->door().port();
}

bool FileServer::listening() const {
  return impl_->door().accepts();
}

std::string FileServer::make_token() {
  std::array<unsigned char, 16> bits{};
  // Cannot fail: at most 256 bytes are given at once, and the kernel's generator is ready before any daemon.
  [[maybe_unused]] const auto got = ::getrandom(bits.data(), bits.size(), 0);
  constexpr auto kDigits = "0123456789abcdef";
  std::string token;
  for (const auto byte : bits) {
    token += kDigits[byte >> 4];
    token += kDigits[byte & 15];
  }
  return token;
}

Result<void> FileServer::offer(const std::string& token, const std::string& name, const std::filesystem::path& file,
                               std::function<void()> on_change) {
  return impl_->offer(token, name, file, std::move(on_change));
}

Transfer FileServer::look(const std::string& token) const {
  return impl_->look(token);
}

FileServerTotals FileServer::totals() const {
  return impl_->totals();
}

void FileServer::release(const std::string& token) {
  impl_->release(token);
}

bool FileServer::revoke(const std::string& token) {
  return impl_->revoke(token);
}

}  // namespace dfota
