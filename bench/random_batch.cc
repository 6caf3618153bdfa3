#include "bench/random_batch.h"

#include "core/rng.h"

namespace plumb {

RandomBatch random_batch(const Policy& policy, const TrainLoad& load) {
  RandomBatch batch;
  const RngStream stream(RngPurpose::kData, 6);
  std::uint32_t position = 0;
  const auto random_token = [&] {
    return static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(policy.config().vocab_size), position++));
  };
  for (std::int64_t s = 0; s < load.num_sequences; ++s) {
    const std::int64_t first = batch.tokens.num_tokens();
    batch.tokens.segments.push_back(
        {.first_row = first, .num_tokens = load.tokens_each, .start_position = 0, .parent = -1});
    for (std::int64_t t = 0; t < load.tokens_each; ++t) {
      batch.tokens.token_ids.push_back(random_token());
      batch.targets.rows.push_back(first + t);
      batch.targets.target_ids.push_back(random_token());
      batch.d_log_probs.push_back(1.0F / static_cast<float>(load.num_sequences * load.tokens_each));
    }
  }
  return batch;
}

}  // namespace plumb
