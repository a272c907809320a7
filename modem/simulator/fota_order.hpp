// AT+QFOTADL as the firmware of one family takes it: which addresses, which parameters behind them. No I/O.
//   AT+QFOTADL="HTTP://host:80/d.bin"   AT+QFOTADL="http://host:80/d.bin",1,50   AT+QFOTADL="/data/ufs/d.bin"
//   AT+QFOTADL=1
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "modem/simulator/family.hpp"
#include "modem/simulator/update_target.hpp"

namespace dfota::sim {

inline constexpr int kCmeNotAllowed = 3;
inline constexpr int kCmeIncorrectParameters = 50;

struct FotaOrder {
  UpdateTarget target;
  unsigned downloading_urcs = 0;  ///< how often DOWNLOADING is said at most
};

/// Address and parameters of what stands behind "AT+QFOTADL=", the quotes taken off.
struct FotaArguments {
  std::string address;
  std::string parameters;  ///< with its comma
  bool quoted = false;
};
FotaArguments split_arguments(std::string_view arguments);

/// The order, or the number of the CME error that refuses it.
std::variant<FotaOrder, int> take_order(const Family& family, std::string_view model, std::string_view version,
                                        std::string_view arguments);
/// The answer to AT+QFOTADL=? before its OK; empty: nothing but OK.
std::string order_help(const Family& family);

}  // namespace dfota::sim
