#pragma once
// The patterns of the widespread byte-level tokenizers, written out: what a regular expression would match, found in
// one pass. tests/tokenizer compares them with the expressions.

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace plumb {

/// kGpt2: contractions, then runs of letters, of numbers, of other symbols (each with at most one space in front), then
/// white space, whose last character goes with what follows. kSmollm: the same after every number has been cut out as
/// a piece of its own. kLlama3, kQwen2: contractions in any case; letters with at most one symbol in front; up to three
/// numbers (Qwen2: one); symbols with the line ends behind them; white space up to its last line end.
enum class ScannerKind { kGpt2, kSmollm, kLlama3, kQwen2 };

/// The kind whose pieces are the matches of `pattern` (Oniguruma's syntax), if there is one.
std::optional<ScannerKind> scanner_for(std::string_view pattern);

/// The regular expression that `kind` stands for; of kSmollm one that cuts out the digits as well.
const char* scanner_pattern(ScannerKind kind);

/// Appends the end of each piece of `text`, plus `offset`. Pieces are not empty and together are the text. A byte of no
/// well-formed character counts as a symbol. Linear time.
void scan_pieces(ScannerKind kind, std::string_view text, std::size_t offset, std::vector<std::size_t>& ends);

}  // namespace plumb
