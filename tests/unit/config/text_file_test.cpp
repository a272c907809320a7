#include "config/text_file.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/support/temp_dir.hpp"

using namespace dfota;

namespace {

struct Folder {
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::ofstream(dir.path() / name, std::ios::binary) << text;
    return dir.path() / name;
  }
  test::TempDir dir;
};

std::string refused(const std::filesystem::path& file) {
  const auto result = read_text(file, "the letter");
  REQUIRE(std::holds_alternative<ConfigFault>(result));
  const auto& fault = std::get<ConfigFault>(result);
  CHECK(fault.text().starts_with(file.string() + ":0:0: "));
  return fault.message;
}

}  // namespace

TEST_CASE("a file is read as it is, empty or up to 4 MiB") {
  const Folder folder;
  for (const std::string& text : {std::string(), std::string("a\r\n\0b", 5), std::string(4 * 1024 * 1024, 'x')}) {
    const auto result = read_text(folder.file("f", text), "the letter");
    REQUIRE(std::holds_alternative<std::string>(result));
    CHECK(std::get<std::string>(result) == text);
  }
}

TEST_CASE("a file that cannot be read is one fault of the file as a whole, which it names") {
  const Folder folder;
  const auto absent = refused(folder.dir.path() / "absent.toml");
  CHECK(absent.starts_with("the letter cannot be read"));
  CHECK(absent.find("No such file or directory") != std::string::npos);
  CHECK(refused(folder.dir.path()).find("is a directory") != std::string::npos);
  const auto huge = folder.file("huge.toml", std::string(4 * 1024 * 1024 + 1, '\n'));
  CHECK(refused(huge).find("larger than 4194304 bytes") != std::string::npos);
}
