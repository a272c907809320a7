#include "gateway/ctl/transcript.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

#include "gateway/ctl/pages.hpp"
#include "gateway/ctl/text.hpp"
#include "gateway/transcript_line.hpp"

namespace dfota::ctl {
namespace {

class Transcript : public Call {
 public:
  Transcript(const TranscriptCall& call, Connection& connection, Output& output)
      : call_(call), connection_(connection), output_(output), pages_(connection, output, "transcript") {}

  void begin() override {
    Pages::Reader reader;
    reader.body = transcript_body(call_.module, call_.job);
    reader.take = [this](const std::string&, const Json& data) {
      take(data);
      return !output_.broken();
    };
    reader.done = [this] { finish(); };
    pages_.read(nullptr, std::move(reader));
  }

 private:
  void take(const Json& data) {
    const auto head = data.find("head");
    if (!begun_ && head != data.end() && head->is_object()) tell(*head, transcript_head_text(*head));
    begun_ = true;
    const auto lines = data.find("lines");
    if (lines == data.end() || !lines->is_array()) return;
    for (const auto& event : *lines) tell(event, transcript_event_text(event));
  }

  void tell(const Json& document, const std::string& text) {
    const auto line = transcript_line(document);
    if (!call_.file.empty()) {
      recorded_ += line + "\n";
    } else if (output_.json()) {
      output_.json_line(line);
    } else {
      output_.line(text);
    }
  }

  void finish() {
    if (call_.file.empty()) return connection_.end(output_.broken() ? kExitNotWell : kExitWell);
    std::ofstream file(call_.file, std::ios::binary | std::ios::trunc);
    file << recorded_;
    file.close();
    if (!file) output_.complain(call_.file + " cannot be written");
    connection_.end(file ? kExitWell : kExitNotWell);
  }

  const TranscriptCall& call_;
  Connection& connection_;
  Output& output_;
  Pages pages_;
  std::string recorded_;
  bool begun_ = false;
};

std::string or_unknown(const std::string& text) {
  return text.empty() ? "?" : text;
}

Json member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? Json() : *found;
}

std::string file_text(const Json& file) {
  const bool released = member(file, "released") == Json(true);
  return "our file server: " + text(file, "delivered") + " of " + text(file, "size") + " bytes delivered, its last " +
         (released ? "released" : "held back");
}

std::string error_text(const Json& error) {
  const std::string code = text(error, "code"), word = text(error, "name"), message = text(error, "message");
  std::string line = "error " + code;
  if (word != code) line += " " + word;
  line += ": " + text(error, "meaning");
  if (!message.empty()) line += " (" + message + ")";
  return line;
}

/// What is no line of the dialogue itself.
std::string note_text(const Json& event) {
  constexpr std::array<std::pair<const char*, const char*>, 7> kNotes = {{{"open", "port opened: "},
                                                                          {"closed", "port closed: "},
                                                                          {"attempt", "attempt "},
                                                                          {"hop", "hop "},
                                                                          {"step", ""},
                                                                          {"outcome", "outcome: "},
                                                                          {"dropped", "left out here, events: "}}};
  for (const auto& [key, before] : kNotes) {
    if (event.contains(key)) return before + text(event, key);
  }
  if (event.contains("file")) return file_text(member(event, "file"));
  if (event.contains("error")) return error_text(member(event, "error"));
  return dumped(event);
}

}  // namespace

std::string transcript_head_text(const Json& head) {
  return "module " + text(head, "module") + ", job " + text(head, "job") + ", run " + text(head, "run") + ": " +
         or_unknown(text(head, "model")) + " IMEI " + or_unknown(text(head, "imei")) + ", " +
         or_unknown(text(head, "from")) + " -> " + or_unknown(text(head, "to")) + " by " + text(head, "delivery") +
         ", begun " + text(head, "started_at");
}

std::string transcript_event_text(const Json& event) {
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%10.3f  ", event.is_object() ? number(event, "t").value_or(0) : 0);
  constexpr std::array<std::pair<const char*, char>, 5> kSpoken = {
      {{"cmd", '>'}, {"line", '<'}, {"final", '<'}, {"urc", '*'}, {"noise", '?'}}};
  const std::string at = time.data();
  if (!event.is_object()) return at + "-  " + dumped(event);
  for (const auto& [key, who] : kSpoken) {
    if (event.contains(key)) return at + who + "  " + text(event, key);
  }
  if (event.contains("data")) return at + ">  " + text(event, "data") + " bytes of data";
  return at + "-  " + note_text(event);
}

std::unique_ptr<Call> make_transcript(const TranscriptCall& call, Connection& connection, Output& output) {
  return std::make_unique<Transcript>(call, connection, output);
}

}  // namespace dfota::ctl
