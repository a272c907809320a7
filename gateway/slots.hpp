// Who may download and who may update at once: limits.downloads and limits.updates over all jobs, and those of
// [[limit]] for the modules with one tag. A module takes one of each before its command; the first is given back at
// ...END, the second at the verdict. A free place goes to the job that holds the fewest, among equals to who came
// first; one that waits for its tag's limit does not hold up the others. Loop thread only.
#pragma once

#include <asio/io_context.hpp>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "transport/base/signal.hpp"

namespace dfota {

class Slots {
 public:
  Slots(asio::io_context& loop, const LimitsConfig& limits, const std::vector<TagLimitConfig>& tag_limits);

  /// What one module holds. Gives it back when destroyed.
  class Claim {
   public:
    /// `job`: among whose modules the places are shared out fairly.
    Claim(Slots& slots, std::string job, const std::vector<std::string>& tags);
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    /// Asks for one of each, where it does not hold or ask already.
    void request();
    [[nodiscard]] bool held() const { return downloads_ && updates_; }
    /// Until it may be held, or wake() was called. One waiter.
    Awaitable<> wait();
    void wake() { granted_.notify(); }
    /// Takes one of each whatever the limits say (after a restart: it downloads or flashes already).
    void adopt();
    void give_back_download();
    /// And asks for nothing any more.
    void give_back();

   private:
    friend class Slots;
    Slots& slots_;
    std::string job_;
    std::vector<std::size_t> limits_;  ///< which of Slots::limits_ count this module
    Signal granted_;
    bool waiting_ = false, downloads_ = false, updates_ = false;
  };

 private:
  struct Limit {
    std::string tag;  ///< empty: all modules
    unsigned downloads, updates;
    unsigned downloading = 0, updating = 0;
  };

  [[nodiscard]] bool has_room(const Claim& claim) const;
  [[nodiscard]] unsigned held_by(const std::string& job) const;
  void count(const Claim& claim, int downloads, int updates);
  void grant();

  asio::io_context& loop_;
  std::vector<Limit> limits_;
  std::list<Claim*> waiting_;
  std::map<std::string, unsigned> held_;  ///< places for updates, by job
};

}  // namespace dfota
