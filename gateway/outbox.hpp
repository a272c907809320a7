// Results, errors and last job states on their way to the broker: in the journal before they are published, in order
// for each job, one unacknowledged row a job, and gone only when a PUBACK without an error code came. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "gateway/journal.hpp"
#include "transport/base/signal.hpp"
#include "transport/mqtt_client.hpp"

namespace dfota {

/// As it is published.
MqttPublication publication_of(const OutboxRow& row);

class Outbox {
 public:
  static constexpr auto kRetry = std::chrono::seconds(5);  ///< after the broker refused a row (its ACL, say)

  /// Both must outlive it. `rows` is what the journal still had from before.
  Outbox(asio::io_context& loop, Journal& journal, MqttClient& mqtt, std::vector<OutboxRow> rows);

  /// The seq that a payload has to bear; used at once with add().
  std::uint64_t next_seq() { return journal_.next_seq(); }
  /// Shares the commit of this turn of the loop; published after it.
  void add(Write kind, OutboxRow row);
  [[nodiscard]] std::size_t size() const { return size_; }
  /// A retained state of this job is still to be published.
  [[nodiscard]] bool holds_state(const std::string& job) const;

 private:
  struct Queue {
    std::deque<OutboxRow> rows;
    bool in_flight = false;
  };

  Awaitable<> publish_committed();
  Awaitable<> try_again(std::string job);
  void publish_next(const std::string& job);
  void acknowledged(const std::string& job, std::uint64_t seq, Result<void> result);

  asio::io_context& loop_;
  Journal& journal_;
  MqttClient& mqtt_;
  std::vector<OutboxRow> uncommitted_;
  bool committing_ = false;
  std::map<std::string, Queue> queues_;  ///< by job
  std::size_t size_ = 0;
};

}  // namespace dfota
