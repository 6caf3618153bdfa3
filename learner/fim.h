#pragma once
// Fill-in-the-middle: a text is cut into prefix, middle and suffix at random places, and the middle moved to the end,
// so that next-token prediction learns to fill a gap. Bavarian et al., "Efficient Training of Language Models to Fill
// in the Middle", 2022, arXiv 2207.14255.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/rng.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// The special tokens that stand before the prefix, the suffix and the middle.
struct FimSentinels {
  std::int32_t prefix = -1;
  std::int32_t suffix = -1;
  std::int32_t middle = -1;
};

/// Those that the tokenizer has, by the names that models give them. Errors: it has none; the sentence lists the names
/// that were looked for.
Result<FimSentinels> find_fim_sentinels(const Tokenizer& tokenizer);

/// How often texts are cut.
struct FimRates {
  double cut = 0;  // share of the texts
  double spm = 0;  // of those, share whose suffix comes before the prefix
};

/// Where a text is cut; bytes, at the ends of characters. Any part may be empty.
struct FimCut {
  std::size_t middle_begin = 0;
  std::size_t middle_end = 0;
  bool suffix_first = false;  // the order suffix, prefix, middle (SPM), else prefix, suffix, middle (PSM)
};

/// What `stream` draws for a text: nothing where it stays as it is, else two places out of all between its characters
/// and at its ends, each equally likely. A function of its arguments.
std::optional<FimCut> draw_fim_cut(std::string_view text, const FimRates& rates, const RngStream& stream);

/// The token ids of the text as it is cut; each part is tokenised alone, special tokens written in it are text.
///   PSM  [prefix] prefix text [suffix] suffix text [middle] middle text
///   SPM  [prefix] [suffix] suffix text [middle] prefix text middle text: the paper's variant for training on both
///   orders
std::vector<std::int32_t> fim_ids(std::string_view text, const FimCut& cut, const FimSentinels& sentinels,
                                  const Tokenizer& tokenizer);

}  // namespace plumb
