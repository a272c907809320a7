// The files of the page (gateway/admin/page/) as they are built into the program: page.cmake makes them a table,
// whoever serves them (Admin) looks them up. They never change, so any thread may read them.
#pragma once

#include <span>
#include <string_view>

namespace dfota {

struct PageFile {
  std::string_view name;  // "index.html"
  std::string_view type;  // of its content, for the answer's head
  std::string_view bytes;
  std::string_view etag;  // of these bytes, with its quotes
};

// In the order of their names.
[[nodiscard]] std::span<const PageFile> page_files();

}  // namespace dfota
