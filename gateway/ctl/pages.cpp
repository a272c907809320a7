#include "gateway/ctl/pages.hpp"

namespace dfota::ctl {
namespace {
constexpr int kMaxPages = 1'000'000;  // a gateway whose pages do not end is not followed for ever
}  // namespace

void Pages::read(Json after, Reader reader) {
  reader_ = std::move(reader);
  pages_ = 0;
  ask(std::move(after));
}

void Pages::ask(Json after) {
  Json body = page_body(after);
  const auto answer = [this, after = std::move(after)](const Json& data) { heard(after, data); };
  connection_.ask(verb_, std::move(body), answer, reader_.told);
}

void Pages::heard(const Json& after, const Json& data) {
  const auto next = data.find("next");
  if (!reader_.take(data) || next == data.end() || next->is_null()) return reader_.done();
  if (*next == after || ++pages_ == kMaxPages) {
    output_.complain("the gateway's pages do not end");
    return connection_.end(kExitNoAnswer);
  }
  ask(*next);
}

}  // namespace dfota::ctl
