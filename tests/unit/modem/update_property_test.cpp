// The laws 1 to 5 as a property: the real procedure against a module, a journal and orders that do anything at any
// moment. What was journalled and what was written to the port is judged by a model of its own.
#include "tests/support/property.hpp"
#include "tests/support/update_acts.hpp"
#include "transport/base/log.hpp"

using namespace dfota;
using test::UpdateAct;

namespace {

rc::Gen<UpdateAct> any_act() {
  const auto kind = rc::gen::weightedElement<UpdateAct::Kind>({{10, UpdateAct::say},
                                                               {14, UpdateAct::time},
                                                               {2, UpdateAct::port},
                                                               {2, UpdateAct::answers},
                                                               {1, UpdateAct::version},
                                                               {3, UpdateAct::wanted},
                                                               {2, UpdateAct::journal},
                                                               {1, UpdateAct::permission},
                                                               {2, UpdateAct::room},
                                                               {2, UpdateAct::die}});
  return rc::gen::build<UpdateAct>(rc::gen::set(&UpdateAct::kind, kind),
                                   rc::gen::set(&UpdateAct::a, rc::gen::inRange(0U, 1000U)));
}

/// The log of many random cases helps nobody; that of one that is made again does.
struct Quiet {
  Quiet() {
    if (std::getenv("RC_PARAMS") == nullptr) log::set_level(log::Level::error);
  }
  ~Quiet() { log::set_level(log::Level::info); }
};

}  // namespace

TEST_CASE("whatever the module, the journal and the orders do, the laws of an update hold") {
  const Quiet quiet;
  test::check_property("update", 100, [] {
    const auto delivery = *rc::gen::inRange(0U, 4U);
    const auto attempts = *rc::gen::inRange(1U, 4U);
    const auto acts = *rc::gen::container<std::vector<UpdateAct>>(any_act());
    test::UpdateActs update(delivery, attempts);
    // A listening port, the questions and the answers: most cases begin where it is commanded.
    if (*rc::gen::inRange(0, 4) > 0) update.act({UpdateAct::time, 2});
    for (const auto& act : acts) update.act(act);
    update.let_it_end();
    if (!update.fault().empty()) RC_FAIL(update.fault());
  });
}
