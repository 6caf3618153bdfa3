// Memory of long contexts, by the counters of tensor/buffer.h: linear in the tokens, and never an array that could hold
// [T, T] or [T, V] numbers.

#include <gtest/gtest.h>

#include <memory>

#include "policy/policy.h"
#include "tensor/buffer.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

constexpr std::int64_t kTokens = 6400;
constexpr std::int64_t kVocabulary = 16000;

// So small that the arrays in question would stand out. The largest that is there, the gradient of one group of the
// vocabulary (kHeadGroup, 3008 columns) in f32, has nearly what [T, T] numbers of two bytes would need.
ModelConfig long_config() {
  ModelConfig config;
  config.num_layers = 2;
  config.hidden_size = 32;
  config.num_heads = 1;
  config.num_kv_heads = 1;
  config.head_dim = 16;
  config.intermediate_size = 64;
  config.vocab_size = kVocabulary;
  config.max_positions = 2 * kTokens;
  config.tie_embeddings = true;
  return config;
}

class LongContext : public ::testing::Test {
 protected:
  LongContext() {
    auto created = Policy::create(config_, testing::random_weights(config_, 3),
                                  {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true});
    EXPECT_TRUE(created.ok());
    policy_ = std::move(created).value();
  }

  struct Load {
    PackedBatch batch;
    ScoreTargets targets;
    std::vector<float> d_log_probs;
  };

  // One sequence; every token is a target.
  [[nodiscard]] Load load_of(std::int64_t tokens) const {
    Load load;
    load.batch.token_ids = testing::random_tokens(config_, tokens, 1);
    load.batch.segments.push_back({.first_row = 0, .num_tokens = tokens, .start_position = 0, .parent = -1});
    for (std::int64_t t = 0; t < tokens; ++t) {
      load.targets.rows.push_back(t);
      load.targets.target_ids.push_back(static_cast<std::int32_t>(t % 100));
      load.d_log_probs.push_back(1e-3F);
    }
    return load;
  }

  // What `run` allocates; scratch memory of a few rows is there before.
  template <typename Run>
  AlignedMemory memory_of(Run run) {
    reset_aligned_memory();
    const std::int64_t before = aligned_memory().live_bytes;
    run();
    AlignedMemory memory = aligned_memory();
    memory.peak_bytes -= before;
    return memory;
  }

  static void expect_no_square(const AlignedMemory& memory, std::int64_t tokens) {
    EXPECT_LT(memory.largest_bytes, 2 * tokens * tokens) << "room for [T, T] bf16 numbers";
    EXPECT_LT(memory.largest_bytes, 2 * tokens * kVocabulary) << "room for [T, V] bf16 numbers";
    EXPECT_GT(memory.peak_bytes, tokens * 32 * 4) << "the counters count";
  }

  ModelConfig config_ = long_config();
  ThreadPool pool_{1};  // scratch of workers would come and go with who gets which task
  std::unique_ptr<Policy> policy_;
};

TEST_F(LongContext, PrefillIsLinear) {
  const std::vector<std::int32_t> ids = testing::random_tokens(config_, kTokens, 2);
  const auto prefill = [&](std::int64_t tokens) {
    const auto cache = policy_->make_cache(std::int64_t{1} << 30);
    const SequenceId sequence = cache->add_sequence();
    for (std::int64_t begin = 0; begin < tokens; begin += 500) {
      const ExtendRequest request = {
          .sequence = sequence,
          .token_ids = std::span(ids).subspan(static_cast<std::size_t>(begin),
                                              static_cast<std::size_t>(std::min<std::int64_t>(500, tokens - begin))),
          .want_logits = begin + 500 >= tokens};
      policy_->extend(*cache, std::span(&request, 1), [](std::int64_t, int, std::span<float>) {});
    }
  };
  prefill(500);
  const AlignedMemory half = memory_of([&] { prefill(kTokens / 2); });
  const AlignedMemory whole = memory_of([&] { prefill(kTokens); });
  expect_no_square(whole, kTokens);
  EXPECT_LT(whole.peak_bytes, 21 * half.peak_bytes / 10);
}

TEST_F(LongContext, TrainingIsLinear) {
  const auto train = [&](std::int64_t tokens, bool checkpointing) {
    const Load load = load_of(tokens);
    policy_->set_activation_checkpointing(checkpointing);
    ForwardTape tape;
    policy_->score(load.batch, load.targets);
    policy_->forward(load.batch, load.targets, tape);
    policy_->backward(tape, load.d_log_probs);
  };
  train(300, false);
  for (const bool checkpointing : {true, false}) {
    const AlignedMemory half = memory_of([&] { train(kTokens / 2, checkpointing); });
    const AlignedMemory whole = memory_of([&] { train(kTokens, checkpointing); });
    expect_no_square(whole, kTokens);
    EXPECT_LT(whole.peak_bytes, 21 * half.peak_bytes / 10) << "checkpointing " << checkpointing;
  }
}

}  // namespace
}  // namespace plumb
