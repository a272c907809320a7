// Whether a server can be reached, and where the way ends when it cannot: name, TCP, TLS, HTTP. By libcurl, never
// through a proxy of the environment, since what is asked about is the way itself. Blocking, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace dfota {

struct ProbeOptions {
  std::chrono::milliseconds limit{10000};          ///< for all of it
  std::string ca_file{}, cert_file{}, key_file{};  ///< of TLS; empty: the system's authorities, no certificate of ours
};

enum class ProbeStage { name, tcp, tls, http };

struct ProbeFault {
  ProbeStage stage;
  std::string why;
};

struct ConnectionProbe {
  std::string address;              ///< that was connected to; empty: none was
  std::optional<ProbeFault> fault;  ///< nothing: the connection stands
};

/// A connection, with TLS on top, to that host and port. Nothing is sent over it but the handshake.
ConnectionProbe probe_connection(const std::string& host, std::uint16_t port, bool tls, const ProbeOptions& options);

struct HttpProbe {
  std::string address;
  long status = 0;
  std::size_t body_bytes = 0;       ///< counted up to 64 KiB
  std::string via;                  ///< the field Via of the answer, which a proxy adds
  std::optional<ProbeFault> fault;  ///< nothing: there was an answer
};

/// One GET, no redirects.
HttpProbe probe_http(const std::string& url, const ProbeOptions& options);

}  // namespace dfota
