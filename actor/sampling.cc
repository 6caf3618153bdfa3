#include "actor/sampling.h"

#include <fmt/format.h>

#include <algorithm>

#include "actor/logit_processors.h"
#include "actor/truncation.h"
#include "core/check.h"
#include "tensor/kept_logits.h"
#include "tensor/log_softmax.h"
#include "tensor/vector_math.h"

namespace plumb {
namespace {

std::int32_t argmax(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// The first index whose running sum of exp(logit * inverse_temperature - max) exceeds `mass`. Whole blocks are skipped
// by their sums; rounding can leave `mass` at or above the total, and then the last token with any mass is taken.
std::int32_t invert_cumulative(std::span<const float> logits, float inverse_temperature, float max, float mass,
                               const std::vector<float>& block_sums) {
  std::size_t last_block = block_sums.size() - 1;  // with any mass: truncation can leave none in the blocks behind it
  while (last_block > 0 && !(block_sums[last_block] > 0)) {
    --last_block;
  }
  std::size_t block = 0;
  while (block < last_block && mass >= block_sums[block]) {
    mass -= block_sums[block];
    ++block;
  }
  const std::size_t begin = block * static_cast<std::size_t>(kLogitBlock);
  const std::size_t end = std::min(begin + static_cast<std::size_t>(kLogitBlock), logits.size());
  std::size_t last_with_mass = begin;
  for (std::size_t i = begin; i < end; ++i) {
    const float weight = exp_approx(logits[i] * inverse_temperature - max);
    if (weight > 0) {
      last_with_mass = i;
    }
    if (mass < weight) {
      return static_cast<std::int32_t>(i);
    }
    mass -= weight;
  }
  return static_cast<std::int32_t>(last_with_mass);
}

bool all_finite(std::span<const float> logits) {
  float sum = 0;  // times zero: a number that is not finite leaves a NaN
  for (const float logit : logits) {
    sum += 0.0F * logit;
  }
  return sum == 0;
}

// The set of the logits that are not masked.
KeptSet by_id(std::span<const float> logits) {
  auto ids = std::make_shared<TokenSet>(logits.size());
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] > kMaskedLogit) {
      ids->insert(id);
    }
  }
  KeptSet kept;
  kept.ids = std::move(ids);
  return kept;
}

Result<void> check_range(const char* name, double value, bool good, const char* expected) {
  if (!good) {
    return Error{fmt::format("sampling: {} = {:g}: expected {}", name, value, expected)};
  }
  return {};
}

Result<void> check_id(const char* name, std::int32_t id, std::int64_t vocab_size) {
  if (id < 0 || id >= vocab_size) {
    return Error{fmt::format("sampling: {}: token id {} is not in the vocabulary of {}", name, id, vocab_size)};
  }
  return {};
}

}  // namespace

Result<void> check_trainable(const SamplingOptions& options) {
  const std::pair<const char*, bool> used[] = {
      {"repetition_penalty", options.repetition_penalty != 1.0F},
      {"presence_penalty", options.presence_penalty != 0.0F},
      {"frequency_penalty", options.frequency_penalty != 0.0F},
      {"logit_bias", !options.logit_bias.empty()},
      {"bad_words", !options.bad_words.empty()},
      {"min_new_tokens", options.min_new_tokens > 0},
  };
  for (const auto& [name, is_used] : used) {
    if (is_used) {
      return Error{fmt::format(
          "sampling.{} changes what is sampled into another distribution than the policy's, so its samples cannot be "
          "trained on; leave it out (temperature, top_k, top_p, min_p and typical_p may be used)",
          name)};
    }
  }
  return {};
}

Result<void> check_sampling(const SamplingOptions& options, std::int64_t vocab_size) {
  const auto share = [](float p) { return p > 0 && p <= 1; };
  const auto moderate = [](float value) { return value >= -1e6F && value <= 1e6F; };
  PLUMB_TRY(check_range("temperature", options.temperature,
                        options.temperature == 0 || (options.temperature >= 1e-3F && options.temperature <= 1e3F),
                        "0 (greedy) or a number from 0.001 to 1000"));
  PLUMB_TRY(check_range("top_k", options.top_k, options.top_k >= 0, "0 (all) or more"));
  PLUMB_TRY(check_range("top_p", options.top_p, share(options.top_p), "a share in (0, 1]"));
  PLUMB_TRY(check_range("min_p", options.min_p, options.min_p >= 0 && options.min_p < 1, "a share in [0, 1)"));
  PLUMB_TRY(check_range("typical_p", options.typical_p, share(options.typical_p), "a share in (0, 1]"));
  PLUMB_TRY(check_range("repetition_penalty", options.repetition_penalty,
                        options.repetition_penalty >= 1e-3F && options.repetition_penalty <= 1e3F,
                        "a number from 0.001 to 1000"));
  PLUMB_TRY(check_range("presence_penalty", options.presence_penalty, moderate(options.presence_penalty),
                        "a number of at most a million"));
  PLUMB_TRY(check_range("frequency_penalty", options.frequency_penalty, moderate(options.frequency_penalty),
                        "a number of at most a million"));
  PLUMB_TRY(check_range("max_new_tokens", static_cast<double>(options.max_new_tokens), options.max_new_tokens >= 1,
                        "1 or more"));
  PLUMB_TRY(check_range("min_new_tokens", static_cast<double>(options.min_new_tokens),
                        options.min_new_tokens >= 0 && options.min_new_tokens <= options.max_new_tokens,
                        "a number from 0 to max_new_tokens"));
  for (const auto& [id, bias] : options.logit_bias) {
    PLUMB_TRY(check_id("logit_bias", id, vocab_size));
    PLUMB_TRY(check_range("logit_bias", bias, moderate(bias), "a number of at most a million"));
  }
  for (const auto& word : options.bad_words) {
    PLUMB_TRY(check_range("bad_words", 0, !word.empty(), "at least one token id for each"));
    for (const std::int32_t id : word) {
      PLUMB_TRY(check_id("bad_words", id, vocab_size));
    }
  }
  for (const std::int32_t id : options.stop_token_ids) {
    PLUMB_TRY(check_id("stop_token_ids", id, vocab_size));
  }
  for (const std::string& text : options.stop) {
    PLUMB_TRY(check_range("stop", 0, !text.empty(), "texts that are not empty"));
  }
  return {};
}

SampledToken draw_token(std::span<float> logits, const SamplingOptions& options, const TokenHistory& history,
                        const RngStream& stream, SamplingScratch& scratch) {
  if (!all_finite(logits)) {
    return {kNotFinite, 0, {}};
  }
  if (options.changes_logits()) {
    process_logits(options, history, logits);
    if (*std::max_element(logits.begin(), logits.end()) <= kMaskedLogit / 2) {
      return {kNothingLeft, 0, {}};
    }
  }
  KeptSet kept;
  if (options.truncates()) {
    kept = truncate(logits, options, scratch);
    mask_outside(kept, 0, logits);
    if (options.kept_by_id) {
      kept = by_id(logits);
    }
  }
  const auto position = static_cast<std::uint32_t>(history.completion.size());
  SampledToken token = sample_token(logits, options.temperature, stream, position, scratch.block_sums);
  token.kept = kept;
  return token;
}

SampledToken sample_token(std::span<const float> logits, float temperature, const RngStream& stream,
                          std::uint32_t position, std::vector<float>& block_sums) {
  PLUMB_CHECK(!logits.empty() && temperature >= 0, "sample_token: no logits or a negative temperature");
  const bool greedy = temperature == 0;
  const float inverse_temperature = greedy ? 1.0F : 1.0F / temperature;
  const LogitStats stats = logit_stats(logits, inverse_temperature, &block_sums);
  std::int32_t id = 0;
  if (greedy) {
    id = argmax(logits);
  } else {
    float total = 0;
    for (const float sum : block_sums) {
      total += sum;
    }
    id = invert_cumulative(logits, inverse_temperature, stats.max, stream.uniform(position) * total, block_sums);
  }
  return {id, log_prob_of(logits[static_cast<std::size_t>(id)], inverse_temperature, stats), {}};
}

}  // namespace plumb
