# Makes one .cpp of the files of the page, whenever one of them has changed: cmake -DPAGE=DIR -DOUT=FILE -P page.cmake.
# Each is an array of numbers: a string would be bounded in length, and its bytes would have to be escaped.
file(GLOB FILES ${PAGE}/*)
list(SORT FILES)
set(ARRAYS "")
set(ROWS "")
set(INDEX 0)
foreach(FILE ${FILES})
  get_filename_component(NAME ${FILE} NAME)
  get_filename_component(END ${FILE} LAST_EXT)
  if(END STREQUAL ".html")
    set(TYPE "text/html; charset=utf-8")
  elseif(END STREQUAL ".css")
    set(TYPE "text/css; charset=utf-8")
  elseif(END STREQUAL ".js")
    set(TYPE "text/javascript; charset=utf-8")
  elseif(END STREQUAL ".svg")
    set(TYPE "image/svg+xml")
  else()
    message(FATAL_ERROR "${FILE}: page.cmake knows no content type for ${END}")
  endif()
  file(READ ${FILE} HEX HEX)
  file(SHA256 ${FILE} HASH)
  string(SUBSTRING ${HASH} 0 32 HASH)
  string(LENGTH "${HEX}" SIZE)
  math(EXPR SIZE "${SIZE} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," BYTES "${HEX}")
  string(APPEND ARRAYS "constexpr char kFile${INDEX}[] = {${BYTES}};\n")
  string(APPEND ROWS "    {\"${NAME}\", \"${TYPE}\", {kFile${INDEX}, ${SIZE}}, \"\\\"${HASH}\\\"\"},\n")
  math(EXPR INDEX "${INDEX} + 1")
endforeach()
file(WRITE ${OUT} "// Made by gateway/admin/page.cmake of the files in gateway/admin/page/.
#include \"gateway/admin/page_files.hpp\"

namespace dfota {
namespace {

${ARRAYS}
constexpr PageFile kFiles[] = {
${ROWS}};

}  // namespace

std::span<const PageFile> page_files() { return kFiles; }

}  // namespace dfota
")
