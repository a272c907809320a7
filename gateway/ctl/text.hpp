// Text for a terminal or a log file: what came from outside is made harmless, and fitted into columns. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace dfota::ctl {

/// Control characters (C0, DEL, C1), direction marks, invisible ones, marks that stand on others and bytes that are no
/// UTF-8 become '?'. Nothing that comes out of it can move the cursor, change colours or turn the text around.
std::string printable(const std::string& text);

/// Columns: two for a wide character (East Asian, emoji), one for every other.
std::size_t columns(const std::string& printable_text);

/// Cut to at most `width` columns, the last of them "~" where something was cut.
std::string cut(const std::string& printable_text, std::size_t width);

/// Likewise, with its end kept: of names, which differ at their ends.
std::string cut_front(const std::string& printable_text, std::size_t width);

/// Cut, or filled with spaces, to exactly `width` columns.
std::string fitted(const std::string& printable_text, std::size_t width);

std::string rate_text(std::optional<double> bytes_per_second);  ///< "118 kB/s"
std::string time_text(std::optional<double> seconds);           ///< "0:12", "1:02:03"

/// "2 running, 1 succeeded", without those that are 0; empty when all are.
std::string counts_text(const std::map<std::string, std::int64_t>& counts);

}  // namespace dfota::ctl
