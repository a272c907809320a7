// What the gateway itself found wrong, where the module gave no number: the codes of class `gateway`, each a word with
// its meaning and what to look at. One table; pure functions; any thread.
#pragma once

#include <span>
#include <string_view>

#include "transport/base/result.hpp"

namespace dfota {

enum class Finding {
  no_answer,
  at_error,
  port_lost,
  port_busy,
  absent,
  module_changed,
  duplicate_imei,
  module_reset,
  module_lost,
  recovery_needed,
  released,
  identity_invalid,
  model_mismatch,
  base_mismatch,
  target_mismatch,
  module_updating,
  artifact_unavailable,
  artifact_hash_mismatch,
  signature_invalid,
  signature_unverifiable,
  no_space,
  unsupported_package,
  unsupported_delivery,
  sim_not_ready,
  not_registered,
  no_pdp_context,
  upload_failed,
  file_missing,
  powered_down,
  url_too_long,
  start_timeout,
  download_timeout,
  update_timeout,
  not_reachable,
  interrupted,
  journal_unavailable,
  expired,
  canary_failed,
  too_many_failures,
  no_way,
  downgrade_refused,
  no_rollback,
  module_lost_in_job,
};

struct FindingText {
  std::string_view word, meaning, hint;
  bool retryable;
};

const FindingText& explain(Finding finding);
std::span<const FindingText> finding_texts();  ///< of all, in the order of the enumeration

/// What an artifact that did not come is told by.
Finding artifact_finding(Errc code);

}  // namespace dfota
