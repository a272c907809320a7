#include "config/section.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "config/checks.hpp"
#include "config/closest.hpp"

namespace dfota {
namespace {

std::string number_text(double value) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

std::string range_text(const std::string& least, const std::string& most, const std::string& unit) {
  return "must be from " + least + " to " + most + (unit.empty() ? "" : " " + unit);
}

// A section is named by its header, a key by itself.
Place name_place(const TomlValue& value) {
  return value.is_table() || value.is_table_array() ? value.place : value.key_place;
}

std::string written(const TomlValue& value) {
  if (value.is_table_array()) return "[[" + printable(value.key) + "]]";
  return "[" + printable(value.key) + "]";
}

}  // namespace

std::string resolved(const std::string& path, const std::filesystem::path& base) {
  return path.empty() ? path : (base / path).lexically_normal().string();
}

ConfigFaults FaultList::sorted() const {
  ConfigFaults faults = faults_;
  std::ranges::stable_sort(faults, {},
                           [](const ConfigFault& fault) { return std::tie(fault.file, fault.line, fault.column); });
  return faults;
}

Section::Section(const TomlValue* table, std::string name, std::string title, Place place, bool broken,
                 FaultList& faults)
    : table_(table),
      name_(std::move(name)),
      title_(std::move(title)),
      place_(place),
      broken_(broken),
      faults_(&faults) {}

Section Section::child(const std::string& key) {
  const std::string name = name_.empty() ? key : name_ + "." + key;
  const std::string title = "[" + name + "]";
  const TomlValue* value = ask(key);
  if (!value) return {nullptr, name, title, {1, 1}, broken_, *faults_};
  if (!value->is_table()) {
    const char* hint = value->is_table_array() ? ", written once with single brackets, not [[" : ", not ";
    fault_at(value->place, key,
             "must be a section " + title + hint + (value->is_table_array() ? name + "]]" : value->kind_name()));
    return {nullptr, name, title, value->place, true, *faults_};
  }
  return {value, name, title, value->place, false, *faults_};
}

std::vector<Section> Section::children(const std::string& key) {
  const TomlValue* value = ask(key);
  if (!value) return {};
  const std::string title = "[[" + key + "]]";
  const bool empty_array = value->kind == TomlValue::Kind::array && value->children.empty();
  if (!value->is_table_array() && !empty_array) {
    const std::string found = value->is_table() ? "[" + key + "]" : value->kind_name();
    fault_at(value->place, key, "must be written with two brackets, " + title + ", once for each, not " + found);
    return {};
  }
  std::vector<Section> sections;
  for (const TomlValue& item : value->children) sections.push_back({&item, key, title, item.place, false, *faults_});
  return sections;
}

bool Section::take_string(const std::string& key, std::string& field, const Check& check) {
  const TomlValue* value = ask(key, TomlValue::Kind::string, "a string in quotes");
  if (!value) return false;
  if (const Complaint complaint = check(value->text)) {
    fault_at(value->place, key, *complaint);
    return false;
  }
  field = value->text;
  return true;
}

bool Section::take_strings(const std::string& key, std::vector<std::string>& field, const Check& check) {
  const TomlValue* value = ask(key, TomlValue::Kind::array, "an array of strings, as [\"a\", \"b\"]");
  if (!value) return false;
  std::vector<std::string> taken;
  bool right = true;
  for (const TomlValue& item : value->children) {
    Complaint complaint;
    if (item.kind != TomlValue::Kind::string) {
      complaint = "must hold strings in quotes only, not " + std::string(item.kind_name());
    } else if (std::ranges::find(taken, item.text) != taken.end()) {
      complaint = "names " + in_quotes(item.text) + " twice: remove one";
    } else {
      complaint = check(item.text);
      taken.push_back(item.text);
    }
    if (complaint) fault_at(item.place, key, *complaint);
    right = right && !complaint;
  }
  if (right) field = std::move(taken);
  return right;
}

bool Section::take_integer(const std::string& key, std::int64_t& field, std::int64_t least, std::int64_t most,
                           const std::string& unit) {
  const TomlValue* value = ask(key, TomlValue::Kind::integer, "an integer");
  if (!value) return false;
  if (value->integer < least || value->integer > most) {
    fault_at(value->place, key,
             range_text(std::to_string(least), std::to_string(most), unit) + ", not " + std::to_string(value->integer));
    return false;
  }
  field = value->integer;
  return true;
}

bool Section::take_unsigned(const std::string& key, unsigned& field, unsigned least, unsigned most,
                            const std::string& unit) {
  std::int64_t wide = 0;
  if (!take_integer(key, wide, least, most, unit)) return false;
  field = static_cast<unsigned>(wide);
  return true;
}

bool Section::take_boolean(const std::string& key, bool& field) {
  const TomlValue* value = ask(key, TomlValue::Kind::boolean, "true or false");
  if (value) field = value->boolean;
  return value != nullptr;
}

bool Section::take_file(const std::string& key, std::string& field, const std::filesystem::path& base) {
  const bool taken = take_string(key, field, [&](const std::string& text) -> Complaint {
    if (text.empty()) return std::nullopt;
    if (const Complaint complaint = check_path(text)) return complaint;
    return check_file(resolved(text, base));
  });
  if (taken) field = resolved(field, base);
  return taken;
}

bool Section::take_number(const std::string& key, double& field, double least, double most, const std::string& unit) {
  const TomlValue* value = ask(key);
  if (!value) return false;
  const bool integer = value->kind == TomlValue::Kind::integer;
  if (!integer && value->kind != TomlValue::Kind::fraction) {
    fault_at(value->place, key, "must be a number (" + unit + ", fractions allowed), not " + value->kind_name());
    return false;
  }
  const double number = integer ? static_cast<double>(value->integer) : value->fraction;
  const bool in_range = number >= least && number <= most;  // false for nan
  if (!in_range) {
    fault_at(value->place, key,
             range_text(number_text(least), number_text(most), unit) + ", not " + number_text(number));
    return false;
  }
  field = number;
  return true;
}

void Section::unsupported(const std::string& key, const std::string& advice) {
  refused_.push_back(key);
  const TomlValue* value = find(key);
  if (!value) return;
  const std::string what = name_.empty() ? written(*value) : name_ + "." + key;
  faults_->add(name_place(*value), what + " is unsupported in this version: " + advice);
}

void Section::require(const std::string& key, const std::string& advice) {
  if (broken_ || has(key)) return;
  fault_at(place_, key, "is missing: " + advice);
}

void Section::finish() {
  if (!table_) return;
  for (const TomlValue& value : table_->children) {
    if (std::ranges::find(known_, value.key) != known_.end()) continue;
    if (std::ranges::find(refused_, value.key) != refused_.end()) continue;
    const bool section = value.is_table() || value.is_table_array();
    const std::string what =
        name_.empty() && section
            ? "unknown section " + written(value)
            : "unknown key " + in_quotes(value.key) + (title_.empty() ? " outside of every section" : " in " + title_);
    faults_->add(name_place(value), what + ": " + advice_for(value.key));
  }
}

void Section::fault(const std::string& key, const std::string& complaint) {
  if (!broken_) fault_at(place_of(key), key, complaint);
}

Place Section::place_of(const std::string& key) const {
  const TomlValue* value = find(key);
  return value ? value->place : place_;
}

const TomlValue* Section::find(const std::string& key) const {
  if (!table_) return nullptr;
  const auto found = std::ranges::find(table_->children, key, &TomlValue::key);
  return found == table_->children.end() ? nullptr : &*found;
}

const TomlValue* Section::ask(const std::string& key) {
  known_.push_back(key);
  return find(key);
}

const TomlValue* Section::ask(const std::string& key, TomlValue::Kind kind, const std::string& wanted) {
  const TomlValue* value = ask(key);
  if (!value || value->kind == kind) return value;
  fault_at(value->place, key, "must be " + wanted + ", not " + value->kind_name());
  return nullptr;
}

void Section::fault_at(Place place, const std::string& key, const std::string& complaint) {
  faults_->add(place, (name_.empty() ? "" : name_ + ".") + key + " " + complaint);
}

std::string Section::advice_for(const std::string& key) const {
  if (const auto meant = closest(key, known_)) return "did you mean " + in_quotes(*meant) + "?";
  std::string list;
  for (const std::string& known : known_) list += (list.empty() ? "" : ", ") + known;
  return "remove it; known here: " + list;
}

}  // namespace dfota
