#include "gateway/outbox.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>

#include "transport/base/log.hpp"

namespace dfota {
MqttPublication publication_of(const OutboxRow& row) {
  MqttPublication publication;
  publication.topic = row.topic;
  publication.payload = row.payload;
  publication.retained = row.retained;
  return publication;
}

Outbox::Outbox(asio::io_context& loop, Journal& journal, MqttClient& mqtt, std::vector<OutboxRow> rows)
    : loop_(loop), journal_(journal), mqtt_(mqtt) {
  size_ = rows.size();
  for (auto& row : rows) queues_[row.job].rows.push_back(std::move(row));
  for (const auto& [job, queue] : queues_) asio::post(loop_, [this, job = job] { publish_next(job); });
}

void Outbox::add(Write kind, OutboxRow row) {
  journal_.put_outbox(kind, row);
  uncommitted_.push_back(std::move(row));
  ++size_;
  if (committing_) return;
  committing_ = true;
  asio::co_spawn(loop_, publish_committed(), rethrow);
}

Awaitable<> Outbox::publish_committed() {
  while (!uncommitted_.empty()) {
    std::vector<OutboxRow> rows;
    rows.swap(uncommitted_);
    for (;;) {
      const auto committed = co_await journal_.committed();
      if (committed) break;
      // The journal keeps what was put and tries again; what is not on the disk is not published.
      co_await sleep_for(loop_, std::chrono::seconds(1));
    }
    for (auto& row : rows) {
      const auto job = row.job;
      queues_[job].rows.push_back(std::move(row));
      publish_next(job);
    }
  }
  committing_ = false;
}

bool Outbox::holds_state(const std::string& job) const {
  const auto is_state = [&](const OutboxRow& row) { return row.retained && row.job == job; };
  const auto queue = queues_.find(job);
  return std::any_of(uncommitted_.begin(), uncommitted_.end(), is_state) ||
         (queue != queues_.end() && std::any_of(queue->second.rows.begin(), queue->second.rows.end(), is_state));
}

void Outbox::publish_next(const std::string& job) {
  auto& queue = queues_[job];
  if (queue.in_flight) return;
  if (queue.rows.empty()) {
    queues_.erase(job);
    return;
  }
  queue.in_flight = true;
  const auto& row = queue.rows.front();
  mqtt_.publish(publication_of(row), [this, job, seq = row.seq](Result<void> result) {
    asio::post(loop_, [this, job, seq, result] { acknowledged(job, seq, result); });
  });
}

void Outbox::acknowledged(const std::string& job, std::uint64_t seq, Result<void> result) {
  auto& queue = queues_[job];
  if (!result) {
    log::warning("job ", job, ": ", queue.rows.front().topic, " was not taken by the broker: ", result.error().message);
    asio::co_spawn(loop_, try_again(job), rethrow);
    return;
  }
  queue.in_flight = false;
  journal_.mark_sent(Write::outbox_sent, seq);
  queue.rows.pop_front();
  --size_;
  publish_next(job);
}

Awaitable<> Outbox::try_again(std::string job) {
  co_await sleep_for(loop_, kRetry);
  queues_[job].in_flight = false;
  publish_next(job);
}

}  // namespace dfota
