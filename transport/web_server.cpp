#include "transport/web_server.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "transport/http_door.hpp"
#include "transport/web_body.hpp"
#include "transport/web_outlet.hpp"
#include "transport/web_render.hpp"
#include "transport/web_request.hpp"

namespace dfota {
namespace {

constexpr std::size_t kMaxDrainedBytes = std::size_t{64} << 20;

/// A whole head on its way to a worker.
struct Visit {
  Descriptor socket;
  std::string rest;
  WebCall call;
};

/// Signals stay with the threads of main.
template <class Work>
std::thread quiet_thread(Work work) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(work));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

WebAnswer busy_answer(const std::string& message) {
  auto answer = web_refusal(503, "busy", message);
  answer.headers.emplace_back("Retry-After", "2");
  return answer;
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(WebServer& server, WebServerOptions options, Handler handler);
  ~Impl();
  Result<void> start();

  asio::io_context& loop() { return loop_; }
  HttpDoor& door() { return door_; }
  WebOutlets& outlets() { return outlets_; }

 private:
  HttpDoorOptions door_options() const;
  void take(HttpDoor::Visitor& visitor);
  void work();
  std::optional<Visit> next_visit();
  void serve(Visit visit);
  WebAnswer ask_handler(const WebCall& call, SocketBody& body);
  void begin_stream(Descriptor socket, WebAnswer answer);

  const WebServerOptions options_;
  const Handler handler_;
  const std::function<void(const std::string&)> fault_;
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  WebOutlets outlets_;
  HttpDoor door_;

  std::mutex mutex_;
  std::condition_variable visit_or_end_;
  std::deque<Visit> visits_;  // with mutex_
  std::set<int> served_;      // with mutex_: the sockets of which a worker may be reading a body
  bool ending_ = false;       // with mutex_
  std::atomic<unsigned> saving_{0};

  std::vector<std::thread> workers_;
  std::thread web_thread_;
};

WebServer::Impl::Impl(WebServer& server, WebServerOptions options, Handler handler)
    : options_(std::move(options)),
      handler_(std::move(handler)),
      fault_([&server](const std::string& line) {
        if (server.on_fault) server.on_fault(line);
      }),
      outlets_(
          loop_, {options_.max_answer_bytes, options_.stall_limit},
          [this](Descriptor socket) { door_.part(std::move(socket)); }, fault_),
      door_(
          loop_, door_options(),
          [this](HttpDoor::Visitor& visitor) {
            take(visitor);
            return true;
          },
          fault_) {}

WebServer::Impl::~Impl() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    visits_.clear();
    for (const int socket : served_) ::shutdown(socket, SHUT_RDWR);
  }
  visit_or_end_.notify_all();
  for (auto& worker : workers_) worker.join();
  loop_.stop();
  if (web_thread_.joinable()) web_thread_.join();
}

HttpDoorOptions WebServer::Impl::door_options() const {
  HttpDoorOptions door;
  door.name = "admin page";
  door.key = "admin.listen";
  door.host = options_.host;
  door.port = options_.port;
  door.max_pending_heads = options_.max_pending_heads;
  door.max_pending_heads_per_source = options_.max_pending_heads;
  door.head_limit = options_.head_limit;
  door.refusal =
      render(web_refusal(400, "invalid",
                         "the head of the request is malformed, or over " + std::to_string(kMaxHeadBytes) + " bytes"),
             options_.headers, false);
  door.overdue =
      render(web_refusal(408, "timeout", "the head of the request did not come in time"), options_.headers, false);
  door.max_drained_bytes = kMaxDrainedBytes;
  return door;
}

Result<void> WebServer::Impl::start() {
  if (auto open = door_.open(); !open) return open;
  try {
    web_thread_ = quiet_thread([this] { loop_.run(); });
    for (std::size_t i = 0; i < options_.workers; ++i) workers_.push_back(quiet_thread([this] { work(); }));
  } catch (const std::system_error& error) {
    return Error(Errc::io, std::string("admin page: no thread: ") + error.what());
  }
  return {};
}

/// Web thread.
void WebServer::Impl::take(HttpDoor::Visitor& visitor) {
  auto read = read_call(visitor.head, visitor.source);
  std::optional<WebAnswer> refusal;
  if (auto* answer = std::get_if<WebAnswer>(&read)) refusal = std::move(*answer);
  if (!refusal) {
    const std::lock_guard lock(mutex_);
    if (visits_.size() < options_.waiting) {
      visits_.push_back({std::move(visitor.socket), std::move(visitor.rest), std::move(std::get<WebCall>(read))});
    } else {
      refusal = busy_answer("too many requests at once: try again");
    }
  }
  if (refusal) {
    const bool head_only = visitor.head.method == "HEAD";
    outlets_.send(std::move(visitor.socket), render(*refusal, options_.headers, head_only));
  } else {
    visit_or_end_.notify_one();
  }
}

void WebServer::Impl::work() {
  while (auto visit = next_visit()) serve(std::move(*visit));
}

std::optional<Visit> WebServer::Impl::next_visit() {
  std::unique_lock lock(mutex_);
  visit_or_end_.wait(lock, [this] { return ending_ || !visits_.empty(); });
  if (ending_) return std::nullopt;
  std::optional<Visit> visit(std::move(visits_.front()));
  visits_.pop_front();
  served_.insert(visit->socket.get());
  return visit;
}

void WebServer::Impl::serve(Visit visit) {
  SocketBody body(visit.socket.get(), std::move(visit.rest), visit.call, options_, saving_);
  auto answer = ask_handler(visit.call, body);
  {
    const std::lock_guard lock(mutex_);
    served_.erase(visit.socket.get());
  }
  if (answer.events && !visit.call.head_only) {
    return asio::post(loop_, [this, socket = std::move(visit.socket), answer = std::move(answer)]() mutable {
      begin_stream(std::move(socket), std::move(answer));
    });
  }
  auto response = answer.events ? render_stream_head(answer, options_.headers)
                                : render(answer, options_.headers, visit.call.head_only);
  asio::post(loop_, [this, socket = std::move(visit.socket), response = std::move(response)]() mutable {
    outlets_.send(std::move(socket), std::move(response));
  });
}

WebAnswer WebServer::Impl::ask_handler(const WebCall& call, SocketBody& body) {
  std::string what;
  try {
    return handler_(call.request, body);
  } catch (const std::exception& error) {
    what = error.what();
  }
  asio::post(loop_, [this, line = "admin page: " + call.request.method + " " + call.request.path + ": " + what] {
    fault_(line);
  });
  return web_refusal(500, "internal", "this is a fault of the gateway: its log says more");
}

/// Web thread.
void WebServer::Impl::begin_stream(Descriptor socket, WebAnswer answer) {
  if (outlets_.streams() >= options_.streams) {
    const auto refusal = busy_answer("too many streams of events are open: try again");
    return outlets_.send(std::move(socket), render(refusal, options_.headers, false));
  }
  auto head = render_stream_head(answer, options_.headers);
  outlets_.stream(std::move(socket), std::move(head), std::move(answer.events));
}

WebServer::WebServer(WebServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(*this, std::move(options), std::move(handler))) {}

WebServer::~WebServer() = default;

Result<void> WebServer::start() {
  return impl_->start();
}

std::uint16_t WebServer::port() const {
  return impl_->door().port();
}

asio::io_context& WebServer::loop() {
  return impl_->loop();
}

void WebServer::wake() {
  impl_->outlets().wake();
}

std::size_t WebServer::streams() const {
  return impl_->outlets().streams();
}

}  // namespace dfota
