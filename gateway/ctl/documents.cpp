#include "gateway/ctl/documents.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <map>

namespace dfota::ctl {
namespace {
using Options = std::vector<const CLI::Option*>;

/// Calls with each command and its words: "" for dfota itself, "update", "artifact add", ...
void for_each_command(const CLI::App& app, const std::string& path,
                      const std::function<void(const std::string& path, const CLI::App& app)>& call) {
  call(path, app);
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    for_each_command(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), call);
  }
}

Options options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option*) { return true; });
}

bool is_flag(const CLI::Option& option) {
  return option.get_items_expected_max() == 0;
}

std::string long_name(const CLI::Option& option) {
  return "--" + option.get_lnames().front();
}

/// "http ftp upload url file" of an option that takes one of a set; CLI11 tells it in the type's name.
std::string choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto begin = type.find('{'), end = type.rfind('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::string words = type.substr(begin + 1, end - begin - 1);
  for (char& c : words) c = c == ',' ? ' ' : c;
  return words;
}

/// What bash offers as the value: words, or what a function of the script finds.
std::string values_of(const std::string& path, const CLI::Option& option) {
  const std::string name = option.get_positional() ? option.get_name() : long_name(option);
  static const std::map<std::string, std::string> kKinds = {
      {"job", "@jobs"},       {"--module", "@modules"},     {"--modules", "@modules"},
      {"module", "@modules"}, {"--artifact", "@artifacts"}, {"code", "@codes"}};
  if (path == "artifact remove" && name == "name") return "@artifacts";
  if (const auto kind = kKinds.find(name); kind != kKinds.end()) return kind->second;
  const std::string type = option.get_type_name();
  if (type.find("FILE") != std::string::npos) return "@files";
  if (type.find("DIR") != std::string::npos) return "@directories";
  return choices_of(option);
}

/// The options of a command and of those above it; the nearest counts where two have one name.
std::map<std::string, const CLI::Option*> all_options(const CLI::App& app) {
  std::map<std::string, const CLI::Option*> all;
  for (const CLI::App* one = &app; one != nullptr; one = one->get_parent()) {
    for (const CLI::Option* option : options_of(*one)) {
      if (!option->get_positional()) all.emplace(long_name(*option), option);
    }
  }
  return all;
}

/// The lines of the three `case`s.
struct Cases {
  std::string words, flags, values;
};

void add_cases(const std::string& path, const CLI::App& app, Cases& cases) {
  std::string words;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) words += sub->get_name() + " ";
  for (const auto& [name, option] : all_options(app)) {
    words += name + " ";
    const std::string key = "    '" + path + ":" + name + "') ";
    if (is_flag(*option)) {
      cases.flags += key + "return 0 ;;\n";
    } else if (const auto values = values_of(path, *option); !values.empty()) {
      cases.values += key + "echo '" + values + "' ;;\n";
    }
  }
  for (const CLI::Option* option : options_of(app)) {
    if (!option->get_positional()) continue;
    if (const auto values = values_of(path, *option); !values.empty()) {
      cases.values += "    '" + path + ":') echo '" + values + "' ;;\n";
    }
  }
  if (!words.empty()) words.pop_back();
  cases.words += "    '" + path + "') echo '" + words + "' ;;\n";
}

/// For man(7): what groff would take for itself.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

/// What stands for the value: "URI", "FILE", "http|ftp".
std::string value_name(const CLI::Option& option) {
  std::string choices = choices_of(option);
  for (char& c : choices) c = c == ' ' ? '|' : c;
  if (!choices.empty()) return choices;
  const std::string type = option.get_type_name();
  const auto colon = type.rfind(':');
  return colon == std::string::npos ? type : type.substr(colon + 1);
}

std::string man_option(const CLI::Option& option) {
  std::string head;
  if (option.get_positional()) {
    head = "\\fI" + escaped(option.get_name()) + "\\fR";
  } else {
    for (const auto& name : option.get_snames()) head += "\\fB\\-" + escaped(name) + "\\fR, ";
    head += "\\fB" + escaped(long_name(option)) + "\\fR";
    if (!is_flag(option)) head += " \\fI" + escaped(value_name(option)) + "\\fR";
  }
  std::string text = option.get_description();
  if (const auto& otherwise = option.get_default_str(); !otherwise.empty()) text += "; default: " + otherwise;
  if (const auto& name = option.get_envname(); !name.empty()) text += "; in the environment: " + name;
  return ".TP\n" + head + "\n" + escaped(text) + "\n";
}

std::string man_options(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : options_of(app)) text += man_option(*option);
  return text;
}

std::string man_commands(const CLI::App& app) {
  std::string text;
  for_each_command(app, "", [&text](const std::string& path, const CLI::App& command) {
    if (path.empty()) return;
    text += ".SS \"dfota " + escaped(path) + "\"\n" + escaped(command.get_description()) + ".\n";
    for (const CLI::Option* option : options_of(command)) {
      if (option->get_positional() || option->get_lnames().front() != "help") text += man_option(*option);
    }
  });
  return text;
}

void replace(std::string& text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), with);
}
}  // namespace

std::string bash_completion(const CLI::App& app, const std::string& script) {
  Cases cases;
  for_each_command(app, "", [&cases](const std::string& path, const CLI::App& one) { add_cases(path, one, cases); });
  std::string connection;  // what every verb takes, with a value
  for (const CLI::Option* option : options_of(app)) {
    if (is_flag(*option) || long_name(*option) == "--timeout") continue;
    connection += (connection.empty() ? "" : " | ") + long_name(*option);
  }
  std::string text = script;
  replace(text, "@WORDS@\n", cases.words);
  replace(text, "@FLAGS@\n", cases.flags);
  replace(text, "@VALUES@\n", cases.values);
  replace(text, "@CONNECTION@", connection);
  return text;
}

std::string man_page(const CLI::App& app, const std::string& page) {
  std::string text = page;
  replace(text, "@COMMANDS@\n", man_commands(app));
  replace(text, "@OPTIONS@\n", man_options(app));
  return text;
}

}  // namespace dfota::ctl
