#include "learner/fim.h"

#include <algorithm>
#include <array>
#include <string>

#include "tokenizer/utf8.h"

namespace plumb {
namespace {

// Texts of the tokens before prefix, suffix and middle.
constexpr std::array<std::array<std::string_view, 3>, 5> kFamilies = {{
    {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},  // DeepSeek
    {"<|fim_begin|>", "<|fim_hole|>", "<|fim_end|>"},
    {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},        // StarCoder, SmolLM
    {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},  // Qwen, CodeGemma
    {"▁<PRE>", "▁<SUF>", "▁<MID>"},                          // Code Llama
}};

// Numbers of a text's stream.
enum Draw : std::uint32_t { kWhether, kOrder, kFirstPlace, kSecondPlace };

// The places between characters, 0 and the text's length among them; bytes.
std::vector<std::size_t> places_of(std::string_view text) {
  std::vector<std::size_t> places = {0};
  while (places.back() < text.size()) {
    places.push_back(places.back() + utf8_step(text.substr(places.back())).size);
  }
  return places;
}

}  // namespace

Result<FimSentinels> find_fim_sentinels(const Tokenizer& tokenizer) {
  std::string names;
  for (const auto& [prefix, suffix, middle] : kFamilies) {
    const FimSentinels found{tokenizer.id_of(prefix), tokenizer.id_of(suffix), tokenizer.id_of(middle)};
    if (found.prefix >= 0 && found.suffix >= 0 && found.middle >= 0) {
      return found;
    }
    names += names.empty() ? "" : ", or ";
    names.append(prefix).append(" ").append(suffix).append(" ").append(middle);
  }
  return Error{"expected a tokenizer with special tokens for fill-in-the-middle (" + names +
               "), found none of them; set it to 0 or use a model that has them"};
}

std::optional<FimCut> draw_fim_cut(std::string_view text, const FimRates& rates, const RngStream& stream) {
  if (!(stream.uniform_double(kWhether) < rates.cut)) {
    return std::nullopt;
  }
  const std::vector<std::size_t> places = places_of(text);
  const std::size_t one = places[stream.below(places.size(), kFirstPlace)];
  const std::size_t other = places[stream.below(places.size(), kSecondPlace)];
  return FimCut{std::min(one, other), std::max(one, other), stream.uniform_double(kOrder) < rates.spm};
}

std::vector<std::int32_t> fim_ids(std::string_view text, const FimCut& cut, const FimSentinels& sentinels,
                                  const Tokenizer& tokenizer) {
  std::vector<std::int32_t> ids = {sentinels.prefix};
  const auto add = [&](std::string_view part) {
    const std::vector<std::int32_t> tokens = tokenizer.encode(part, false);
    ids.insert(ids.end(), tokens.begin(), tokens.end());
  };
  const std::string_view prefix = text.substr(0, cut.middle_begin);
  if (!cut.suffix_first) {
    add(prefix);
  }
  ids.push_back(sentinels.suffix);
  add(text.substr(cut.middle_end));
  ids.push_back(sentinels.middle);
  if (cut.suffix_first) {
    add(prefix);
  }
  add(text.substr(cut.middle_begin, cut.middle_end - cut.middle_begin));
  return ids;
}

}  // namespace plumb
