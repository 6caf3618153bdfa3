#include "reward/rules/text_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_set>

#include "reward/rules/code_block.h"
#include "reward/rules/math/extract.h"

namespace plumb {
namespace {

constexpr std::size_t kPhrase = 4;
constexpr std::size_t kFewWords = 8;

std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;
       at = text.find_first_not_of(kBlanks, at)) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::size_t count(std::string_view text, std::string_view piece) {
  std::size_t found = 0;
  for (std::size_t at = text.find(piece); at != std::string_view::npos; at = text.find(piece, at + piece.size())) {
    ++found;
  }
  return found;
}

bool labels(std::string_view label, Language language) {
  const bool cpp = label == "cpp" || label == "c++" || label == "C++" || label == "cc";
  const bool python = label == "python" || label == "py" || label == "python3" || label == "Python";
  return label.empty() || (language == Language::kCpp ? cpp : python);
}

}  // namespace

double soft_overlong(std::int64_t tokens, std::int64_t limit, std::int64_t buffer) {
  if (tokens > limit) {
    return -1;
  }
  const std::int64_t free = limit - buffer;
  return tokens <= free ? 0 : -static_cast<double>(tokens - free) / static_cast<double>(buffer);
}

double repetition(std::string_view text) {
  const std::vector<std::string_view> words = words_of(text);
  if (words.size() < kFewWords) {
    return 0;
  }
  std::unordered_set<std::string> spelled;
  const std::size_t total = words.size() - kPhrase + 1;
  for (std::size_t i = 0; i < total; ++i) {
    std::string phrase;
    for (std::size_t k = 0; k < kPhrase; ++k) {
      phrase.append(words[i + k]).append(" ");
    }
    spelled.insert(std::move(phrase));
  }
  return static_cast<double>(spelled.size()) / static_cast<double>(total) - 1;
}

bool has_form(const PromptRecord& prompt, std::string_view text) {
  if (prompt.domain == Domain::kMath) {
    const auto answer = extract_math_answer(text);
    return count(text, "\\boxed") == 1 && answer && !answer->empty();
  }
  if (prompt.domain != Domain::kCode) {
    return !words_of(text).empty();
  }
  const auto block = first_code_block(text);
  return block && labels(block->language, prompt.language) && !first_code_block(text.substr(block->end));
}

void add_text_parts(const PromptRecord& prompt, const Completion& completion, const RewardOptions& options,
                    const PartWeights& weights, std::vector<ScorePart>& parts) {
  for (const auto& [name, weight] : weights) {
    if (name == "format") {
      const bool good = has_form(prompt, completion.text);
      parts.push_back({name, good ? 1.0 : 0.0, weight, good ? "has the form asked for" : "has not the form asked for",
                       PartKind::kShaping});
    } else if (name == "length") {
      const auto tokens = static_cast<std::int64_t>(completion.token_ids.size());
      parts.push_back({name, soft_overlong(tokens, options.length_limit, options.length_buffer), weight,
                       fmt::format("{} tokens of {}", tokens, options.length_limit), PartKind::kPenalty});
    } else if (name == "repetition") {
      const double value = repetition(completion.text);
      parts.push_back(
          {name, value, weight, fmt::format("{:.0f} % of the phrases are repeated", -100 * value), PartKind::kPenalty});
    }
  }
}

}  // namespace plumb
