#include "transport/tls_fault.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "transport/base/clock.hpp"

namespace dfota {
namespace {
struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

/// What a certificate says of itself is the other side's text.
std::string harmless(std::string text) {
  constexpr std::size_t kMost = 200;
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

std::string in_brackets(const std::string& text) {
  return text.empty() ? "" : " (" + text + ")";
}

/// A name server that does not answer may take the resolver half a minute, and nothing can interrupt it: it is left
/// behind.
std::shared_ptr<Owned<addrinfo>> addresses_of(const MqttBroker& broker, std::chrono::milliseconds limit) {
  const auto addresses = std::make_shared<Owned<addrinfo>>();
  std::promise<bool> done;
  auto found = done.get_future();
  std::thread([broker, addresses, done = std::move(done)]() mutable {
    addrinfo hints{}, *list = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    const bool good = ::getaddrinfo(broker.host.c_str(), std::to_string(broker.port).c_str(), &hints, &list) == 0;
    addresses->reset(list);
    done.set_value(good);
  }).detach();
  return found.wait_for(limit) == std::future_status::ready && found.get() ? addresses : nullptr;
}

/// Connected and non-blocking, or -1.
int connected_socket(const MqttBroker& broker, std::chrono::milliseconds limit) {
  const auto addresses = addresses_of(broker, limit);
  if (!addresses) return -1;
  timeval time{};
  time.tv_sec = limit.count() / 1000;
  time.tv_usec = limit.count() % 1000 * 1000;
  const auto deadline = Clock::now() + limit;
  for (const addrinfo* one = addresses->get(); one != nullptr && Clock::now() < deadline; one = one->ai_next) {
    const int fd = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (fd < 0) continue;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);  // of connect(), too
    const bool connected = ::connect(fd, one->ai_addr, one->ai_addrlen) == 0;
    if (connected && ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0) return fd;
    ::close(fd);
  }
  return -1;
}

/// The last result of `step`, which is tried until it ends or the deadline has come, however slowly the other side
/// drips.
template <class Step>
int until_ended(SSL* ssl, Clock::time_point deadline, Step step) {
  for (;;) {
    const int result = step();
    const int error = SSL_get_error(ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return result;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return result;
    pollfd ready{SSL_get_fd(ssl), static_cast<short>(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    ::poll(&ready, 1, static_cast<int>(left));
  }
}

/// Nobody is asked for the passphrase of a key.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

/// Puts our files into the context; what is wrong with them.
std::optional<std::string> take_files(SSL_CTX* context, const TlsFiles& files) {
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (files.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_locations(context, files.ca.c_str(), nullptr) != 1) {
    return "ca_file " + files.ca + " holds no certificate that can be read (PEM)";
  }
  if (files.cert.empty()) return std::nullopt;
  if (SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1) {
    return "cert_file " + files.cert + " holds no certificate that can be read (PEM)";
  }
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1) return std::nullopt;
  const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
  if (mismatch) return "key_file " + files.key + " is not the key of the certificate in " + files.cert;
  return "key_file " + files.key + " holds no key that can be read (PEM, without a passphrase)";
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return harmless(std::string(bytes, static_cast<std::size_t>(std::max(size, 0L))));
}

std::string subject_of(const X509* certificate) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  return text_of(bio.get());
}

std::string day_of(const ASN1_TIME* time) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), time);
  return text_of(bio.get());
}

/// "localhost, 192.168.1.2": the names and addresses that the certificate is for.
std::string names_of(const X509* certificate) {
  const Owned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string list;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const Owned<BIO> bio(BIO_new(BIO_s_mem()));
    GENERAL_NAME_print(bio.get(), sk_GENERAL_NAME_value(names.get(), i));
    std::string name = text_of(bio.get());
    for (const std::string kind : {"DNS:", "IP Address:"}) {
      if (name.starts_with(kind)) name = name.substr(kind.size());
    }
    list += (list.empty() ? "" : ", ") + name;
  }
  return list.empty() ? subject_of(certificate) : harmless(list);
}

std::string fault_of_broker(long result, const X509* certificate, const MqttBroker& broker, const TlsFiles& files) {
  const std::string theirs = "the broker's certificate" + in_brackets(subject_of(certificate));
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return theirs + " has expired on " + day_of(X509_get0_notAfter(certificate)) +
             ": renew it, or look at this machine's clock";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return theirs + " is valid only from " + day_of(X509_get0_notBefore(certificate)) +
             ": look at this machine's clock";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the broker's certificate is for " + names_of(certificate) + ", not for " + broker.host +
             ": name the broker as its certificate does";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return theirs + " is not signed by an authority " +
             (files.ca.empty() ? "that this machine knows: name the broker's own in ca_file" : "of " + files.ca);
    default:
      return theirs + " is not accepted: " + X509_verify_cert_error_string(result);
  }
}

/// What the other side said when it ended the handshake, or the one that it seemed to have ended.
std::optional<std::string> fault_of_alert(const TlsFiles& files) {
  const unsigned long error = ERR_peek_error();
  if (error == 0 || ERR_GET_LIB(error) != ERR_LIB_SSL) return std::nullopt;
  const std::string ours = "the broker refuses our certificate (" + files.cert + "): ";
  switch (ERR_GET_REASON(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
      return "there is no TLS at this port: is it mqtt:// that is meant, or another port?";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      if (files.cert.empty()) return "the broker wants a client certificate: name one in cert_file and key_file";
      break;
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return ours + "it has expired";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return ours + "it was revoked";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return ours + "it does not know its authority";
    default:
      break;
  }
  const char* const reason = ERR_reason_error_string(error);
  return std::string("the TLS handshake fails: ") + (reason != nullptr ? reason : "no reason given");
}
}  // namespace

std::optional<std::string> tls_fault(const MqttBroker& broker, const TlsFiles& files, std::chrono::milliseconds limit) {
  ERR_clear_error();
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  if (!context) return std::nullopt;
  if (auto fault = take_files(context.get(), files)) return fault;
  const Socket socket(connected_socket(broker, limit));
  if (socket.fd() < 0) return std::nullopt;
  const Owned<SSL> ssl(SSL_new(context.get()));
  X509_VERIFY_PARAM* const parameters = SSL_get0_param(ssl.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, broker.host.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(parameters, broker.host.c_str(), 0);
    SSL_set_tlsext_host_name(ssl.get(), broker.host.c_str());
  }
  SSL_set_verify(ssl.get(), SSL_VERIFY_NONE, nullptr);  // goes on, so that all of it can be told
  ERR_clear_error();
  SSL_set_fd(ssl.get(), socket.fd());
  const int shaken = until_ended(ssl.get(), Clock::now() + limit, [&] { return SSL_connect(ssl.get()); });
  const Owned<X509> theirs(SSL_get1_peer_certificate(ssl.get()));
  const long result = SSL_get_verify_result(ssl.get());
  if (theirs && result != X509_V_OK) return fault_of_broker(result, theirs.get(), broker, files);
  if (shaken != 1) return fault_of_alert(files);
  // With TLS 1.3 the broker looks at our certificate after the handshake is over for us.
  char byte = 0;
  const int read = until_ended(ssl.get(), Clock::now() + limit, [&] { return SSL_read(ssl.get(), &byte, 1); });
  if (read <= 0 && SSL_get_error(ssl.get(), read) == SSL_ERROR_SSL) return fault_of_alert(files);
  return std::nullopt;
}

}  // namespace dfota
