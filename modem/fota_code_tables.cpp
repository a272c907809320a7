#include "modem/fota_code_tables.hpp"

namespace dfota {
namespace {

// A download that ended with a number is over by the module's own word and has written nothing: to try again is safe,
// and `retryable` only says whether it can help. FTP follows its own reply classes: 614-618 are 4yz (transient), 619 a
// 452 that needs a hand, 620-630 are 5yz (permanent).
constexpr FotaCode kFtp[] = {
    // Retried: in the field an unknown error is nearly always the cellular network, and it passes.
    {601, "unknown_error", "Unknown error", true,
     "Mostly the network: look at signal and registration, then whether the FTP server can be reached from the "
     "module's "
     "PDP context."},
    {602, "ftp_service_blocked", "FTP service blocked", true,
     "Another FTP operation holds the module's FTP service: look whether another program uses the module."},
    {603, "ftp_service_busy", "FTP service busy", true,
     "The module's FTP service is in use: look whether another program uses the module, or wait."},
    {604, "dns_parse_fail", "DNS parse fail", true,
     "The host name in [ftp].public_url did not resolve in the module's network: look at the APN's DNS, or use an IP "
     "address."},
    {605, "network_error", "Network error", true,
     "Look at signal, registration and the PDP context: its APN, and that fota/cid names it."},
    {606, "control_connection_closed", "Control connection closed", true,
     "The server or a NAT on the way closed port 21: look at the FTP server's log and its session limits."},
    {607, "data_connection_closed", "Data connection closed", true,
     "Look at the FTP server's passive ports: they must be open and forwarded to it, and signal must hold."},
    {608, "socket_closed_by_peer", "Socket closed by peer", true,
     "The server closed the connection: look at the FTP server's log, its session limits and port forwarding."},
    {609, "timeout_error", "Timeout error", true,
     "Look at signal, and whether the FTP server's address and port can be reached from the module's network."},
    {610, "invalid_parameter", "Invalid parameter", false,
     "Look at the FTP URL: FTP://user:password@host:port/path with user, password, host and path of 50 bytes at most "
     "each."},
    {611, "failed_to_open_file", "Failed to open file", true,
     "The module could not open the file it stores the delta in: look at its free space (AT+QFLDS) and at leftovers "
     "(AT+QFLST)."},
    {612, "file_position_invalid", "File position invalid", true,
     "Look whether the file on the FTP server is whole and was not replaced during the download."},
    {613, "file_error", "File error", true,
     "The module could not read or write its file system: look at free space (AT+QFLDS) and delete leftovers."},
    {614, "service_not_available", "Service not available, closing control connection", true,
     "The FTP server refused the session (421): look at its log and at its limit of sessions."},
    {615, "open_data_connection_fail", "Open data connection fail", true,
     "Look at the FTP server's passive ports: they must be open, forwarded, and told with a public address."},
    {616, "connection_closed_transfer_aborted", "Connection closed; transfer aborted", true,
     "The data connection broke (426): look at signal, and at time-outs of the FTP server and of NAT on the way."},
    {617, "requested_file_action_not_taken", "Requested file action not taken", true,
     "The file is busy on the FTP server (450): look whether something still writes or locks it."},
    {618, "action_aborted_local_error", "Requested action aborted: local error in processing", true,
     "The FTP server failed by itself (451): look at its log and its disk."},
    // Nothing frees space between two attempts.
    {619, "insufficient_system_storage", "Requested action not taken: insufficient system storage", false,
     "No space is left (452): look at the FTP server's disk, and at the module's file system (AT+QFLDS)."},
    {620, "syntax_error_command", "Syntax error, command unrecognized", false,
     "The server did not understand the module (500): look whether a plain FTP server listens at that port, no SFTP or "
     "FTPS."},
    {621, "syntax_error_parameters", "Syntax error in parameters or arguments", false,
     "Look at the path in the FTP URL for spaces and characters that the FTP server does not take (501)."},
    {622, "command_not_implemented", "Command not implemented", false,
     "The FTP server lacks a command that the module needs (502): look whether passive mode, SIZE and REST are on."},
    {623, "bad_sequence_of_commands", "Bad sequence of commands", false,
     "The FTP server expects another order (503): look whether it demands TLS before login."},
    {624, "command_parameter_not_implemented", "Command parameter not implemented", false,
     "Look whether the FTP server supports binary type and stream mode (504)."},
    {625, "fail_to_login_ftp", "Fail to login FTP", false,
     "Look at user and password in [ftp].public_url, and whether that account may log in from the module's network."},
    {626, "need_account_for_storing_files", "Need account for storing files", false,
     "The FTP server wants an account (532): look at the rights of the user in [ftp].public_url."},
    {627, "requested_action_not_taken", "Requested action not taken.", false,
     "Look whether the file is on the server under exactly this path, and whether the user may read it (550)."},
    {628, "action_aborted_page_type_unknown", "Requested action aborted: page type unknown", false,
     "Look at the FTP server's settings: it does not serve the file in binary as a plain stream (551)."},
    {629, "requested_file_action_aborted", "Requested file action aborted", false,
     "Storage quota is exceeded (552): look at the user's quota on the FTP server and at the module's free space."},
    {630, "requested_file_name_invalid", "Requested file name invalid", false,
     "Look at the file name in the FTP URL: plain ASCII, 50 bytes of path at most, as it is on the server (553)."},
};

constexpr FotaCode kHttp[] = {
    // Retried for the same reason as 601; a cut network during the download brings it, too.
    {701, "http_unknown_error", "HTTP unknown error", true,
     "Mostly the network: look at signal and registration, whether public_url can be reached from the module's "
     "network, "
     "and that no other data call uses its PDP context."},
    {702, "http_timeout", "HTTP timeout", true,
     "Look whether public_url is reachable from the module's network (APN, routes, port forwarding, firewall), then at "
     "signal."},
    {703, "http_busy", "HTTP busy", true,
     "The module's HTTP service is in use: look whether another program uses the module, or wait."},
    {704, "http_uart_busy", "HTTP UART busy", true,
     "The module's port is in use for data: look whether another program (ModemManager, a data call) holds the "
     "module."},
    {705, "http_no_get_post_request", "HTTP does not get/post request", true,
     "The module made no request: look whether another program uses its HTTP service."},
    {706, "http_network_busy", "HTTP network busy", true,
     "The PDP context is in use: look whether a data call or another program uses the same context, or wait."},
    {707, "http_network_open_failure", "HTTP network open failure", true,
     "The PDP context could not be activated: look at APN, user and password, registration, and the SIM's data plan."},
    {708, "http_network_not_configured", "HTTP network not configured", false,
     "Configure the PDP context: set modem.pdp (cid, apn), so that AT+QICSGP and fota/cid name the same "
     "context."},
    {709, "http_network_deactivated", "HTTP network deactivated", true,
     "The network took the PDP context away: look at signal, at the APN's idle limits and at the SIM's data plan."},
    {710, "http_network_error", "HTTP network error", true,
     "Look at signal, registration and the PDP context: its APN, and that fota/cid names it."},
    {711, "http_url_error", "HTTP URL error", false,
     "Look at public_url and the profile's spelling of the URL: HTTP://host:port/path, 255 bytes at most."},
    {712, "http_empty_url", "HTTP empty URL", false,
     "The module saw no URL: look at public_url and at what dfota-gateway --verbose shows of the command."},
    {713, "http_ip_address_error", "HTTP IP address error", false,
     "Look at the host in public_url: it must be an IPv4 address or a name that the module's network knows."},
    {714, "http_dns_error", "HTTP DNS error", true,
     "The host name in public_url did not resolve in the module's network: look at the APN's DNS, or use an IP "
     "address."},
    {715, "http_socket_create_error", "HTTP socket create error", true,
     "The module has no free socket or no active PDP context: look whether another program uses its sockets."},
    {716, "http_socket_connect_error", "HTTP socket connect error", true,
     "Look whether public_url is reachable from the module's network: its port must be open, forwarded to the gateway "
     "and "
     "routed by the APN."},
    {717, "http_socket_read_error", "HTTP socket read error", true,
     "The connection broke while reading: look at signal, and at time-outs of NAT and firewalls on the way."},
    {718, "http_socket_write_error", "HTTP socket write error", true,
     "The connection broke while asking: look at signal, and at firewalls between the module and public_url."},
    {719, "http_socket_close", "HTTP socket close", true,
     "The connection was closed early: look at signal, and at proxies and NAT between the module and public_url."},
    // The same request is encoded the same way again.
    {720, "http_data_encode_error", "HTTP data encode error", false,
     "Look at the URL for characters beyond plain ASCII."},
    {721, "http_data_decode_error", "HTTP data decode error", true,
     "The answer was not understood: look whether a proxy of the carrier changes it, or another server answers at "
     "public_url."},
    {722, "http_read_timeout", "HTTP read timeout", true,
     "The data stopped coming: look at signal, and lower limits.downloads when many modules share a cell."},
    {723, "http_response_failure", "HTTP response failure", true,
     "The server's answer was no success: look whether public_url leads to this gateway without a redirect or a proxy, "
     "and the file is on the server."},
    {724, "incoming_call_busy", "Incoming call busy", true,
     "A call came in: bar incoming calls on this SIM, or try when it is not called."},
    {725, "voice_call_busy", "Voice call busy", true, "A voice call is going on: try when it has ended."},
    {726, "input_timeout", "Input timeout", true,
     "The module waited for input: look whether another program speaks on its port, and at flow control."},
    {727, "wait_for_data_timeout", "Wait for data timeout", true,
     "No data came in time: look at signal, and whether public_url is reachable from the module's network."},
    {728, "http_response_timeout", "HTTP response timeout", true,
     "Connected but never answered: look whether port forwarding of public_url ends at this gateway, then at signal."},
    {729, "allocate_memory_failure", "Allocate memory failure", true,
     "The module ran out of memory: end its other connections, and restart it if this stays."},
    {730, "invalid_parameter", "Invalid parameter", false,
     "Look at the URL and the PDP context: public_url in the profile's spelling, and fota/cid naming a configured "
     "context."},
};

// No guide says more than the number; as for every download, the whole command again is safe.
constexpr FotaCode kFile[] = {
    {500, "file_transfer_failed", "File transfer failed", true,
     "The module did not take the whole file over its port: look at flow control, at the announced length and at free "
     "space (AT+QFLDS)."},
};

constexpr FotaCode kCommand[] = {
    {0, "phone_failure", "Phone failure", false, "The module failed by itself: restart it by hand if this stays."},
    {3, "operation_not_allowed", "Operation not allowed", false,
     "The module refuses this now: look whether an update already runs, and at the form of the command in the "
     "log (dfota-gateway --verbose)."},
    {4, "operation_not_supported", "Operation not supported", false,
     "This firmware does not know the command: look at the module's profile and whether the model supports DFOTA."},
    {10, "sim_not_inserted", "SIM not inserted", false, "Insert a SIM: the module downloads over its own network."},
    {11, "sim_pin_required", "SIM PIN required", false, "Enter or switch off the PIN of the SIM."},
    {12, "sim_puk_required", "SIM PUK required", false, "The SIM is blocked: enter its PUK."},
    {13, "sim_failure", "SIM failure", false, "Look at the SIM and its holder."},
    {14, "sim_busy", "SIM busy", true, "The SIM is still starting: wait some seconds after the module's boot."},
    {15, "sim_wrong", "SIM wrong", false, "The module is locked to another SIM: look at the SIM."},
    {16, "incorrect_password", "Incorrect password", false,
     "Look at the PIN of the SIM before its last try is used up."},
    {20, "memory_full", "Memory full", false, "Free space in the module's file system (AT+QFLST, AT+QFDEL)."},
    {23, "memory_failure", "Memory failure", false, "The module's storage failed: look at it by hand."},
    {30, "no_network_service", "No network service", true,
     "Look at antenna, signal and registration (AT+CREG?), and whether the SIM's plan is active."},
    {50, "incorrect_parameters", "Incorrect parameters", false,
     "Look at the command in the log (dfota-gateway --verbose): the profile's form of AT+QFOTADL or the PDP settings "
     "do not fit this "
     "firmware."},
    {100, "unknown_error", "Unknown", false, "Look at the command and at what came before it in the log."},
};

}  // namespace

std::span<const FotaCode> ftp_codes() {
  return kFtp;
}
std::span<const FotaCode> http_codes() {
  return kHttp;
}
std::span<const FotaCode> file_codes() {
  return kFile;
}
std::span<const FotaCode> command_codes() {
  return kCommand;
}

}  // namespace dfota
