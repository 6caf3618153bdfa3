#pragma once
// The bytes of an answer as ASCII LaTeX: what the parser reads.

#include <optional>
#include <string>
#include <string_view>

namespace plumb::math {

/// Unicode maths becomes LaTeX (− √ π ° ² ½ ∞ ≤ and their kin), full-width and Arabic-Indic digits become ASCII, what
/// is invisible goes away; other letters stay as they are. Nothing where the bytes are not UTF-8 or hold a NUL. Linear
/// time.
std::optional<std::string> clean_answer(std::string_view answer);

/// The words of an answer for comparing texts: without \text{} and its kin, dollars, braces, quotes and final stops; in
/// lower case; blanks collapsed.
std::string plain_words(std::string_view cleaned);

/// `text` without blanks (ASCII and ~) at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace plumb::math
