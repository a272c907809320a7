// The field's words, and what they mean to somebody who looks.
export const kPhases = ['idle', 'queued', 'preparing', 'uploading', 'downloading', 'rebooting', 'updating', 'verifying'];
export const kOutcomes = ['succeeded', 'skipped', 'rejected', 'failed', 'canceled', 'lost'];
export const kEnded = new Set(['succeeded', 'canceled', 'rejected', 'failed', 'partial']);
export const kBad = new Set(['rejected', 'failed', 'canceled', 'lost']);
// From here on a module is not cut off, and must keep its power.
export const kDanger = new Set(['rebooting', 'updating']);

export const kPhaseMeaning = {
  idle: 'no job',
  queued: 'a job waits for the module',
  preparing: 'it is listened to and asked for its identity, or waits for a place or for its next attempt',
  uploading: 'the delta is sent over its port',
  downloading: 'from AT+QFOTADL to the end of the download',
  rebooting: 'it has all of the delta, or has ended, and restarts: it must keep its power',
  updating: 'it flashes: it must keep its power, and is not spoken to',
  verifying: 'it is asked for its version',
};

export const kOutcomeMeaning = {
  succeeded: 'the version read back is the one wanted',
  skipped: 'it ran that version already; nothing was sent',
  rejected: 'no AT+QFOTADL was sent',
  failed: 'it answers with another version, or its download ended with an error',
  canceled: 'it was not commanded, or its download was cut before the last byte',
  lost: 'it may have been flashing and does not answer any more: a person must look',
};

export const kProblemMeaning = {
  absent: 'its port is not there',
  port_busy: 'another program holds its port',
  no_answer: 'it does not answer AT',
  identity_invalid: 'what it says of itself is not well-formed',
  module_changed: 'another module stands at its port (scan with accept takes it)',
  duplicate_imei: 'two ports lead to the same module',
  model_mismatch: 'its model belongs to no known family',
  module_updating: 'it is updating on somebody else’s behalf',
  module_lost: 'it was lost in an update; look at it before anything is written to it',
  recovery_needed: 'it came back in its recovery mode: load its firmware anew by hand',
  released: 'its port is released to somebody’s own terminal',
};

export const kGatewayProblem = {
  journal_unavailable: 'The journal cannot be written: no command is acknowledged, and none is sent to a module. Make room, and check the disk under gateway.state_dir; it goes on by itself.',
  journal_corrupt: 'The journal was broken and was put aside at the start. Each module is listened to before it is spoken to; send the jobs again.',
  clock_untrusted: 'Jobs wait for a wall clock that is right. Set the gateway’s clock (NTP).',
};

export const kDeliveries = {
  http: 'http, from the gateway',
  upload: 'upload, over its port',
  ftp: 'ftp, from your server',
};

export const kCancelMeaning = 'What has not been commanded stops. An HTTP download is cut before its last byte. A module that may be flashing is never cut: it goes on, and its own outcome comes.';
