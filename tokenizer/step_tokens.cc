#include "tokenizer/step_tokens.h"

#include "core/check.h"

namespace plumb {
namespace {

// Each step with the line break behind it, but for the last.
std::vector<std::string> lines_of(std::span<const std::string> texts) {
  std::vector<std::string> lines(texts.begin(), texts.end());
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    lines[i] += '\n';
  }
  return lines;
}

// Tokens of a text, and where each ends in it; false where the tokenizer rewrote it.
bool tokenise(const std::string& text, const Tokenizer& tokenizer, std::vector<std::int32_t>& tokens,
              std::vector<std::size_t>& ends) {
  tokens = tokenizer.encode(text, false);
  if (tokenizer.decode_text(tokens) != text) {
    return false;
  }
  ends = token_ends(tokens, tokenizer);
  const std::size_t in_front = ends.empty() ? 0 : ends.back() - text.size();  // spaces that encode() put there
  for (std::size_t& end : ends) {
    end -= std::min(end, in_front);
  }
  return true;
}

}  // namespace

std::vector<std::size_t> token_ends(std::span<const std::int32_t> ids, const Tokenizer& tokenizer) {
  std::vector<std::size_t> ends;
  std::size_t end = 0;
  for (const std::int32_t id : ids) {
    end += tokenizer.is_special(id) ? 0 : tokenizer.token_bytes(id).size();
    ends.push_back(end);
  }
  return ends;
}

std::vector<StepInTokens> steps_of(const Completion& completion, const Tokenizer& tokenizer) {
  const std::int64_t num_tokens = std::ssize(completion.token_ids);
  if (num_tokens == 0) {
    return {};
  }
  const auto steps =
      steps_in_tokens(step_ends(completion.text), token_ends(completion.token_ids, tokenizer), num_tokens);
  return steps.empty() ? std::vector<StepInTokens>{{0, num_tokens}} : steps;
}

TokenisedSteps tokenise_steps(std::span<const std::string> texts, const Tokenizer& tokenizer) {
  PLUMB_CHECK(!texts.empty(), "tokenise_steps: a completion has a step");
  const std::vector<std::string> lines = lines_of(texts);
  std::string text;
  std::vector<std::size_t> ends;  // in bytes, or in tokens
  for (const std::string& line : lines) {
    text += line;
    ends.push_back(text.size());
  }
  TokenisedSteps result;
  std::vector<std::size_t> ends_of_tokens;
  if (!tokenise(text, tokenizer, result.tokens, ends_of_tokens)) {
    result.tokens.clear();
    ends_of_tokens.clear();
    for (std::size_t step = 0; step < lines.size(); ++step) {
      const std::vector<std::int32_t> more = tokenizer.encode(lines[step], false);
      result.tokens.insert(result.tokens.end(), more.begin(), more.end());
      ends[step] = result.tokens.size();
    }
    for (std::size_t token = 1; token <= result.tokens.size(); ++token) {
      ends_of_tokens.push_back(token);  // one byte each, so to say
    }
  }
  result.tokens.push_back(tokenizer.eos_id());
  result.steps = steps_in_tokens(ends, ends_of_tokens, std::ssize(result.tokens));
  return result;
}

}  // namespace plumb
