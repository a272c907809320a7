// The body of one request, read from its socket by the worker that answers it, when and as far as it asks. Not by
// cpp-httplib 0.11.4: that reads a body into memory before it asks any handler, takes a chunked one beyond every limit
// (CVE-2025-46728), and has no deadline for a peer that drips. Part of transport/web_server; the worker's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "transport/web_request.hpp"
#include "transport/web_server.hpp"

namespace dfota {

class SocketBody final : public WebBody {
 public:
  /// `rest`: what came after the head. `saving`: how many bodies are being saved, of all workers. All must outlive it.
  SocketBody(int socket, std::string rest, const WebCall& call, const WebServerOptions& options,
             std::atomic<unsigned>& saving);
  Result<std::string> read() override;
  Result<std::uint64_t> save(const std::filesystem::path& file, std::uint64_t max_bytes) override;

 private:
  Result<void> begin();
  Result<std::size_t> receive(char* to, std::size_t size, Clock::time_point deadline);
  Result<void> copy_to(int file, const std::string& name);

  const int socket_;
  std::string rest_;
  std::uint64_t left_;
  const WebCall& call_;
  const WebServerOptions& options_;
  std::atomic<unsigned>& saving_;
};

}  // namespace dfota
