// A TOML text as plain values, each with its place in the file. Wraps toml++, which nobody else includes; the rest of
// config/ reads this tree. No I/O, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace dfota {

/// Counted from 1, as editors do; line 0: the file as a whole.
struct Place {
  unsigned line = 0, column = 0;
  auto operator<=>(const Place&) const = default;
};

/// One value. Of a table's child `key` is its name; `children` are those of a table or of an array.
struct TomlValue {
  enum class Kind { string, integer, fraction, boolean, date, array, table };
  Kind kind = Kind::table;
  std::string key;
  Place key_place;
  Place place{1, 1};
  std::string text;
  std::int64_t integer = 0;
  double fraction = 0;
  bool boolean = false;
  std::vector<TomlValue> children;

  [[nodiscard]] bool is_table() const { return kind == Kind::table; }
  /// [[name]]: an array that holds tables and nothing else.
  [[nodiscard]] bool is_table_array() const;
  /// "a string", "an integer", ...: for messages.
  [[nodiscard]] const char* kind_name() const;
};

/// Where the text stops being TOML, and why.
struct TomlSyntaxError {
  Place place;
  std::string message;
};

/// The root table, or the first syntax error: the parser stops there.
std::variant<TomlValue, TomlSyntaxError> parse_toml(const std::string& text);

}  // namespace dfota
