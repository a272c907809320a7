// What the module's own HTTP client does for AT+QHTTPURL and AT+QHTTPGET: a real download, by the habits and with the
// network faults of one for AT+QFOTADL.
#include <asio/co_spawn.hpp>

#include "modem/simulator/http_download.hpp"
#include "modem/simulator/virtual_module.hpp"

namespace dfota::sim {
namespace {

constexpr int kBadUrl = 711;
constexpr int kTimeout = 702;
constexpr auto kLook = std::chrono::milliseconds(1);
constexpr auto kHostReads = std::chrono::seconds(60);

}  // namespace

/// Behind the first answer. A download goes on beside other commands.
Awaitable<> VirtualModule::serve(HttpOrder order) {
  switch (order.verb) {
    case HttpOrder::Verb::url:
      co_return co_await take_url(order);
    case HttpOrder::Verb::read:
      co_return co_await tell_body();
    case HttpOrder::Verb::get:
      asio::co_spawn(loop_, answer_get(order), [](std::exception_ptr bug) {
        if (bug) std::rethrow_exception(bug);
      });
  }
}

/// As fast as the host reads: what a pseudo-terminal has no room for is gone.
Awaitable<> VirtualModule::tell_body() {
  constexpr size_t kPiece = 1024;
  const auto generation = generation_;
  const auto body = std::exchange(subject_.http_body, std::nullopt).value_or("");
  const auto give_up = Clock::now() + kHostReads;
  for (size_t at = 0; at < body.size() && generation == generation_;) {
    if (unsent_.empty() && !port_->has_unread()) {
      send(std::string_view(body).substr(at, kPiece));
      at += kPiece;
    } else if (Clock::now() >= give_up) {
      co_return;
    }
    co_await sleep_for(loop_, kLook);
  }
  if (generation != generation_) co_return;
  send(framed("OK"));
  send(framed("+QHTTPREAD: 0"));
}

/// The bytes behind CONNECT are the address.
Awaitable<> VirtualModule::take_url(HttpOrder order) {
  const auto url = std::make_shared<std::string>();
  TransferRules rules;
  rules.size_bytes = order.url_bytes;
  rules.idle = std::chrono::seconds(order.timeout_s);
  const DataTransfer::Sink sink = [url](std::string_view bytes) { *url += bytes; };
  const auto transfer = std::make_shared<DataTransfer>(rules, sink, Clock::now());
  transfer_ = transfer;
  const auto generation = generation_;
  co_await transfer_end();
  if (generation != generation_) co_return;
  transfer_.reset();
  const bool whole = transfer->state() == DataTransfer::State::whole;
  subject_.http_url = whole ? *url : "";
  send(whole ? framed("OK") : at_error(kTimeout, settings_).text);
}

/// 0 or the code of +QHTTPGET.
Awaitable<int> VirtualModule::get(HttpOrder order, std::string& body) {
  const auto target = parse_url(subject_.http_url);
  if (!target) co_return kBadUrl;
  if (behaviour_.no_request) {
    co_await pause(order.timeout_s);
    co_return behaviour_.no_request_code.value_or(kTimeout);
  }
  if (behaviour_.httpend) {
    co_await pause(options_.pace.start_s);
    co_return *behaviour_.httpend;
  }
  DownloadHooks hooks;
  hooks.log = [this](std::string_view event, const Json& fields) { record(event, fields); };
  hooks.data = [&body](std::string_view bytes) { body += bytes; };
  if (behaviour_.httpend_after) hooks.at_percent = behaviour_.httpend_after->percent;
  hooks.reached = []() -> Awaitable<Step> { co_return Step::stop; };
  const auto client = std::make_shared<HttpDownload>(loop_, *target, behaviour_.client, hooks);
  const int code = co_await client->run();
  co_return code == kDownloadStopped ? behaviour_.httpend_after->code : code;
}

/// What comes of it is told behind the OK, while other commands are answered.
Awaitable<> VirtualModule::answer_get(HttpOrder order) {
  const auto generation = generation_;
  std::string body;
  const int code = co_await get(order, body);
  record("http_get", {{"code", code}, {"bytes", body.size()}});
  if (generation != generation_ || mode_ != Mode::ready) co_return;
  if (code != 0) {
    urc("+QHTTPGET: " + std::to_string(code));
    co_return;
  }
  urc("+QHTTPGET: 0,200," + std::to_string(body.size()));
  subject_.http_body = std::move(body);
}

}  // namespace dfota::sim
