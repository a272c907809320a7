// The page that is built in is the one of the directory.
#include "gateway/admin/page_files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

using namespace dfota;

namespace {

const std::filesystem::path kPage = std::filesystem::path(DFOTA_SOURCE_DIR) / "gateway/admin/page";

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

const PageFile* find(std::string_view name) {
  const auto files = page_files();
  const auto found = std::find_if(files.begin(), files.end(), [&](const PageFile& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("every file of the page is built in, byte by byte, and nothing else") {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kPage)) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    const PageFile* file = find(name);
    REQUIRE(file != nullptr);
    CHECK(file->bytes == bytes_of(entry.path()));
    names.insert(name);
  }
  CHECK(names.size() == page_files().size());
  CHECK(names.contains("index.html"));
}

TEST_CASE("each has its type, and an ETag of its own") {
  std::set<std::string_view> etags;
  for (const PageFile& file : page_files()) {
    CAPTURE(file.name);
    CHECK(file.etag.size() == 34);
    CHECK(file.etag.front() == '"');
    CHECK(file.etag.back() == '"');
    etags.insert(file.etag);
  }
  CHECK(etags.size() == page_files().size());
  CHECK(find("index.html")->type == "text/html; charset=utf-8");
  CHECK(find("page.css")->type == "text/css; charset=utf-8");
  CHECK(find("main.js")->type == "text/javascript; charset=utf-8");
  CHECK(find("icon.svg")->type == "image/svg+xml");
}

TEST_CASE("nothing of the page is loaded from elsewhere, written into it as markup, or forbidden by its own policy") {
  for (const PageFile& file : page_files()) {
    CAPTURE(file.name);
    for (const std::string_view word : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                                        "<style", " style=\"", " onclick=", "https://"}) {
      CAPTURE(word);
      CHECK(file.bytes.find(word) == std::string_view::npos);
    }
  }
}
