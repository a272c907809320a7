// dfota-docs, a program of the build: writes the completion and the man page of dfota.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "gateway/ctl/documents.hpp"
#include "gateway/ctl/options.hpp"

int main(int argc, char** argv) {
  const std::string what = argc == 3 ? argv[1] : "";
  std::ifstream file(argc == 3 ? argv[2] : "");
  if (!file || (what != "bash" && what != "man")) {
    std::cerr << "usage: dfota-docs bash|man FILE\n";
    return 2;
  }
  const std::string text(std::istreambuf_iterator<char>(file), {});
  dfota::ctl::with_command_line([&](const CLI::App& app) {
    std::cout << (what == "man" ? dfota::ctl::man_page(app, text) : dfota::ctl::bash_completion(app, text));
  });
  return std::cout.flush() ? 0 : 1;
}
