#include "gateway/ctl/rehearsal.hpp"

#include "gateway/ctl/text.hpp"

namespace dfota::ctl {
namespace {

class Rehearsal : public Call {
 public:
  Rehearsal(const RehearseCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output) {}

  void begin() override {
    Connection::Question question{"rehearse", rehearse_body(call_.module, call_.size), nullptr};
    question.answer = [this](const std::string&, const Json& data) {
      for (const auto& line : rehearsal_lines(data)) output_.line(line);
      went_well_ = rehearsal_went_well(data);
    };
    question.done = [this] { connection_.end(went_well_ ? kExitWell : kExitNotWell); };
    question.patient = true;
    connection_.ask(std::move(question));
  }

 private:
  const RehearseCall& call_;
  Connection& connection_;
  Output& output_;
  bool went_well_ = false;
};

Json object_of(const Json& data, const char* key) {
  const auto it = data.find(key);
  return it != data.end() && it->is_object() ? *it : Json::object();
}

bool truth(const Json& data, const char* key) {
  const auto it = data.find(key);
  return it != data.end() && it->is_boolean() && it->get<bool>();
}

}  // namespace

bool rehearsal_went_well(const Json& data) {
  return truth(data, "reached") && object_of(data, "error").empty();
}

std::vector<std::string> rehearsal_lines(const Json& data) {
  const std::string name = text(data, "module") + ": ", url = text(data, "url");
  std::vector<std::string> lines;
  if (const auto error = object_of(data, "error"); !error.empty()) {
    const std::string code = text(error, "code"), word = text(error, "name"), message = text(error, "message");
    std::string line = name + "did not fetch the file: " + code;
    if (word != code) line += " " + word;
    line += ": " + text(error, "meaning");
    if (!message.empty()) line += " (" + message + ")";
    lines.push_back(line);
    lines.push_back(name + (truth(data, "reached") ? "its request reached " : "no request of it reached ") + url);
    if (const auto hint = text(error, "hint"); !hint.empty()) lines.push_back(name + hint);
    return lines;
  }
  lines.push_back(name + "reaches " + url + " over its PDP context");
  const auto rate = number(data, "bytes_per_second");
  if (rate) {
    lines.push_back(name + text(data, "bytes") + " bytes in " + time_text(number(data, "duration_s")) + ", " +
                    rate_text(rate));
  }
  const auto eta = number(data, "eta_s");
  if (eta) lines.push_back(name + "a delta of " + text(data, "size") + " bytes would take about " + time_text(eta));
  return lines;
}

std::unique_ptr<Call> make_rehearsal(const RehearseCall& call, Connection& connection, Output& output) {
  return std::make_unique<Rehearsal>(call, connection, output);
}

}  // namespace dfota::ctl
