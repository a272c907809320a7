#include "modem/finding.hpp"

namespace dfota {

std::span<const FindingText> finding_texts() {
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
      {"recovery_needed", "The module came back in its recovery mode (USB 05c6:9008), in which it takes no AT commands",
       "Its firmware is damaged: load it anew with Quectel's tool for that mode (QFlash, QFirehose), then cut its "
       "power",
       false},
      {"released", "The module's port is released to somebody's own terminal",
       "Take it back when that is done (dfota claim), then send the job again", false},
      {"identity_invalid", "The module's model, version or IMEI is not well-formed",
       "Ask ATI and AT+GSN in a terminal; the port may be another device's", false},
      {"model_mismatch", "The module's model is not the delta's, or belongs to no family that this gateway knows",
       "See the message; the families are in config/profiles, a new one is a TOML file in modem.profiles_dir", false},
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
      {"signature_invalid", "The delta's signature is wrong, or is for another delta or another use of it",
       "See the message; sign with minisign -S -H -t, the trusted comment being model, from, to and sha256 of the "
       "manifest",
       false},
      {"signature_unverifiable", "The delta is not signed by a trusted key",
       "Sign it with a key whose public part is in artifacts.trusted_keys, or add that key", false},
      {"no_space", "There is no room for the delta",
       "See the message: make room under gateway.state_dir, or in the module's file system (AT+QFLST, AT+QFDEL)",
       false},
      {"unsupported_package", "MiniFOTA needs a second command in mid-flash, which this gateway does not send",
       "Modules with 2, 4 or 8 MB of flash (firmware ...M02, ...M04, ...M08) are updated by hand", false},
      {"unsupported_delivery", "The module's family does not take a delta in this way",
       "Choose another delivery; see the family's file in config/profiles", false},
      {"sim_not_ready", "The SIM is not ready, so that the module could not download",
       "See the message for the answer to AT+CPIN?: insert a SIM, or enter its PIN", false},
      {"not_registered", "The module is not registered in a network, so that it could not download",
       "Look at antenna, signal and the SIM's plan (AT+CREG?, AT+CGREG?, AT+CEREG?)", false},
      {"no_pdp_context", "The PDP context of AT+QFOTADL is not configured, so that the module could not download",
       "Set it with modem.pdp, or by hand with AT+QICSGP and fota/cid", false},
      {"upload_failed", "The delta could not be written into the module's file system",
       "See the message; look at the cable, at flow control and at other programs on the port", false},
      {"file_missing", "The package is not in the module's file system", "List its files with AT+QFLST", false},
      {"powered_down", "The module said that it powers down",
       "Look at its power supply; it does not come back by itself", true},
      {"url_too_long", "The address of the delta is longer than the module takes",
       "Shorten the URL: http.public_url, [ftp].public_url, or the file's name", false},
      {"start_timeout", "The module did not begin its download in time (HTTPSTART)",
       "Is it registered, and is its PDP context configured (AT+QICSGP, fota/cid)?", true},
      {"download_timeout", "The download did not end in time",
       "Look at signal and rate; timeouts.download may be too short", true},
      {"update_timeout", "The module has not been heard of since its update began",
       "Somebody must look at it; nothing more is written to it until its port went and came back", false},
      {"not_reachable", "The module began its download, but no request of it reached the file server",
       "Can http.public_url be reached from the module's network (private APN, routed address, firewall)?", true},
      {"interrupted", "The gateway was stopped before the download ended", "It is made again at no cost", true},
      {"journal_unavailable", "The journal could not be written, so the update was not let on",
       "Make room and check the disk under gateway.state_dir", false},
      {"expired", "The job expired before the module was commanded",
       "See expires, not_before, window and hold of the job; retry it with a new job, or later", false},
      {"canary_failed", "A canary of the job failed, so the other modules were left alone",
       "See the canary's own result first; then retry the job's run for the others", false},
      {"too_many_failures", "As many modules failed as abort_after_failures allows, so the others were left alone",
       "See the results of those that failed; then retry the job's run for the others", false},
      {"no_way", "No deltas lead from the module's version to the target",
       "See the message for the nearest version that can be reached; add the delta that is missing (dfota artifact "
       "add)",
       false},
      {"downgrade_refused", "The way leads back to an older version, or nobody can say whether it does",
       "Say allow_downgrade in the job, or when the versions were released in the manifests (released)", false},
      {"no_rollback", "No job of this gateway has brought the module to its version",
       "Name the version in a job with target and allow_downgrade", false},
      {"module_lost_in_job", "A module of the job was lost, so the others were left alone",
       "Look at the module whose outcome is lost before you retry the job's run for the others", false},
  };
  return kTexts;
}

const FindingText& explain(Finding finding) {
  return finding_texts()[static_cast<std::size_t>(finding)];
}

Finding artifact_finding(Errc code) {
  switch (code) {
    case Errc::mismatch:
      return Finding::artifact_hash_mismatch;
    case Errc::no_space:
      return Finding::no_space;
    default:
      return Finding::artifact_unavailable;
  }
}

}  // namespace dfota
