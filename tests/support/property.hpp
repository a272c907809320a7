// A property of many random cases (rapidcheck), as a doctest assertion. What failed is printed with the seed and the
// shrunk case; RC_PARAMS="reproduce=..." runs it again, RC_PARAMS="max_success=5000" runs more. Without RC_PARAMS the
// unit tests stay short: `cases` of them.
#pragma once

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

namespace dfota::test {

template <class Testable>
void check_property(const std::string& name, int cases, Testable&& testable) {
  auto params = rc::detail::configuration().testParams;
  if (std::getenv("RC_PARAMS") == nullptr) {
    params.maxSuccess = cases;
    params.maxSize = 40;
  }
  rc::detail::TestMetadata metadata;
  metadata.id = metadata.description = name;
  const auto result = rc::detail::checkTestable(std::forward<Testable>(testable), metadata, params);
  const bool holds = result.template is<rc::detail::SuccessResult>();
  if (!holds) rc::detail::printResultMessage(result, std::cerr << "- " << name << '\n');
  std::cerr << std::flush;
  CHECK_MESSAGE(holds, "the property does not hold: " << name);
}

}  // namespace dfota::test
