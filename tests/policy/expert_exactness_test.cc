// The exactness promise for experts, latents and windows, with ==: routing included, a token's numbers depend on its
// own sequence and the weights alone, in the actor and in the learner.

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "formats/config_json.h"
#include "policy/expert_order.h"
#include "policy/policy.h"
#include "tensor/log_softmax.h"
#include "tests/support/bf16_scope.h"
#include "tests/support/formula_weights.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

ModelConfig config_of(const std::string& name) {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/tests/golden/families/" + name + ".json");
  return parse_config_json(nlohmann::json::parse(file).at("config").dump(), name).value();
}

constexpr const char* kNames[] = {"mixtral", "qwen2_moe", "deepseek_v2", "mistral_window"};

struct Batch {
  PackedBatch rows;
  ScoreTargets targets;

  void add(const std::vector<std::int32_t>& ids) {
    const std::int64_t first = rows.num_tokens();
    rows.segments.push_back(
        {.first_row = first, .num_tokens = static_cast<std::int64_t>(ids.size()), .start_position = 0, .parent = -1});
    rows.token_ids.insert(rows.token_ids.end(), ids.begin(), ids.end());
    for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
      targets.rows.push_back(first + static_cast<std::int64_t>(t));
      targets.target_ids.push_back(ids[t + 1]);
    }
  }
};

struct Seen {
  std::vector<float> log_probs;
  std::vector<std::int32_t> experts;
  std::vector<float> weights;
};

Seen see(Policy& policy, const Batch& batch) {
  ForwardTape tape;
  Seen seen;
  seen.log_probs = policy.forward(batch.rows, batch.targets, tape).log_probs;
  for (std::int64_t layer = 0; layer < policy.config().num_layers; ++layer) {
    const RowRoutes routes = policy.row_routes(tape, layer);
    seen.experts.insert(seen.experts.end(), routes.experts.begin(), routes.experts.end());
    seen.weights.insert(seen.weights.end(), routes.weights.begin(), routes.weights.end());
  }
  return seen;
}

std::unique_ptr<Policy> make_policy(const ModelConfig& config, ComputeDtype dtype, ThreadPool& pool) {
  auto created =
      Policy::create(config, testing::formula_weights(config), {.dtype = dtype, .pool = &pool, .trainable = true});
  EXPECT_TRUE(created.ok());
  return std::move(created).value();
}

class ExpertExactness : public testing::ArithmeticTest {};

// More rows than one block of a thread takes, so that experts meet other neighbours each time.
TEST_P(ExpertExactness, NeitherBatchNorThreadsMatter) {
  for (const char* name : kNames) {
    const ModelConfig config = config_of(name);
    std::vector<std::vector<std::int32_t>> sequences;
    for (const std::int64_t length : {70, 3, 41, 200, 130, 66, 180}) {
      sequences.push_back(testing::random_tokens(config, length, static_cast<std::uint64_t>(length)));
    }
    std::vector<float> alone;
    for (const int threads : {1, 2}) {
      ThreadPool pool(threads);
      const auto policy = make_policy(config, dtype(), pool);
      Batch all;
      std::vector<float> parts;
      for (const auto& sequence : sequences) {
        Batch one;
        one.add(sequence);
        const std::vector<float> log_probs = policy->score(one.rows, one.targets).log_probs;
        parts.insert(parts.end(), log_probs.begin(), log_probs.end());
        all.add(sequence);
      }
      alone = alone.empty() ? parts : alone;
      EXPECT_EQ(parts, alone) << name << ", " << threads << " threads";
      EXPECT_EQ(policy->score(all.rows, all.targets).log_probs, alone) << name << ", " << threads << " threads";
      EXPECT_EQ(see(*policy, all).log_probs, alone) << name << " with a tape, " << threads << " threads";
    }
  }
}

TEST_P(ExpertExactness, RoutesOfARowAreItsOwn) {
  const ModelConfig config = config_of("deepseek_v2");
  ThreadPool pool(2);
  const auto policy = make_policy(config, dtype(), pool);
  const std::vector<std::int32_t> ids = testing::random_tokens(config, 33, 5);
  Batch alone;
  alone.add(ids);
  Batch crowd;
  crowd.add(testing::random_tokens(config, 250, 6));
  crowd.add(ids);
  const Seen first = see(*policy, alone);
  const Seen second = see(*policy, crowd);
  const std::size_t k = static_cast<std::size_t>(config.moe.top_k);
  const std::size_t layers = first.experts.size() / (33 * k);
  ASSERT_EQ(layers, 2U);
  for (std::size_t layer = 0; layer < layers; ++layer) {
    for (std::size_t i = 0; i < 33 * k; ++i) {
      ASSERT_EQ(second.experts[(layer * 283 + 250) * k + i], first.experts[layer * 33 * k + i]);
      ASSERT_EQ(second.weights[(layer * 283 + 250) * k + i], first.weights[layer * 33 * k + i]);
    }
  }
}

TEST_P(ExpertExactness, ActorEqualsLearner) {
  for (const char* name : kNames) {
    const ModelConfig config = config_of(name);
    for (const int threads : {1, 2}) {
      ThreadPool pool(threads);
      const auto policy = make_policy(config, dtype(), pool);
      const std::vector<std::int32_t> ids = testing::random_tokens(config, 60, 11);
      Batch batch;
      batch.add(ids);
      const std::vector<float> expected = policy->score(batch.rows, batch.targets).log_probs;
      const auto cache = policy->make_cache(std::int64_t{1} << 26);
      const SequenceId sequence = cache->add_sequence();
      for (std::size_t done = 0; done + 1 < ids.size();) {
        const std::size_t count = done < 37 ? 37 : 1;
        const ExtendRequest request = {
            .sequence = sequence, .token_ids = {ids.data() + done, count}, .want_logits = true};
        done += count;
        policy->extend(*cache, std::span(&request, 1), [&](std::int64_t, int, std::span<float> logits) {
          const auto next = static_cast<std::size_t>(ids[done]);
          EXPECT_EQ(log_prob_of(logits[next], 1.0F, logit_stats(logits, 1.0F, nullptr)), expected[done - 1])
              << name << " at " << done;
        });
      }
    }
  }
}

TEST_P(ExpertExactness, GradientsDependOnNeitherThreadsNorCheckpoints) {
  for (const char* name : kNames) {
    const ModelConfig config = config_of(name);
    std::vector<float> expected;
    for (const int threads : {1, 2}) {
      ThreadPool pool(threads);
      const auto policy = make_policy(config, dtype(), pool);
      Batch batch;
      for (const std::int64_t length : {90, 33, 200}) {
        batch.add(testing::random_tokens(config, length, static_cast<std::uint64_t>(length)));
      }
      for (const bool checkpoints : {false, true}) {
        policy->set_activation_checkpointing(checkpoints);
        policy->zero_gradients();
        ForwardTape tape;
        policy->forward(batch.rows, batch.targets, tape);
        policy->backward(tape, std::vector<float>(batch.targets.rows.size(), 0.01F));
        std::vector<float> all;
        for (const ParameterView& view : policy->parameters()) {
          all.insert(all.end(), view.gradient.begin(), view.gradient.end());
        }
        expected = expected.empty() ? all : expected;
        EXPECT_EQ(all, expected) << name << ", " << threads << " threads, checkpoints " << checkpoints;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, ExpertExactness, ::testing::ValuesIn(testing::all_arithmetic()),
                         [](const auto& parameter) { return testing::name_of(parameter.param); });

TEST(ExpertOrder, SortsByExpertAndPadsToTiles) {
  ExpertOrder order;
  const std::int32_t experts[] = {2, 0, 0, 2, 2, 3};  // 3 rows of 2
  order.build(experts, 3, 2, 4);
  EXPECT_EQ(order.num_places(), 48);
  EXPECT_EQ(order.count(1), 0);
  EXPECT_EQ(order.begin(2), 16);
  EXPECT_EQ(order.assignment(0), 1);
  EXPECT_EQ(order.assignment(1), 2);
  EXPECT_EQ(order.assignment(2), -1);
  EXPECT_EQ(order.assignment(18), 4);
  EXPECT_EQ(order.place(5), 32);
  EXPECT_GE(ExpertOrder::most_places(3, 2, 4), order.num_places());
}

}  // namespace
}  // namespace plumb
