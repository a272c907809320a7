#include "modem/danger.hpp"

#include <doctest/doctest.h>

using namespace dfota;

TEST_CASE("the table: what may be written, for each step against each evidence") {
  constexpr auto no = MaySend::nothing, at = MaySend::bare_at, package = MaySend::package, all = MaySend::anything;
  struct Row {
    Step step;
    Evidence evidence;
    MaySend expected;
  };
  // Written out a second time on purpose: a slip in the one table must not be able to hide.
  const Row rows[] = {
      {Step::preparing, Evidence::nothing, all},
      {Step::preparing, Evidence::refused, all},
      {Step::preparing, Evidence::transfer_failed, all},
      {Step::preparing, Evidence::token_void, all},
      {Step::preparing, Evidence::fota_urc, no},
      {Step::preparing, Evidence::booted, all},
      {Step::preparing, Evidence::ended, all},
      {Step::preparing, Evidence::silence, at},
      {Step::preparing, Evidence::answered, all},
      {Step::preparing, Evidence::file_wanted, no},
      {Step::commanded, Evidence::nothing, no},
      {Step::commanded, Evidence::refused, all},
      {Step::commanded, Evidence::transfer_failed, all},
      {Step::commanded, Evidence::token_void, all},
      {Step::commanded, Evidence::fota_urc, no},
      {Step::commanded, Evidence::booted, no},
      {Step::commanded, Evidence::ended, all},
      {Step::commanded, Evidence::silence, no},
      {Step::commanded, Evidence::answered, no},
      {Step::commanded, Evidence::file_wanted, no},
      {Step::released, Evidence::nothing, no},
      {Step::released, Evidence::refused, all},
      {Step::released, Evidence::transfer_failed, all},
      {Step::released, Evidence::token_void, no},
      {Step::released, Evidence::fota_urc, no},
      {Step::released, Evidence::booted, all},
      {Step::released, Evidence::ended, all},
      {Step::released, Evidence::silence, at},
      {Step::released, Evidence::answered, all},
      {Step::released, Evidence::file_wanted, package},
  };
  CHECK(std::size(rows) == static_cast<std::size_t>(kSteps * kEvidences));
  for (const auto& row : rows) {
    CAPTURE(static_cast<int>(row.step));
    CAPTURE(static_cast<int>(row.evidence));
    CHECK(may_send(row.step, row.evidence) == row.expected);
  }
}

TEST_CASE("once the last byte may have left, a void token ends nothing (law 1)") {
  CHECK(may_send(Step::commanded, Evidence::token_void) == MaySend::anything);
  CHECK(may_send(Step::released, Evidence::token_void) == MaySend::nothing);
}
