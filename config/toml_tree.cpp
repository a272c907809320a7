#include "config/toml_tree.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <string_view>

namespace dfota {
namespace {

// Deeper than any key of ours: what lies below belongs to a key that is refused as a whole.
constexpr int kMaxDepth = 16;
// toml++ recurses once for each level of a dotted key, without a bound of its own.
constexpr std::size_t kMaxLineBytes = 16 * 1024;

Place place_of(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

TomlValue convert(const toml::node& node, int depth) {
  TomlValue value;
  value.place = place_of(node.source());
  switch (node.type()) {
    case toml::node_type::string:
      value.kind = TomlValue::Kind::string;
      value.text = node.as_string()->get();
      break;
    case toml::node_type::integer:
      value.kind = TomlValue::Kind::integer;
      value.integer = node.as_integer()->get();
      break;
    case toml::node_type::floating_point:
      value.kind = TomlValue::Kind::fraction;
      value.fraction = node.as_floating_point()->get();
      break;
    case toml::node_type::boolean:
      value.kind = TomlValue::Kind::boolean;
      value.boolean = node.as_boolean()->get();
      break;
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
    case toml::node_type::none:
      value.kind = TomlValue::Kind::date;
      break;
    case toml::node_type::array:
      value.kind = TomlValue::Kind::array;
      if (depth == kMaxDepth) break;
      for (const toml::node& item : *node.as_array()) value.children.push_back(convert(item, depth + 1));
      break;
    case toml::node_type::table:
      value.kind = TomlValue::Kind::table;
      if (depth == kMaxDepth) break;
      for (const auto& [key, item] : *node.as_table()) {
        TomlValue child = convert(item, depth + 1);
        child.key = std::string(key.str());
        child.key_place = place_of(key.source());
        value.children.push_back(std::move(child));
      }
      break;
  }
  return value;
}

unsigned line_too_long(const std::string& text) {
  unsigned line = 1;
  for (std::size_t start = 0; start < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (end - start > kMaxLineBytes) return line;
    start = end + 1;
  }
  return 0;
}

}  // namespace

bool TomlValue::is_table_array() const {
  return kind == Kind::array && !children.empty() && std::ranges::all_of(children, &TomlValue::is_table);
}

const char* TomlValue::kind_name() const {
  switch (kind) {
    case Kind::string:
      return "a string";
    case Kind::integer:
      return "an integer";
    case Kind::fraction:
      return "a fraction";
    case Kind::boolean:
      return "a boolean";
    case Kind::date:
      return "a date or time";
    case Kind::array:
      return is_table_array() ? "an array of tables" : "an array";
    case Kind::table:
      return "a table";
  }
  return "";
}

std::variant<TomlValue, TomlSyntaxError> parse_toml(const std::string& text) {
  if (const unsigned line = line_too_long(text)) {
    return TomlSyntaxError{{line, 1}, "this line is longer than " + std::to_string(kMaxLineBytes) + " bytes: split it"};
  }
  try {
    TomlValue root = convert(toml::parse(std::string_view(text)), 0);
    root.place = {1, 1};
    return root;
  } catch (const toml::parse_error& error) {
    return TomlSyntaxError{place_of(error.source()), "this is not TOML: " + std::string(error.description())};
  }
}

}  // namespace dfota
