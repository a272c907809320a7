// Reads one table of the configuration, strictly: each reader takes one key into one field and reports what is wrong
// with it; finish() reports the keys that nobody asked for. Sits between the TOML tree and load.cpp. No I/O, any
// thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/fault.hpp"
#include "config/toml_tree.hpp"

namespace dfota {

/// What is wrong with a value, worded to follow the key's name ("must be ..."); nothing when it is right.
using Complaint = std::optional<std::string>;
using Check = std::function<Complaint(const std::string&)>;

/// A path relative to the directory of the file that names it: the working directory is nobody's choice.
std::string resolved(const std::string& path, const std::filesystem::path& base);

class FaultList {
 public:
  explicit FaultList(std::string file) : file_(std::move(file)) {}
  void add(Place place, std::string message) {
    faults_.push_back({file_, place.line, place.column, std::move(message)});
  }
  /// Those of another file.
  void add(const ConfigFaults& faults) { faults_.insert(faults_.end(), faults.begin(), faults.end()); }
  [[nodiscard]] bool empty() const { return faults_.empty(); }
  /// All of them, in the order of their places.
  [[nodiscard]] ConfigFaults sorted() const;

 private:
  std::string file_;
  ConfigFaults faults_;
};

/// `faults` and the tree must outlive it.
class Section {
 public:
  Section(const TomlValue& root, FaultList& faults) : table_(&root), faults_(&faults) {}

  /// [key]; reads as an empty section when it is not there.
  Section child(const std::string& key);
  /// [[key]], in the order of the file.
  std::vector<Section> children(const std::string& key);

  // Each is true when the key is there and its value was taken; otherwise the field keeps what it had.
  bool take_string(const std::string& key, std::string& field, const Check& check);
  bool take_strings(const std::string& key, std::vector<std::string>& field, const Check& check);
  bool take_integer(const std::string& key, std::int64_t& field, std::int64_t least, std::int64_t most,
                    const std::string& unit);
  bool take_unsigned(const std::string& key, unsigned& field, unsigned least, unsigned most, const std::string& unit);
  /// An integer will do.
  bool take_number(const std::string& key, double& field, double least, double most, const std::string& unit);

  bool take_boolean(const std::string& key, bool& field);

  /// A file that can be read, made absolute by `base`. An empty name means: none.
  bool take_file(const std::string& key, std::string& field, const std::filesystem::path& base);

  /// Reports a key whose capability is not built. `advice`: what to do instead.
  void unsupported(const std::string& key, const std::string& advice);
  /// Reports a key that must be there and is not.
  void require(const std::string& key, const std::string& advice);
  /// Reports every key that was not asked for.
  void finish();

  [[nodiscard]] bool has(const std::string& key) const { return find(key) != nullptr; }
  /// The section is there and is a table.
  [[nodiscard]] bool present() const { return table_ != nullptr; }
  /// Of the key's value; of the section where the key is missing.
  [[nodiscard]] Place place_of(const std::string& key) const;
  /// Reports a fault of a value: "section.key complaint".
  void fault(const std::string& key, const std::string& complaint);

 private:
  Section(const TomlValue* table, std::string name, std::string title, Place place, bool broken, FaultList& faults);
  [[nodiscard]] const TomlValue* find(const std::string& key) const;
  const TomlValue* ask(const std::string& key);
  const TomlValue* ask(const std::string& key, TomlValue::Kind kind, const std::string& wanted);
  void fault_at(Place place, const std::string& key, const std::string& complaint);
  [[nodiscard]] std::string advice_for(const std::string& key) const;

  const TomlValue* table_;  // null: not in the file
  std::string name_;        // "mqtt"; empty: the root
  std::string title_;       // "[mqtt]", "[[module]]"
  Place place_{1, 1};
  bool broken_ = false;  // reported already: nothing in it is missing
  FaultList* faults_;
  std::vector<std::string> known_, refused_;
};

}  // namespace dfota
