#include "gateway/ctl/artifact_file.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "tests/support/temp_dir.hpp"

using namespace dfota;
using namespace dfota::ctl;
namespace fs = std::filesystem;

namespace {

ArtifactAddCall a_call() {
  ArtifactAddCall call;
  call.name = "delta.bin";
  call.model = "UC20";
  call.from = "R11";
  call.to = "R12";
  call.sha256 = "ab";
  call.size = 5;
  return call;
}

std::string write(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_in(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("the manifest: what was not said is not in it") {
  CHECK(*manifest_of(a_call()) ==
        Json::parse(R"({"name":"delta.bin","model":"UC20","from":"R11","to":"R12","sha256":"ab","size":5})"));
  auto call = a_call();
  call.url = "http://h/f";
  call.released = "2024-05-01";
  call.notes = "mind the gap";
  auto manifest = *manifest_of(call);
  CHECK(manifest["url"] == "http://h/f");
  CHECK(manifest["released"] == "2024-05-01");
  CHECK(manifest["notes"] == "mind the gap");
  call.from_released = "2024-01-01";
  CHECK((*manifest_of(call))["released"] == Json{{"from", "2024-01-01"}, {"to", "2024-05-01"}});
  call.released.clear();
  CHECK((*manifest_of(call))["released"] == Json{{"from", "2024-01-01"}});
}

TEST_CASE("the signature is taken as it stands in its file, when it can be one") {
  const test::TempDir dir;
  auto call = a_call();
  call.signature_file = write(dir / "delta.bin.minisig", "four\nlines\nof\ntext\n");
  CHECK((*manifest_of(call))["signature"] == "four\nlines\nof\ntext\n");
  for (const auto& text : {std::string(), std::string(2049, 'x')}) {
    write(call.signature_file, text);
    CHECK_FALSE(manifest_of(call).ok());
  }
}

TEST_CASE("a file is copied whole, under its name alone, and readable by the gateway") {
  const test::TempDir dir;
  const auto file = write(dir / "my delta", std::string(300000, 'd'));
  const auto incoming = dir / "incoming";
  fs::create_directory(incoming);
  for (int i = 0; i < 2; ++i) {  // over the one that is there
    const auto copied = copy_into(incoming, "delta.bin", file);
    REQUIRE(copied.ok());
    CHECK(copied->size == 300000);
    CHECK(copied->sha256.size() == 64);
    CHECK(content(fs::path(incoming) / "delta.bin") == content(file));
    CHECK(files_in(incoming) == 1);
  }
  const auto mode = fs::status(fs::path(incoming) / "delta.bin").permissions();
  CHECK((mode & fs::perms::others_read) == fs::perms::others_read);
}

TEST_CASE("what cannot be copied says why, and leaves nothing") {
  const test::TempDir dir;
  const auto file = write(dir / "delta", "bytes");
  const auto elsewhere = copy_into(dir / "not here", "delta.bin", file);
  REQUIRE_FALSE(elsewhere.ok());
  CHECK(elsewhere.error().code == Errc::absent);
  CHECK(elsewhere.error().message.find("not on this host") != std::string::npos);
  const auto incoming = dir / "incoming";
  fs::create_directory(incoming);
  write(dir / "empty", "");
  CHECK(copy_into(incoming, "delta.bin", dir / "empty").error().code == Errc::refused);
  CHECK(copy_into(incoming, "delta.bin", dir / "none").error().code == Errc::absent);
  CHECK(copy_into(incoming, "delta.bin", dir.path()).error().code == Errc::refused);
  CHECK(files_in(incoming) == 0);
}
