#include "gateway/answer.hpp"

namespace dfota {

using nlohmann::json;

json error_reply(const CommandFault& fault) {
  return {{"status", "error"},
          {"error", {{"code", fault.code}, {"message", fault.message}, {"pointer", fault.pointer}}}};
}

json ok_reply(json data) {
  return {{"status", "ok"}, {"data", std::move(data)}, {"warnings", json::array()}};
}

}  // namespace dfota
