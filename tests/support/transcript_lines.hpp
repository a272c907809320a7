// How the tests of the transcripts write down what was said: a line an event, the numbers of one stage on one line; and
// the rows of numbers that several of them say.
#pragma once

#include <string>

namespace dfota::test {

inline const std::string kOneToHundred =
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 "
    "42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 "
    "80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96 97 98 99 100";
inline const std::string kTwoToHundred =
    "2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 40 42 44 46 48 50 52 54 56 58 60 62 64 66 68 70 72 74 76 78 "
    "80 82 84 86 88 90 92 94 96 98 100";
inline const std::string kSevenToFortySeven =
    "7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 "
    "46 47";
inline const std::string kSixtyToNinetySix =
    "60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89 90 91 92 93 94 95 96";

/// Lines of `what number number ...`, where a number was told.
class Lines {
 public:
  void add(const std::string& what, const std::string& number) {
    if (number.empty() || what != last_) text_ += (text_.empty() ? "" : "\n") + what;
    if (!number.empty()) text_ += " " + number;
    last_ = number.empty() ? "" : what;
  }
  [[nodiscard]] std::string text() const { return text_ + "\n"; }

 private:
  std::string text_, last_;
};

}  // namespace dfota::test
