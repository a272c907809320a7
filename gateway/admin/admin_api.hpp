// The admin HTTP API (contract, "Admin HTTP"): what a request is answered with. Lists come from the board, so that
// whoever looks costs the gateway's loop nothing; the rest is asked of the loop, each question with a deadline. Runs on
// the workers of the admin listener, several at once.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "gateway/admin/access.hpp"
#include "gateway/admin/board.hpp"
#include "gateway/admin/loop_questions.hpp"
#include "gateway/jobs.hpp"
#include "gateway/metrics.hpp"
#include "gateway/mqtt_api.hpp"
#include "gateway/transcripts.hpp"
#include "transport/web_server.hpp"

namespace dfota {

class AdminApi {
 public:
  static constexpr auto kAlive = std::chrono::seconds(2);     ///< /healthz: the loop turns within it
  static constexpr auto kAnswer = std::chrono::seconds(20);   ///< a question waits for a commit at most so long
  static constexpr auto kLater = std::chrono::seconds(60);    ///< what takes longer is said to be going on (202)
  static constexpr unsigned kMostLater = 3;                   ///< workers that may wait for such answers
  static constexpr std::size_t kMaxCommandBytes = 64 * 1024;  ///< as over MQTT

  /// All on the loop, but for `web` and `board`. All must outlive it, and so must `access`.
  struct World {
    asio::io_context& loop;
    asio::io_context& web;
    const Config& config;
    Board& board;
    MqttApi& mqtt;
    Jobs& jobs;
    const Jobs::Modules& modules;
    FileServer& files;
    Journal& journal;
    Transcripts& transcripts;
    const Metrics& metrics;
  };
  AdminApi(const World& world, const Access& access);

  WebAnswer answer(const WebRequest& request, WebBody& body);
  /// The loop turns no more: whoever waits for it is answered with 503.
  void end();

 private:
  WebAnswer read(const WebRequest& request);
  WebAnswer read_of(const WebRequest& request, const std::string& what);
  WebAnswer health();
  WebAnswer readiness();
  WebAnswer modules();
  WebAnswer jobs();
  WebAnswer module(const std::string& id);
  WebAnswer job(const std::string& id);
  WebAnswer artifacts();
  WebAnswer transcript(const std::string& module, const std::string& job);
  static WebAnswer page_file(const WebRequest& request);

  // admin_commands.cpp
  WebAnswer write(const WebRequest& request, WebBody& body);
  WebAnswer run(const std::string& verb, nlohmann::json document);
  WebAnswer put_artifact(const std::string& name, const WebRequest& request, WebBody& body);
  WebAnswer bring_artifact(const std::string& name, const WebRequest& request, WebBody& body);

  World world_;
  const Access& access_;
  LoopQuestions loop_, web_;
  std::atomic<unsigned> waiting_later_{0};
  std::mutex putting_mutex_;
  std::set<std::string> putting_;  ///< names of artifacts that are being brought
};

}  // namespace dfota
