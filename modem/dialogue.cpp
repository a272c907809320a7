#include "modem/dialogue.hpp"

#include "transport/base/log.hpp"
#include "transport/base/masked.hpp"

namespace dfota {
namespace {

/// Asks before each piece: FOTA heard in the middle of a file ends it.
class GuardedSource : public DataSource {
 public:
  GuardedSource(DataSource& source, std::function<bool()> allowed) : source_(source), allowed_(std::move(allowed)) {}

  void acknowledged(std::uint64_t count) override { source_.acknowledged(count); }
  Result<std::string_view> next() override {
    if (!allowed_()) return Error(Errc::refused, "the module may be flashing; the rest of the file was not written");
    return source_.next();
  }

 private:
  DataSource& source_;
  std::function<bool()> allowed_;
};

}  // namespace

/// By what was heard up to now.
bool Dialogue::allowed(MaySend wanted) {
  hear_();
  const auto may = may_send(danger_.step, danger_.evidence);
  return may == MaySend::anything || may == wanted;
}

Awaitable<Result<AtReply>> Dialogue::say(std::string text, Clock::duration limit) {
  if (!allowed(text == "AT" ? MaySend::bare_at : MaySend::anything)) {
    co_return Error(Errc::refused, "the module may be flashing; " + masked_line(text) + " was not written");
  }
  auto reply = co_await port_.command(std::move(text), limit);
  hear_();
  co_return reply;
}

Awaitable<Result<AtReply>> Dialogue::send_file(std::string text, DataSource& source, DataLimits limits) {
  if (!allowed(MaySend::anything)) {
    co_return Error(Errc::refused, "the module may be flashing; " + masked_line(text) + " was not written");
  }
  GuardedSource guarded(source, [this] { return allowed(MaySend::anything); });
  auto reply = co_await port_.send_data(std::move(text), guarded, limits);
  hear_();
  co_return reply;
}

Awaitable<Result<void>> Dialogue::stream(std::string_view bytes) {
  if (!allowed(MaySend::package)) co_return Error(Errc::refused, "the module does not take its package any more");
  co_return co_await port_.write_raw(bytes, kStreamLimit);
}

Awaitable<Result<void>> Dialogue::synchronise() {
  for (int tries = 1;; ++tries) {
    const auto reply = co_await say("AT");
    if (reply && reply.value().ok()) break;
    if (!reply && reply.error().code != Errc::timeout) co_return reply.error();
    if (tries == kSynchroniseTries) co_return Error(Errc::timeout, "no OK to AT on " + port_.name());
  }
  for (const char* command : {"ATE0", "AT+CMEE=1"}) {
    const std::string text = command;
    const auto reply = co_await say(text);
    // A module that refuses one of them is still understood: the parser knows the echo and both kinds of error.
    if (!reply) co_return reply.error();
  }
  co_return Result<void>();
}

Awaitable<Result<Identity>> Dialogue::identify(const Profiles& profiles, std::string chosen) {
  const auto ati = co_await say("ATI");
  if (!ati) co_return ati.error();
  auto identity = parse_ati(ati.value().lines);
  if (!identity) co_return identity.error();
  const auto* profile = profiles.choose(chosen, identity.value().model);
  if (profile != nullptr && profile->version_command != "ATI") {
    const std::string ask = profile->version_command;
    const auto told = co_await say(ask);
    if (!told) co_return told.error();
    auto version = parse_version(told.value().lines);
    if (!version) co_return version.error();
    identity.value().version = std::move(version.value());
  }
  const auto gsn = co_await say("AT+GSN");
  if (!gsn) co_return gsn.error();
  const auto imei = parse_gsn(gsn.value().lines);
  if (!imei) co_return imei.error();
  identity.value().imei = imei.value();
  co_return identity;
}

Awaitable<Result<void>> Dialogue::set_pdp_context(PdpConfig pdp, PdpCommand command) {
  const std::string cid = std::to_string(pdp.cid);
  const std::string context = "AT+QICSGP=" + cid + ",1,\"" + pdp.apn + "\",\"" + pdp.user + "\",\"" + pdp.password +
                              "\"," + std::to_string(pdp.auth);
  const auto set = co_await say(context, kPdpLimit);
  if (!set) co_return set.error();
  if (!set.value().ok()) co_return Error(Errc::io, "AT+QICSGP=" + cid + " was answered by " + set.value().text);
  if (command == PdpCommand::none) co_return Result<void>();
  const std::string choose = (command == PdpCommand::fota_cid ? "AT+QCFG=\"fota/cid\"," : "AT+QFOTAPID=") + cid;
  const auto chosen = co_await say(choose, kPdpLimit);
  if (!chosen) co_return chosen.error();
  if (!chosen.value().ok()) co_return Error(Errc::io, choose + " was answered by " + chosen.value().text);
  co_return Result<void>();
}

}  // namespace dfota
