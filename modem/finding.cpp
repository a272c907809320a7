#include "modem/finding.hpp"

namespace dfota {

const FindingText& explain(Finding finding) {
  // In the order of the enumeration.
  static constexpr FindingText kTexts[] = {
      {"no_answer", "The module does not answer AT",
       "Is the port the module's AT port (on most Quectel modules the third one, if02), and does no other program hold "
       "it?",
       true},
      {"at_error", "The module refused an AT command",
       "See the message for the command; the SIM and the module's state decide", false},
      {"port_lost", "The port went away and the download with it",
       "Look at the cable, the hub's power supply and the kernel's log", true},
      {"port_busy", "Another program holds the module's port",
       "Stop it, or keep ModemManager away from the module with ID_MM_DEVICE_IGNORE", false},
      {"absent", "The module's port did not appear in time",
       "Is the module powered, and does the configured port name exist?", false},
      {"module_changed", "Another module stands at this port",
       "Check the IMEI; a swapped module is never updated unasked", false},
      {"duplicate_imei", "Another configured port leads to the same module",
       "One IMEI is one module: take one of the two [[module]] entries out of the configuration", false},
      {"module_reset", "The module restarted during its download", "Look at its power supply; the download begins anew",
       true},
      {"module_lost", "The module was lost in an earlier update and has not come back since",
       "Look at it; it is spoken to again once it has restarted (its port went and came back, or RDY was heard)",
       false},
      {"identity_invalid", "The module's model, version or IMEI is not well-formed",
       "Ask ATI and AT+GSN in a terminal; the port may be another device's", false},
      {"model_mismatch", "The model is not one that this gateway can update", "UC15 and UC20 are known to this version",
       false},
      {"base_mismatch", "The module does not run the version that the delta starts from",
       "A delta fits exactly one base; get the one for the version that the module reports", false},
      {"target_mismatch", "The module does not run the target version after the update",
       "See version in the result; the module works and has kept or got another version", false},
      {"module_updating", "The module is updating on somebody else's behalf",
       "Wait until it has restarted, then send the job again", false},
      {"artifact_unavailable", "The delta could not be fetched",
       "Is the URL right and its server reachable from the gateway?", false},
      {"artifact_hash_mismatch", "The delta is not the one that the job names",
       "Compare sha256 and size of the job with the file at the URL", false},
      {"no_space", "The gateway's disk is full", "Make room under gateway.state_dir", false},
      {"url_too_long", "The address of the delta is longer than the module takes",
       "Shorten http.public_url or the artifact's name", false},
      {"start_timeout", "The module did not begin its download in time (HTTPSTART)",
       "Is it registered, and is its PDP context configured (AT+QICSGP, fota/cid)?", true},
      {"download_timeout", "The download did not end in time",
       "Look at signal and rate; timeouts.download may be too short", true},
      {"update_timeout", "The module has not been heard of since its update began",
       "Somebody must look at it; nothing more is written to it until its port went and came back", false},
      {"not_reachable", "The module began its download, but no request of it reached the file server",
       "Can http.public_url be reached from the module's network (private APN, routed address, firewall)?", true},
      {"interrupted", "The gateway was stopped before the download ended", "It is made again at no cost", true},
      {"journal_unavailable", "The journal could not be written, so nothing was commanded",
       "Make room and check the disk under gateway.state_dir", false},
  };
  return kTexts[static_cast<int>(finding)];
}

}  // namespace dfota
