#include "transport/web_render.hpp"

#include <httplib.h>

#include <algorithm>
#include <cctype>

namespace dfota {
namespace {

bool same_name(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// Those of the answer, and those of all answers that it does not have.
WebHeaders all_headers(const WebAnswer& answer, const WebHeaders& headers) {
  auto all = answer.headers;
  for (const auto& header : headers) {
    const bool has = std::any_of(answer.headers.begin(), answer.headers.end(),
                                 [&](const auto& own) { return same_name(own.first, header.first); });
    if (!has) all.push_back(header);
  }
  // What a handler took from a request must not end a line.
  std::erase_if(all, [](const auto& header) {
    return std::any_of(header.second.begin(), header.second.end(), [](unsigned char c) { return c < 0x20; });
  });
  return all;
}

/// A request without anything in it, and room for the response.
class MemoryStream final : public httplib::Stream {
 public:
  explicit MemoryStream(std::string request) : request_(std::move(request)) {}
  bool is_readable() const override { return read_ < request_.size(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* to, size_t size) override {
    const auto count = request_.copy(to, size, read_);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, size_t size) override {
    written_.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override { none(ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { none(ip, port); }
  socket_t socket() const override { return 0; }

  std::string take() { return std::move(written_); }

 private:
  static void none(std::string& ip, int& port) {
    ip.clear();
    port = 0;
  }

  const std::string request_;
  std::size_t read_ = 0;
  std::string written_;
};

/// Made for one answer. It never listens.
class Renderer final : private httplib::Server {
 public:
  Renderer(const WebAnswer& answer, const WebHeaders& headers) {
    set_pre_routing_handler([&](const httplib::Request&, httplib::Response& response) {
      response.status = answer.status;
      response.body = answer.body;
      if (!answer.body.empty()) response.set_header("Content-Type", answer.type);
      for (const auto& [name, value] : all_headers(answer, headers)) response.headers.emplace(name, value);
      return HandlerResponse::Handled;
    });
    set_post_routing_handler([status = answer.status](const httplib::Request&, httplib::Response& response) {
      response.headers.erase("Accept-Ranges");                                       // to HEAD it promises some
      if (status == 204 || status == 304) response.headers.erase("Content-Length");  // RFC 9110, 8.6
    });
    // Without it the text of an exception becomes a header (CVE-2026-28434).
    set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, std::exception_ptr) { response.status = 500; });
  }

  void write(MemoryStream& stream) {
    bool closed = false;
    process_request(stream, true, closed, nullptr);
  }
};

}  // namespace

std::string render(const WebAnswer& answer, const WebHeaders& headers, bool head_only) {
  MemoryStream stream(head_only ? "HEAD / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\n\r\n");
  Renderer(answer, headers).write(stream);
  return stream.take();
}

std::string render_stream_head(const WebAnswer& answer, const WebHeaders& headers) {
  std::string head =
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/event-stream\r\n"
      "Connection: close\r\n"
      "X-Accel-Buffering: no\r\n";  // a proxy between would keep events back
  for (const auto& [name, value] : all_headers(answer, headers)) head += name + ": " + value + "\r\n";
  return head + "\r\n";
}

}  // namespace dfota
