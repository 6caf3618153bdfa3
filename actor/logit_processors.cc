#include "actor/logit_processors.h"

#include <map>
#include <set>

#include "tensor/kept_logits.h"

namespace plumb {
namespace {

void mask_bad_words(const SamplingOptions& options, const TokenHistory& history, std::span<float> logits) {
  const std::size_t num_said = history.prompt.size() + history.completion.size();
  const auto said = [&](std::size_t at) {
    return at < history.prompt.size() ? history.prompt[at] : history.completion[at - history.prompt.size()];
  };
  for (const auto& word : options.bad_words) {
    const std::size_t before = word.size() - 1;
    bool matches = before <= num_said;
    for (std::size_t i = 0; matches && i < before; ++i) {
      matches = said(num_said - before + i) == word[i];
    }
    if (matches) {
      logits[static_cast<std::size_t>(word.back())] = kMaskedLogit;
    }
  }
}

void mask_ends(const SamplingOptions& options, const TokenHistory& history, std::span<float> logits) {
  if (static_cast<std::int64_t>(history.completion.size()) >= options.min_new_tokens) {
    return;
  }
  for (const std::int32_t id : history.end_ids) {
    logits[static_cast<std::size_t>(id)] = kMaskedLogit;
  }
  for (const std::int32_t id : options.stop_token_ids) {
    logits[static_cast<std::size_t>(id)] = kMaskedLogit;
  }
}

void penalize(const SamplingOptions& options, const TokenHistory& history, std::span<float> logits) {
  if (options.repetition_penalty != 1.0F) {
    std::set<std::int32_t> said(history.prompt.begin(), history.prompt.end());
    said.insert(history.completion.begin(), history.completion.end());
    for (const std::int32_t id : said) {
      float& logit = logits[static_cast<std::size_t>(id)];
      logit = logit > 0 ? logit / options.repetition_penalty : logit * options.repetition_penalty;
    }
  }
  if (options.presence_penalty != 0.0F || options.frequency_penalty != 0.0F) {
    std::map<std::int32_t, int> counts;
    for (const std::int32_t id : history.completion) {
      ++counts[id];
    }
    for (const auto& [id, count] : counts) {
      logits[static_cast<std::size_t>(id)] -=
          options.presence_penalty + static_cast<float>(count) * options.frequency_penalty;
    }
  }
}

}  // namespace

void process_logits(const SamplingOptions& options, const TokenHistory& history, std::span<float> logits) {
  for (const auto& [id, bias] : options.logit_bias) {
    logits[static_cast<std::size_t>(id)] += bias;
  }
  penalize(options, history, logits);
  mask_bad_words(options, history, logits);
  mask_ends(options, history, logits);
}

}  // namespace plumb
