#include "gateway/ctl/pages.hpp"

namespace dfota::ctl {
namespace {
constexpr int kMaxPages = 1'000'000;  // a gateway whose pages do not end is not followed for ever
}  // namespace

void Pages::read(Json after, Reader reader) {
  reader_ = std::move(reader);
  next_.clear();
  pages_ = 0;
  ask(after, {});
}

void Pages::ask(const Json& after, std::vector<std::string> of) {
  Connection::Question question{verb_, page_body(after, reader_.body), nullptr};
  question.answer = [this, after](const std::string& gateway, const Json& data) { heard(after, gateway, data); };
  question.done = [this] { round_ended(); };
  question.told = reader_.told;
  question.of = std::move(of);
  connection_.ask(std::move(question));
}

void Pages::heard(const Json& after, const std::string& gateway, const Json& data) {
  const auto next = data.find("next");
  if (!reader_.take(gateway, data) || next == data.end() || next->is_null()) return;
  if (*next == after || ++pages_ == kMaxPages) {
    output_.complain("the gateway's pages do not end");
    return connection_.end(kExitNoAnswer);
  }
  next_[gateway] = *next;
}

/// The first page is asked of all at once, the others of one gateway after the other: each has its own cursor.
void Pages::round_ended() {
  if (next_.empty()) return reader_.done();
  const auto more = next_.extract(next_.begin());
  ask(more.mapped(), {more.key()});
}

}  // namespace dfota::ctl
