#pragma once
// What a program printed against what it should have: in the judge's process, on bytes of any kind.

#include <optional>
#include <string>
#include <string_view>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// How an answer is compared.
///   exact      the same bytes, line ends at the very end aside; PE where only white space differs
///   tokens     the same words in the same order, however much white space lies between
///   float      as tokens; two numbers are also equal within `absolute` or `relative`
///   unordered  the same lines in any order, each compared as tokens
///   program    `source` decides (below)
///   interactive  `source` talks with the program and decides
struct Checker {
  std::string kind = "tokens";
  double absolute = 1e-9;
  double relative = 1e-9;
  /// A program of the task's author in `language` (languages/), run in a sandbox of its own with the file names of
  /// input, output and answer as arguments, as testlib does (verdict_of_checker()). An
  /// interactor has the same arguments; what it prints the candidate reads, and the other way about.
  std::string language;
  std::string source;
};

/// Errors: a kind that is not listed above, a negative tolerance, a program without source or language.
Result<void> validate(const Checker& checker);

/// What the exit code of a checker or interactor means, as testlib.h has them: 0 AC, 1 WA; 2 (presentation), 4 (more
/// output than asked for) and 8 (an early end of it) PE; 7 and 50 to 125 (points, of which these are not all) WA.
/// Nothing for any other: 3 is its own failure, the rest are none of its words.
std::optional<Verdict> verdict_of_checker(int exit_code);

/// AC, WA or PE. `checker` is valid and no program. Time and memory are linear in the sizes (unordered: n log n).
/// NaN equals no number but is equal to the same word; infinities equal themselves.
Verdict compare_output(const Checker& checker, std::string_view output, std::string_view expected);

}  // namespace plumb
