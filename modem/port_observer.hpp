// Who looks on while a module's port is opened, spoken to and heard: the recorder of an update's dialogue. AtPort and
// ModulePort tell it of everything in the order in which it happened. Loop thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "modem/at_parser.hpp"

namespace dfota {

class PortObserver {
 public:
  virtual ~PortObserver() = default;
  virtual void port_opened(std::string_view name) = 0;
  virtual void port_closed(std::string_view why) = 0;
  /// Without its CR, and not masked yet.
  virtual void command_sent(std::string_view text) = 0;
  /// So many bytes more, after CONNECT or for FILE:.
  virtual void data_sent(std::size_t bytes) = 0;
  /// Every line, and no ack.
  virtual void heard(const AtEvent& event) = 0;
};

}  // namespace dfota
