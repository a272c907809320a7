#include "gateway/module_fact.hpp"

#include <doctest/doctest.h>

using dfota::ModuleFact, dfota::read_module_facts;

TEST_CASE("what is written of a module is read again; of other facts and of broken ones nothing is") {
  const ModuleFact plain{"861234567890127", true, true, false, ""},
      found{"490154203237518", false, false, true, "/dev/x"};
  const auto read = read_module_facts({{ModuleFact::key("a"), plain.document()},
                                       {ModuleFact::key("b"), found.document()},
                                       {ModuleFact::key("c"), "{"},
                                       {"hold", "{}"},
                                       {"modulus", "{}"}});
  CHECK(read == std::map<std::string, ModuleFact>{{"a", plain}, {"b", found}});
}

TEST_CASE("facts of a version that knew less are read") {
  const auto read = read_module_facts({{ModuleFact::key("a"), R"({"imei": "861234567890127", "lost": false})"}});
  CHECK(read.at("a") == ModuleFact{"861234567890127", false, false, false, ""});
}
