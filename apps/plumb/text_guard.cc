#include "apps/plumb/text_guard.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/atomic_file.h"
#include "tensor/log_softmax.h"

namespace plumb {
namespace {

constexpr std::int64_t kWindow = 1024;
constexpr std::int64_t kDivergenceWindow = 256;  // whose logits are kept, of two policies
constexpr std::uint64_t kMostBytes = 16 << 20;

// The log-probs of a window's tokens but the first.
double window_sum(Policy& policy, std::span<const std::int32_t> window) {
  PackedBatch batch;
  ScoreTargets targets;
  batch.token_ids.assign(window.begin(), window.end());
  batch.segments.push_back({.num_tokens = static_cast<std::int64_t>(window.size())});
  for (std::size_t t = 1; t < window.size(); ++t) {
    targets.rows.push_back(static_cast<std::int64_t>(t) - 1);
    targets.target_ids.push_back(window[t]);
  }
  double sum = 0;
  for (const float log_prob : policy.score(batch, targets).log_probs) {
    sum += static_cast<double>(log_prob);
  }
  return sum;
}

// [rows, V] raw log-probs after each of a window's tokens but the last.
std::vector<float> window_log_probs(Policy& policy, std::span<const std::int32_t> window) {
  PackedBatch batch;
  batch.token_ids.assign(window.begin(), window.end());
  batch.segments.push_back({.num_tokens = static_cast<std::int64_t>(window.size())});
  std::vector<std::int64_t> rows(window.size() - 1);
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  const auto width = static_cast<std::size_t>(policy.config().vocab_size);
  std::vector<float> all(rows.size() * width);
  policy.logits(batch, rows, [&](std::int64_t index, int, std::span<float> logits) {
    const LogitStats stats = logit_stats(logits, 1.0F, nullptr);
    float* out = all.data() + static_cast<std::size_t>(index) * width;
    for (std::size_t v = 0; v < width; ++v) {
      out[v] = log_prob_of(logits[v], 1.0F, stats);
    }
  });
  return all;
}

// Calls `use` with each window of `ids` that has two tokens or more; how many tokens have one before them.
std::int64_t for_each_window(std::span<const std::int32_t> ids, std::int64_t most,
                             const std::function<void(std::span<const std::int32_t>)>& use) {
  const auto length = static_cast<std::size_t>(most);
  std::int64_t scored = 0;
  for (std::size_t begin = 0; begin + 1 < ids.size(); begin += length) {
    const auto window = ids.subspan(begin, std::min(length, ids.size() - begin));
    if (window.size() > 1) {
      use(window);
      scored += std::ssize(window) - 1;
    }
  }
  return scored;
}

Error too_short() {
  return Error{"eval.guard_text: expected a text of two tokens or more"};
}

}  // namespace

Result<double> text_perplexity(Policy& policy, const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<std::int32_t> ids = tokenizer.encode(text);
  double sum = 0;
  const std::int64_t scored = for_each_window(ids, std::min(kWindow, policy.config().max_positions),
                                              [&](auto window) { sum += window_sum(policy, window); });
  return scored == 0 ? Result<double>(too_short()) : std::exp(-sum / static_cast<double>(scored));
}

Result<double> text_divergence(Policy& base, Policy& policy, const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<std::int32_t> ids = tokenizer.encode(text);
  double sum = 0;
  const auto add = [&](std::span<const std::int32_t> window) {
    const std::vector<float> of_base = window_log_probs(base, window);
    const std::vector<float> of_policy = window_log_probs(policy, window);
    for (std::size_t i = 0; i < of_base.size(); ++i) {
      const auto log_p = static_cast<double>(of_base[i]);
      sum += std::exp(log_p) * (log_p - static_cast<double>(of_policy[i]));
    }
  };
  const std::int64_t scored = for_each_window(ids, std::min(kDivergenceWindow, policy.config().max_positions), add);
  return scored == 0 ? Result<double>(too_short()) : sum / static_cast<double>(scored);
}

Result<std::string> read_guard_text(const std::string& path) {
  auto text = read_file(path, kMostBytes);
  return text ? std::move(text) : Result<std::string>(text.error().with_context("eval.guard_text"));
}

}  // namespace plumb
