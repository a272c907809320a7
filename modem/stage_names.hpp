// What a stage of +QIND: "FOTA" means, in the spellings that families have beside the usual ones. Pure functions; any
// thread.
#pragma once

#include "config/profile.hpp"
#include "modem/qind.hpp"

namespace dfota {

/// The stage of the URC; where it is none of the usual ones, that of whichever family spells it so: a module is
/// listened to before anybody knows of which family it is (contract, law 4).
FotaStage stage_of(const FotaUrc& urc, const Profiles& profiles);

}  // namespace dfota
