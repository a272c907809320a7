#include "modem/danger.hpp"

namespace dfota {

std::string_view to_word(Step step) {
  switch (step) {
    case Step::preparing:
      return "preparing";
    case Step::commanded:
      return "commanded";
    case Step::released:
      return "released";
  }
  return "";
}

}  // namespace dfota
