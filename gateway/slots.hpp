// Who may download and who may update at once: limits.downloads and limits.updates over all jobs, and those of
// [[limit]] for the modules with one tag. A module takes one of each before its command; the first is given back at
// ...END, the second at the verdict. A free place goes to the job that holds the fewest, among equals to who came
// first; one that waits for its tag's limit does not hold up the others.
//
// [[limit]] reboots: of the modules with that tag so many may reboot, which is from the last byte (http) or the command
// (the others) to the verdict. As many again may download meanwhile and stand by for their last byte, and no more: a
// module waits for it only as long as its own HTTP client does. Who stands by goes before who has not begun. Loop
// thread only.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
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
    /// `job`: among whose modules the places are shared out fairly. `on_reboot`: it stood by, and may reboot now.
    Claim(
        Slots& slots, std::string job, const std::vector<std::string>& tags, std::function<void()> on_reboot = [] {});
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    /// Asks for one of each, where it does not hold or ask already; `to_reboot`: and, with them, for a place to reboot.
    void request(bool to_reboot = false);
    [[nodiscard]] bool held() const { return downloads_ && updates_; }
    /// Until it may be held, or wake() was called. One waiter.
    Awaitable<> wait();
    void wake() { granted_.notify(); }
    /// Asks for a place to reboot, where it does not hold or ask already. True: it holds one.
    bool stand_by();
    /// Takes one of each whatever the limits say (after a restart: it downloads or flashes already); `reboots`: and a
    /// place to reboot.
    void adopt(bool reboots);
    void give_back_download();
    /// And asks for nothing any more.
    void give_back();

   private:
    friend class Slots;
    Slots& slots_;
    std::string job_;
    std::vector<std::size_t> limits_;  ///< which of Slots::limits_ count this module
    std::function<void()> on_reboot_;
    Signal granted_;
    bool waiting_ = false, standing_by_ = false;
    bool to_reboot_ = false;  ///< what it waits for includes a place to reboot
    bool downloads_ = false, updates_ = false, reboots_ = false;

    void take_download();
    void take_update();
    void take_reboot();
  };

 private:
  struct Limit {
    std::string tag;  ///< empty: all modules
    unsigned downloads, updates, reboots;
    unsigned downloading = 0, updating = 0, rebooting = 0;
  };

  [[nodiscard]] bool has_room(const Claim& claim) const;
  [[nodiscard]] bool may_reboot(const Claim& claim) const;
  [[nodiscard]] unsigned held_by(const std::string& job) const;
  void count(const Claim& claim, unsigned Limit::*what, int by);
  void grant();
  void grant_reboots();

  asio::io_context& loop_;
  std::vector<Limit> limits_;
  std::list<Claim*> waiting_;             ///< to begin
  std::list<Claim*> standing_by_;         ///< to reboot
  std::map<std::string, unsigned> held_;  ///< places for updates, by job
};

}  // namespace dfota
