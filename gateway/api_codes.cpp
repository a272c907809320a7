#include "gateway/api_codes.hpp"

namespace dfota {
namespace {
constexpr ApiCode kRefusals[] = {
    {"too_large", "The command is longer than 64 KiB",
     "Name the modules by tag, model or \"all\", or send several commands", false},
    {"not_utf8", "The command is not UTF-8", "The message names the byte; it never quotes the text", false},
    {"not_json", "The command is not JSON", "The message names the byte; it never quotes the text", false},
    {"too_deep", "The command is nested more than 16 deep", "See the keys of the command", false},
    {"duplicate_key", "A key stands twice in one object", "Remove one of them; pointer says where", false},
    {"invalid", "A value is missing, of another type, or out of range",
     "The message says what it must be, pointer says where", false},
    {"unknown_key", "The command has no such key", "pointer names it; see the keys of the command", false},
    {"unknown_verb", "There is no such command", "See the list of verbs", false},
    {"unsupported", "There will be such a command or value, but not in this version",
     "See the message for what to do instead", false},
    {"unknown_module", "The gateway has no module of that id", "dfota modules lists them", false},
    {"no_module", "No module fits the selection", "dfota modules lists them with model, version and tags", false},
    {"version_unknown", "The module has not said its version yet",
     "Wait until it is online, or have it asked by dfota scan", true},
    {"up_to_date", "The module runs the version already, or no release leads further",
     "Nothing to do; to go on, add the next delta (dfota artifact add)", false},
    {"job_conflict", "That job's id is another command already", "Take another id, or leave it out", false},
    {"queue_full", "jobs.queued jobs have not ended", "Wait until some have ended", true},
    {"outbox_full", "100,000 results wait for a broker that takes them",
     "Look why the broker acknowledges nothing; then send the command again", true},
    {"expired", "The command, or the job that it would make, has expired already",
     "Look at expires, at the message's own expiry and at both clocks", false},
    {"unknown_target", "No delta and no module here knows the target version",
     "Look for a slip of the pen; dfota artifact list shows the deltas", false},
    {"unknown_job", "The gateway has no job of that id", "dfota jobs lists them", false},
    {"job_ended", "The job has ended already", "dfota retry runs it once more", false},
    {"job_not_ended", "The job has not ended yet", "Wait for its end, or cancel it first", true},
    {"not_newest_run", "The job has a newer run already", "dfota jobs shows the newest", false},
    {"nothing_to_retry", "Every module of that run ended in succeeded or skipped", "Nothing to do", false},
    {"module_configured", "The configuration names the module, or its IMEI",
     "Change it there: a module that is configured is not forgotten, nor another IMEI accepted for it", false},
    {"module_present", "The module was found by [discovery] and is there, or a job wants it",
     "Unplug it, and let its jobs end: what is there is found again", false},
    {"updating", "An update works on the module", "Wait for its end, or cancel it (dfota cancel --module)", true},
    {"unknown_artifact", "The gateway keeps no artifact of that name", "dfota artifact list shows them", false},
    {"artifact_in_use", "A job that has not ended needs the artifact", "Wait for the job's end, or cancel it", true},
    {"artifact_conflict", "An artifact of that name has another content",
     "Take another name, or remove the old one first (dfota artifact remove)", false},
    {"unknown_transcript", "No update of that module, or none by that job, was recorded, or it was too long ago",
     "The newest 5 of each module are kept; leave the job out for the newest", false},
    {"busy", "As many of these commands as may be are under way (256 artifact_add, 64 scan, 8 rehearse, 16 transcript)",
     "Send it again when some have ended", true},
    {"ftp_not_configured", "Delivery ftp without [ftp] in the gateway's configuration",
     "Choose another delivery, or set up [ftp]", false},
    {"retained", "The command was published as retained, and would run again at each connection",
     "Publish it without the retain flag (with MQTT 3.1.1 a live one cannot be told; it runs once by its id)", false},
    {"forbidden_response_topic", "The response topic is none that the gateway may write to",
     "Take one below R/rsp/ or <topic_root>/client/, or name it in mqtt.response_topics; this reply is on R/rsp/<verb>",
     false},
};

constexpr ApiCode kFaults[] = {
    {"journal_unavailable", "The journal cannot be written: no command is acknowledged, and none is sent to a module",
     "Make room and check the disk under gateway.state_dir; it goes on by itself", true},
    {"journal_corrupt", "The journal was broken and was put aside at the start",
     "Each module is listened to for timeouts.progress_gap before it is spoken to; send the jobs again", false},
    {"clock_untrusted", "Jobs wait for a wall clock that is right", "Set the gateway's clock (NTP)", true},
    {"http_listener_down", "The file server cannot listen, or has no descriptors left",
     "See the message; it tries again by itself", true},
    {"hold_invalid", "What was published on R/hold cannot be read; it changes nothing",
     "Publish {\"hold\": true, \"reason\": \"...\"} or {\"hold\": false}", false},
};
}  // namespace

std::span<const ApiCode> refusal_codes() {
  return kRefusals;
}

std::span<const ApiCode> fault_codes() {
  return kFaults;
}

}  // namespace dfota
