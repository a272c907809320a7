// The scheduler against a model of what it may do: random commands, modules that end well and badly, ports that go, and
// deaths of the gateway at any moment. The real journal, file server, slots, modules and jobs; only the clock is
// stepped.
#include "tests/support/jobs_acts.hpp"
#include "tests/support/property.hpp"
#include "transport/base/log.hpp"

using namespace dfota;
using test::Act;

namespace {

rc::Gen<Act> any_act() {
  const auto number = rc::gen::inRange(0U, 100000U);
  const auto kind = rc::gen::weightedElement<Act::Kind>({{6, Act::update},
                                                         {1, Act::again},
                                                         {2, Act::cancel_job},
                                                         {1, Act::cancel_module},
                                                         {2, Act::pause},
                                                         {2, Act::resume},
                                                         {3, Act::retry},
                                                         {1, Act::forget},
                                                         {1, Act::hold},
                                                         {2, Act::port},
                                                         {5, Act::fate},
                                                         {12, Act::time},
                                                         {4, Act::die}});
  return rc::gen::build<Act>(rc::gen::set(&Act::kind, kind), rc::gen::set(&Act::a, number),
                             rc::gen::set(&Act::b, number), rc::gen::set(&Act::c, number));
}

/// The log of many random cases helps nobody; that of one that is made again does.
struct Quiet {
  Quiet() {
    if (std::getenv("RC_PARAMS") == nullptr) log::set_level(log::Level::error);
  }
  ~Quiet() { log::set_level(log::Level::info); }
};

}  // namespace

TEST_CASE("whatever happens, each job's modules end once, and within its rollout and the limits") {
  const Quiet quiet;
  test::check_property("jobs", 12, [] {
    const auto limits = *rc::gen::inRange(0U, 24U);
    const auto acts = *rc::gen::container<std::vector<Act>>(any_act());
    test::JobsActs gateway(limits);
    for (const auto& act : acts) gateway.act(act);
    gateway.let_it_end();
    if (!gateway.fault().empty()) RC_FAIL(gateway.fault());
  });
}
