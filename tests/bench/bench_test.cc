// The benchmarks on a small random model: their checks hold, and what they print has the promised keys.

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/flop.h"
#include "bench/forced_sampling.h"
#include "bench/load.h"
#include "formats/config_json.h"
#include "tests/support/formula_weights.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

std::unique_ptr<Policy> make_policy(ComputeDtype dtype, ThreadPool& pool, bool trainable) {
  const ModelConfig config = testing::small_config(true);
  auto policy = Policy::create(config, testing::random_weights(config, 21),
                               {.dtype = dtype, .pool = &pool, .trainable = trainable});
  EXPECT_TRUE(policy.ok());
  return std::move(policy).value();
}

SamplingLoad small_load(const ModelConfig& config) {
  SamplingLoad load;
  for (const std::int64_t length : {3, 40, 33}) {
    load.prompts.push_back(testing::random_tokens(config, length, static_cast<std::uint64_t>(length)));
  }
  load.samples_per_prompt = 3;
  load.num_new_tokens = 9;
  load.repetitions = 1;
  return load;
}

// A mixture with latent attention; needs tests/golden's config.
std::unique_ptr<Policy> make_latent_policy(ComputeDtype dtype, ThreadPool& pool) {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/tests/golden/families/deepseek_v2.json");
  const ModelConfig config = parse_config_json(nlohmann::json::parse(file).at("config").dump(), "deepseek_v2").value();
  auto policy = Policy::create(config, testing::formula_weights(config), {.dtype = dtype, .pool = &pool});
  EXPECT_TRUE(policy.ok());
  return std::move(policy).value();
}

class Loads : public ::testing::TestWithParam<ComputeDtype> {};

TEST_P(Loads, RolloutChecksAndCounts) {
  ThreadPool pool(2);
  const auto policy = make_policy(GetParam(), pool, false);
  const auto result = bench_rollout(*policy, pool, small_load(policy->config()));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->tokens, 3 * 3 * 9);
  EXPECT_GT(result->seconds, 0);
}

TEST_P(Loads, AbsorbedMeasuresTheDifference) {
  ThreadPool pool(2);
  const auto policy = make_latent_policy(GetParam(), pool);
  const auto result = bench_absorbed(*policy, pool, small_load(policy->config()));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->tokens, 3 * 3 * 9);
  EXPECT_GT(result->details.at("logp_difference").at("max"), 0);
  EXPECT_LT(result->details.at("absorbed").at("cache_bytes_of_token"),
            result->details.at("exact").at("cache_bytes_of_token"));
  EXPECT_FALSE(bench_absorbed(*policy, pool, small_load(policy->config()), 0).ok());
  const auto refused = bench_absorbed(*make_policy(GetParam(), pool, false), pool, small_load(policy->config()));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("no latent attention"), std::string::npos);
}

TEST_P(Loads, TrainChecksTheGradient) {
  ThreadPool pool(2);
  const auto policy = make_policy(GetParam(), pool, true);
  const std::vector<float> before(policy->parameters()[1].value.begin(), policy->parameters()[1].value.end());
  const auto result =
      bench_train(*policy, pool, {.num_sequences = 3, .tokens_each = 20, .repetitions = 1, .checkpointing = true});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->tokens, 60);
  EXPECT_GT(result->details.at("checkpointing").at("step_peak_rss_mib"), 0);
  const std::vector<float> after(policy->parameters()[1].value.begin(), policy->parameters()[1].value.end());
  EXPECT_EQ(before, after);
}

TEST_P(Loads, GrpoStepUpdates) {
  ThreadPool pool(2);
  const auto policy = make_policy(GetParam(), pool, true);
  const auto result = bench_grpo_step(*policy, pool, small_load(policy->config()));
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->details.at("trained_tokens"), 3 * 3 * 9);
  EXPECT_EQ(policy->version(), 2);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Loads,
                         ::testing::Values(ComputeDtype::kF32, ComputeDtype::kBf16, ComputeDtype::kBf16Split));

TEST(ForcedSampling, DependsOnSeedAlone) {
  ThreadPool pool(2);
  const auto policy = make_policy(ComputeDtype::kF32, pool, false);
  const SamplingLoad load = small_load(policy->config());
  const ForcedSamples one = sample_forced(*policy, pool, load, 1);
  const ForcedSamples again = sample_forced(*policy, pool, load, 1);
  const ForcedSamples other = sample_forced(*policy, pool, load, 2);
  EXPECT_EQ(one.token_ids, again.token_ids);
  EXPECT_EQ(one.log_probs, again.log_probs);
  EXPECT_NE(one.token_ids, other.token_ids);
  EXPECT_EQ(one.token_ids[2][2].size(), 9U);
}

TEST(ForcedSampling, ScoresOfOtherTokensAreNoticed) {
  ThreadPool pool(1);
  const auto policy = make_policy(ComputeDtype::kF32, pool, false);
  const SamplingLoad load = small_load(policy->config());
  ForcedSamples samples = sample_forced(*policy, pool, load, 1);
  EXPECT_TRUE(log_probs_equal_score(*policy, load, samples));
  samples.token_ids[1][2][4] = (samples.token_ids[1][2][4] + 1) % 301;
  EXPECT_FALSE(log_probs_equal_score(*policy, load, samples));
}

// By hand: 1 layer, D 4, 2 heads of 2, 1 kv head, F 3, V 5. A row's layer products have 4*4 + 2*(4*2) + 4*4 + 3*(4*3)
// = 84 weights, the head 20. Tokens at positions 2 and 3 see 3 + 4 keys, each with 2 (q k) + 2 (weight v) flop for
// every one of H d = 4 numbers.
TEST(Flop, OfASmallModel) {
  ModelConfig config;
  config.num_layers = 1;
  config.hidden_size = 4;
  config.num_heads = 2;
  config.num_kv_heads = 1;
  config.head_dim = 2;
  config.intermediate_size = 3;
  config.vocab_size = 5;
  const TokenRun run = {.start_position = 2, .num_tokens = 2, .num_logit_rows = 1};
  EXPECT_EQ(forward_flop(config, run), 2 * 84 * 2 + 2 * 20 + 4 * 4 * 7);
  EXPECT_EQ(training_flop(config, run), 3 * forward_flop(config, run));

  // A mixture: the router's 5 x 4 weights, and two experts of width 3 in the place of the dense block.
  config.moe.num_experts = 5;
  config.moe.top_k = 2;
  config.moe.expert_size = 3;
  EXPECT_EQ(forward_flop(config, run), 2 * (84 - 3 * 4 * 3 + 5 * 4 + 2 * 3 * 4 * 3) * 2 + 2 * 20 + 4 * 4 * 7);
  // Latents of 6 for keys and values, two heads of 1 + 1 and values of 3.
  config.latent = {.q_rank = 0, .kv_rank = 6, .nope_dim = 1, .rope_dim = 1, .value_dim = 3};
  config.num_heads = config.num_kv_heads = 2;
  config.head_dim = 2;
  const double attention = 4 * (2 * 2 + 6 + 1) + 6 * 2 * (1 + 3) + 4 * 2 * 3;
  EXPECT_EQ(forward_flop(config, run), 2 * (attention + 5 * 4 + 2 * 3 * 4 * 3) * 2 + 2 * 20 + 2 * 2 * (2 + 3) * 7);
}

TEST(BenchJson, HasThePromisedKeys) {
  BenchResult result;
  result.name = "rollout";
  result.checked = "something";
  result.seconds = 2;
  result.tokens = 100;
  result.flop = 4e9;
  result.roof_gflops = 8;
  result.threads = 3;
  result.dtype = ComputeDtype::kBf16Split;
  result.details = {{"prompt_seconds", 0.5}};
  const nlohmann::json json = to_json(result);
  EXPECT_EQ(json.at("seconds"), 2);
  EXPECT_EQ(json.at("tokens_per_second"), 50);
  EXPECT_EQ(json.at("gflops"), 2);
  EXPECT_EQ(json.at("roof_gflops"), 8);
  EXPECT_EQ(json.at("fraction_of_roof"), 0.25);
  EXPECT_GT(json.at("peak_rss_mib"), 1);
  EXPECT_EQ(json.at("threads"), 3);
  EXPECT_EQ(json.at("dtype"), "bf16_split");
  EXPECT_EQ(json.at("checked"), "something");
  EXPECT_EQ(json.at("prompt_seconds"), 0.5);
}

}  // namespace
}  // namespace plumb
