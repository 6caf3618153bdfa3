#include "apps/plumb/text_guard.h"

#include <algorithm>
#include <cmath>

#include "core/atomic_file.h"

namespace plumb {
namespace {

constexpr std::int64_t kWindow = 1024;
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

}  // namespace

Result<double> text_perplexity(Policy& policy, const Tokenizer& tokenizer, const std::string& text) {
  const std::vector<std::int32_t> ids = tokenizer.encode(text);
  const auto length = static_cast<std::size_t>(std::min(kWindow, policy.config().max_positions));
  double sum = 0;
  std::int64_t scored = 0;
  for (std::size_t begin = 0; begin + 1 < ids.size(); begin += length) {
    const auto window = std::span(ids).subspan(begin, std::min(length, ids.size() - begin));
    if (window.size() > 1) {
      sum += window_sum(policy, window);
      scored += static_cast<std::int64_t>(window.size()) - 1;
    }
  }
  if (scored == 0) {
    return Error{"eval.guard_text: expected a text of two tokens or more"};
  }
  return std::exp(-sum / static_cast<double>(scored));
}

Result<std::string> read_guard_text(const std::string& path) {
  auto text = read_file(path, kMostBytes);
  return text ? std::move(text) : Result<std::string>(text.error().with_context("eval.guard_text"));
}

}  // namespace plumb
