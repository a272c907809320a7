#include "gateway/json_guard.hpp"

#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

namespace dfota {
namespace {
using nlohmann::json;

/// The length of the UTF-8 sequence at the begin of `text` (RFC 3629, table of section 4), 0 if there is none.
std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  const auto tail = [&](std::size_t at, unsigned low = 0x80, unsigned high = 0xbf) {
    return byte(at) >= low && byte(at) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;   // else overlong
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;  // else a surrogate
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;  // else above U+10FFFF
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = utf8_sequence(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::string at_byte(std::size_t offset) {
  return " at byte " + std::to_string(offset);
}

/// The part of the library's message that explains and does not quote: between its position and "; last read: '...'".
std::string reason(const std::string& what) {
  const auto begin = what.find("syntax error");
  if (begin == std::string::npos) return "a number is out of range";
  return what.substr(begin, what.find("; last read:") - begin);
}

/// Walks the text without building anything, and stops at the first fault. Returning false stops the parser.
class Walker final : public nlohmann::json_sax<json> {
 public:
  explicit Walker(int max_depth) : max_depth_(static_cast<std::size_t>(max_depth)) {}

  std::optional<JsonFault> fault;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t) override { return value(); }
  bool number_unsigned(number_unsigned_t) override { return value(); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool string(string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return enter(false); }
  bool start_array(std::size_t) override { return enter(true); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool key(string_t& name) override {
    Container& object = open_.back();
    object.key = name;
    if (object.keys.insert(name).second) return true;
    fault = JsonFault{"duplicate_key", "the key stands there twice", pointer()};
    return false;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& what) override {
    const auto offset = position == 0 ? 0 : position - 1;  // the library counts the bytes that it has read
    fault = JsonFault{"not_json", reason(what.what()) + at_byte(offset), pointer()};
    return false;
  }

 private:
  struct Container {
    bool array;
    std::size_t index = 0;
    std::optional<std::string> key = std::nullopt;
    std::unordered_set<std::string> keys = {};
  };

  bool value() {
    if (!open_.empty()) ++open_.back().index;
    return true;
  }
  bool enter(bool array) {
    if (open_.size() >= max_depth_) {
      fault = JsonFault{"too_deep", "nested deeper than " + std::to_string(max_depth_), pointer()};
      return false;
    }
    open_.push_back(Container{array});
    return true;
  }
  bool leave() {
    open_.pop_back();
    return value();
  }

  [[nodiscard]] std::string pointer() const {
    std::string text;
    for (const auto& container : open_) {
      if (container.array) {
        text += '/' + std::to_string(container.index);
      } else if (container.key) {
        text += '/';
        for (const char c : *container.key) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
      }
    }
    return text;
  }

  std::size_t max_depth_;
  std::vector<Container> open_;
};

std::optional<JsonFault> fault_of_bytes(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes)
    return JsonFault{"too_large",
                     std::to_string(text.size()) + " bytes, and " + std::to_string(max_bytes) + " are allowed", ""};
  if (const auto bad = first_bad_utf8(text)) return JsonFault{"not_utf8", "no UTF-8" + at_byte(*bad), ""};
  if (text.starts_with("\xef\xbb\xbf")) return JsonFault{"not_json", "a byte order mark" + at_byte(0), ""};
  // The library takes a NUL for the end, and what follows it for nothing.
  if (const auto nul = text.find('\0'); nul != text.npos) return JsonFault{"not_json", "a NUL" + at_byte(nul), ""};
  return std::nullopt;
}
}  // namespace

std::variant<json, JsonFault> parse_untrusted(std::string_view text, std::size_t max_bytes, int max_depth) {
  if (auto fault = fault_of_bytes(text, max_bytes)) return std::move(*fault);
  Walker walker(max_depth);
  if (!json::sax_parse(text, &walker)) {
    if (walker.fault) return std::move(*walker.fault);
    return JsonFault{"not_json", "no JSON", ""};
  }
  return json::parse(text, nullptr, false);
}

std::string dump(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

// nlohmann::json keeps its objects sorted by key.
std::string canonical(const json& document) {
  return dump(document);
}

}  // namespace dfota
