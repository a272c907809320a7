// The rack's evidence: one JSON object a line, each written whole and at once, so a reader that follows the file never
// waits for a buffer. {"ts": Unix seconds, "module": "m3", "event": "urc", ...}. On the loop's thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.hpp"

namespace dfota::sim {

using Json = nlohmann::ordered_json;

class EventLog {
 public:
  /// Writes to a descriptor that outlives the log.
  explicit EventLog(int descriptor) : descriptor_(descriptor) {}
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// From now on events go to this file (appended) instead.
  Result<void> redirect(const std::string& path);
  /// Until release() the lines wait in memory, so that another line can be the first of the stream.
  void hold() { holding_ = true; }
  void release();
  /// `module` empty: an event of the whole rack. `fields` is an object, appended after the event's name.
  void write(std::string_view module, std::string_view event, const Json& fields = Json::object());

 private:
  int descriptor_;
  bool owned_ = false;
  bool holding_ = false;
  std::vector<Json> held_;
};

/// One JSON line on any descriptor; invalid UTF-8 is replaced.
void write_json_line(int descriptor, const Json& line);

}  // namespace dfota::sim
