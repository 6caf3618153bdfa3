// The exactness promise, with ==: a token's log-prob depends on its own sequence and the weights alone.

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string_view>

#include "policy/policy.h"
#include "tensor/log_softmax.h"
#include "tensor/product_path.h"
#include "tests/support/bf16_scope.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

constexpr float kTemperature = 0.7F;

struct Sequence {
  std::vector<std::int32_t> ids;
};

PackedBatch batch_of(const std::vector<Sequence>& sequences, ScoreTargets* targets) {
  PackedBatch batch;
  for (const Sequence& sequence : sequences) {
    const std::int64_t first = batch.num_tokens();
    batch.segments.push_back({.first_row = first,
                              .num_tokens = static_cast<std::int64_t>(sequence.ids.size()),
                              .start_position = 0,
                              .parent = -1});
    batch.token_ids.insert(batch.token_ids.end(), sequence.ids.begin(), sequence.ids.end());
    for (std::size_t t = 0; t + 1 < sequence.ids.size(); ++t) {
      targets->rows.push_back(first + static_cast<std::int64_t>(t));
      targets->target_ids.push_back(sequence.ids[t + 1]);
    }
  }
  return batch;
}

std::unique_ptr<Policy> make_policy(const ModelConfig& config, ComputeDtype dtype, ThreadPool& pool,
                                    bool trainable = false) {
  auto policy = Policy::create(config, testing::random_weights(config, 7),
                               {.dtype = dtype, .pool = &pool, .trainable = trainable});
  EXPECT_TRUE(policy.ok());
  return std::move(policy).value();
}

std::vector<float> score_alone(Policy& policy, const Sequence& sequence) {
  ScoreTargets targets;
  targets.temperature = kTemperature;
  const PackedBatch batch = batch_of({sequence}, &targets);
  return policy.score(batch, targets).log_probs;
}

// The log-probs of a sequence's tokens as an actor gets them, with the prompt fed in pieces of `chunk` tokens and the
// rest one by one.
std::vector<float> extend_log_probs(Policy& policy, const Sequence& sequence, std::size_t chunk, std::size_t prompt) {
  const auto cache = policy.make_cache(std::int64_t{1} << 28);
  const SequenceId id = cache->add_sequence();
  std::vector<float> log_probs;
  std::size_t done = 0;
  while (done + 1 < sequence.ids.size()) {
    const std::size_t count = done < prompt ? std::min(chunk, prompt - done) : 1;
    const std::span<const std::int32_t> piece(sequence.ids.data() + done, count);
    const ExtendRequest request = {.sequence = id, .token_ids = piece, .want_logits = true};
    done += count;
    policy.extend(*cache, std::span(&request, 1), [&](std::int64_t, int, std::span<float> logits) {
      const float inverse = 1.0F / kTemperature;
      const LogitStats stats = logit_stats(logits, inverse, nullptr);
      log_probs.push_back(log_prob_of(logits[static_cast<std::size_t>(sequence.ids[done])], inverse, stats));
    });
  }
  return log_probs;
}

// The tests of this file that run with PLUMB_TEST_MUTATION=down have to fail (CMakeLists.txt): the down product of few
// rows then goes a way of its own.
class Exactness : public testing::ArithmeticTest {
 protected:
  void SetUp() override {
    ArithmeticTest::SetUp();
    const char* mutation = std::getenv("PLUMB_TEST_MUTATION");
    if (mutation != nullptr && std::string_view(mutation) == "down") {
      const ModelConfig config = testing::small_config(true);
      set_product_path(
          {.path = ProductPath::kSplitSums, .rows_i = config.intermediate_size, .columns_j = config.hidden_size});
    }
  }
  void TearDown() override {
    set_product_path({});
    ArithmeticTest::TearDown();
  }
};

TEST_P(Exactness, BatchCompositionAndThreadsDoNotMatter) {
  for (const ModelConfig& config : {testing::small_config(true), testing::wide_config()}) {
    std::vector<Sequence> sequences;
    for (const std::int64_t length : {5, 33, 64, 100, 2, 31, 129}) {
      sequences.push_back({testing::random_tokens(config, length, static_cast<std::uint64_t>(length))});
    }
    std::vector<float> expected;
    {
      ThreadPool pool(1);
      const auto policy = make_policy(config, dtype(), pool);
      for (const Sequence& sequence : sequences) {
        const std::vector<float> alone = score_alone(*policy, sequence);
        expected.insert(expected.end(), alone.begin(), alone.end());
      }
    }
    for (const int threads : {1, 2, 4}) {
      ThreadPool pool(threads);
      const auto policy = make_policy(config, dtype(), pool, true);
      ScoreTargets targets;
      targets.temperature = kTemperature;
      const PackedBatch batch = batch_of(sequences, &targets);
      EXPECT_EQ(policy->score(batch, targets).log_probs, expected) << threads << " threads";
      ForwardTape tape;
      EXPECT_EQ(policy->forward(batch, targets, tape).log_probs, expected) << threads << " threads, with a tape";
    }
  }
}

TEST_P(Exactness, ActorEqualsLearner) {
  std::vector<float> all;
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    const auto policy = make_policy(testing::small_config(true), dtype(), pool);
    const Sequence sequence{testing::random_tokens(policy->config(), 90, 11)};
    if (all.empty()) {
      all = score_alone(*policy, sequence);
    }
    const std::vector<float> expected(all.end() - 20, all.end());
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{40}, std::size_t{70}}) {
      const std::vector<float> found = extend_log_probs(*policy, sequence, chunk, 70);
      const std::vector<float> last(found.end() - 20, found.end());
      EXPECT_EQ(last, expected) << "chunks of " << chunk << ", " << threads << " threads";
    }
  }
}

TEST_P(Exactness, SharedPromptEqualsSeparateSequences) {
  ThreadPool pool(2);
  const auto policy = make_policy(testing::small_config(true), dtype(), pool);
  for (const std::int64_t prompt_length : {1, 31, 32, 45, 64}) {
    const std::vector<std::int32_t> prompt = testing::random_tokens(policy->config(), prompt_length, 3);
    PackedBatch batch;
    batch.token_ids = prompt;
    batch.segments.push_back({.first_row = 0, .num_tokens = prompt_length, .start_position = 0, .parent = -1});
    ScoreTargets targets;
    targets.temperature = kTemperature;
    std::vector<float> expected;
    for (const std::int64_t length : {1, 5, 40, 33}) {
      const std::vector<std::int32_t> completion =
          testing::random_tokens(policy->config(), length, static_cast<std::uint64_t>(50 + length));
      const std::int64_t first = batch.num_tokens();
      batch.segments.push_back(
          {.first_row = first, .num_tokens = length, .start_position = prompt_length, .parent = 0});
      batch.token_ids.insert(batch.token_ids.end(), completion.begin(), completion.end());
      for (std::int64_t t = 0; t < length; ++t) {
        targets.rows.push_back(t == 0 ? prompt_length - 1 : first + t - 1);
        targets.target_ids.push_back(completion[static_cast<std::size_t>(t)]);
      }
      Sequence whole{prompt};
      whole.ids.insert(whole.ids.end(), completion.begin(), completion.end());
      const std::vector<float> alone = score_alone(*policy, whole);
      expected.insert(expected.end(), alone.end() - length, alone.end());
    }
    EXPECT_EQ(policy->score(batch, targets).log_probs, expected) << "prompt of " << prompt_length;
  }
}

// The log-probs of all tokens but the first of each completion, decoded together after a shared prompt.
std::vector<std::vector<float>> forked_log_probs(Policy& policy, const std::vector<std::int32_t>& prompt,
                                                 const std::vector<std::vector<std::int32_t>>& completions) {
  const auto cache = policy.make_cache(std::int64_t{1} << 28);
  const SequenceId parent = cache->add_sequence();
  const ExtendRequest prefill = {.sequence = parent, .token_ids = prompt, .want_logits = false};
  policy.extend(*cache, std::span(&prefill, 1), [](std::int64_t, int, std::span<float>) { FAIL(); });
  std::vector<SequenceId> ids;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    ids.push_back(cache->fork(parent));
  }
  std::vector<std::vector<float>> found(completions.size());
  for (std::size_t t = 0; t + 1 < completions[0].size(); ++t) {
    std::vector<ExtendRequest> requests;
    for (std::size_t i = 0; i < completions.size(); ++i) {
      requests.push_back({.sequence = ids[i], .token_ids = {completions[i].data() + t, 1}, .want_logits = true});
    }
    policy.extend(*cache, requests, [&](std::int64_t index, int, std::span<float> logits) {
      const auto i = static_cast<std::size_t>(index);
      const float inverse = 1.0F / kTemperature;
      const auto next = static_cast<std::size_t>(completions[i][t + 1]);
      found[i].push_back(log_prob_of(logits[next], inverse, logit_stats(logits, inverse, nullptr)));
    });
  }
  return found;
}

TEST_P(Exactness, ForkedSequencesEqualWholeOnes) {
  for (const ModelConfig& config : {testing::small_config(true), testing::wide_config()}) {
    const std::vector<std::int32_t> prompt = testing::random_tokens(config, 43, 3);
    std::vector<std::vector<std::int32_t>> completions;
    for (std::size_t i = 0; i < 37; ++i) {
      completions.push_back(testing::random_tokens(config, 12, 100 + i));
    }
    std::vector<std::vector<float>> expected;
    for (const int threads : {1, 2, 4}) {
      ThreadPool pool(threads);
      const auto policy = make_policy(config, dtype(), pool);
      if (expected.empty()) {
        for (const std::vector<std::int32_t>& completion : completions) {
          Sequence whole{prompt};
          whole.ids.insert(whole.ids.end(), completion.begin(), completion.end());
          const std::vector<float> alone = score_alone(*policy, whole);
          expected.emplace_back(alone.end() - 11, alone.end());
        }
      }
      EXPECT_EQ(forked_log_probs(*policy, prompt, completions), expected) << threads << " threads";
    }
  }
}

std::vector<float> gradients_with(ComputeDtype dtype, int threads) {
  ThreadPool pool(threads);
  const auto policy = make_policy(testing::small_config(true), dtype, pool, true);
  std::vector<Sequence> sequences;
  for (const std::int64_t length : {70, 33, 100}) {
    sequences.push_back({testing::random_tokens(policy->config(), length, static_cast<std::uint64_t>(length))});
  }
  ScoreTargets targets;
  const PackedBatch batch = batch_of(sequences, &targets);
  ForwardTape tape;
  policy->forward(batch, targets, tape);
  std::vector<float> d_log_probs;
  for (std::size_t i = 0; i < targets.rows.size(); ++i) {
    d_log_probs.push_back(0.01F * static_cast<float>(i % 7) - 0.02F);
  }
  policy->backward(tape, d_log_probs);
  std::vector<float> all;
  for (const ParameterView& view : policy->parameters()) {
    all.insert(all.end(), view.gradient.begin(), view.gradient.end());
  }
  return all;
}

TEST_P(Exactness, EveryProductIsProvenAtStart) {
  ThreadPool pool(2);
  const auto policy = make_policy(testing::wide_config(), dtype(), pool, true);
  const std::vector<ProductProof> proofs = policy->product_proofs();
  ASSERT_EQ(proofs.size(), 11U);
  for (const ProductProof& proof : proofs) {
    // The tile that defines the bits is always among the proven ones.
    EXPECT_GT(proof.trials.proven, 0) << describe(proof);
    EXPECT_GE(proof.trials.highest, 16) << describe(proof);
  }
}

TEST_P(Exactness, GradientsDoNotDependOnThreads) {
  const std::vector<float> one = gradients_with(dtype(), 1);
  EXPECT_EQ(gradients_with(dtype(), 2), one);
  EXPECT_EQ(gradients_with(dtype(), 4), one);
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, Exactness, ::testing::ValuesIn(testing::all_arithmetic()),
                         [](const auto& parameter) { return testing::name_of(parameter.param); });

}  // namespace
}  // namespace plumb
