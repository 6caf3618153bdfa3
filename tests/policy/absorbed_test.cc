// Latent attention among latents (PolicyOptions::exact = false): the numbers of transformers, a difference from the
// exact way that is rounding alone, and bits that still depend on a token's own sequence only.

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "formats/config_json.h"
#include "formats/safetensors.h"
#include "policy/policy.h"
#include "tests/support/bf16_scope.h"
#include "tests/support/formula_weights.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

const std::string kFolder = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/families/";
constexpr const char* kNames[] = {"deepseek_v2_lite", "deepseek_v2"};  // without and with latents of queries

nlohmann::json golden(const std::string& name) {
  std::ifstream file(kFolder + name + ".json");
  return nlohmann::json::parse(file);
}

ModelConfig config_of(const std::string& name) {
  return parse_config_json(golden(name).at("config").dump(), name).value();
}

std::unique_ptr<Policy> make_policy(const ModelConfig& config, ComputeDtype dtype, ThreadPool& pool,
                                    bool exact = false) {
  auto created =
      Policy::create(config, testing::formula_weights(config), {.dtype = dtype, .pool = &pool, .exact = exact});
  EXPECT_TRUE(created.ok());
  return std::move(created).value();
}

using Rows = std::vector<std::vector<float>>;

// Feeds ids[begin, end) to a sequence, one call for each; appends the logits behind each token.
void feed_singly(Policy& policy, KvCache& cache, SequenceId sequence, std::span<const std::int32_t> ids, Rows& rows) {
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const ExtendRequest request = {.sequence = sequence, .token_ids = ids.subspan(t, 1)};
    policy.extend(cache, std::span(&request, 1),
                  [&](std::int64_t, int, std::span<float> logits) { rows.emplace_back(logits.begin(), logits.end()); });
  }
}

Rows decode(Policy& policy, std::span<const std::int32_t> ids) {
  const auto cache = policy.make_cache(std::int64_t{1} << 26);
  Rows rows;
  feed_singly(policy, *cache, cache->add_sequence(), ids, rows);
  return rows;
}

// The root of the mean square of a - b, beside that of b; a NaN stays.
double relative_difference(const Rows& a, const Rows& b) {
  double difference = 0;
  double size = 0;
  for (std::size_t t = 0; t < b.size(); ++t) {
    for (std::size_t i = 0; i < b[t].size(); ++i) {
      const auto expected = static_cast<double>(b[t][i]);
      difference += std::pow(static_cast<double>(a.at(t).at(i)) - expected, 2);
      size += expected * expected;
    }
  }
  return std::sqrt(difference / size);
}

// Of f32: measured differences are below 2e-6, as in families_test.cc, and for its reasons.
constexpr double kTolerance = 1e-5;

TEST(Absorbed, MatchesTransformers) {
  for (const char* name : kNames) {
    const ModelConfig config = config_of(name);
    const auto ids = golden(name).at("token_ids").get<std::vector<std::int32_t>>();
    const auto tensors = SafetensorsFile::open(kFolder + std::string(name) + ".safetensors");
    ASSERT_TRUE(tensors.ok());
    const std::vector<float> flat = tensors->read("logits").value().values;
    Rows expected;
    for (std::size_t t = 0; t < ids.size(); ++t) {
      const auto begin = flat.begin() + static_cast<std::ptrdiff_t>(t) * config.vocab_size;
      expected.emplace_back(begin, begin + config.vocab_size);
    }
    for (const int threads : {1, 2}) {
      ThreadPool pool(threads);
      EXPECT_LE(relative_difference(decode(*make_policy(config, ComputeDtype::kF32, pool), ids), expected), kTolerance)
          << name;
    }
  }
}

class AbsorbedBits : public testing::ArithmeticTest {};

// In chunks and singly, beside others, with other numbers of threads, as the fork of a prompt: the same bits.
TEST_P(AbsorbedBits, DependOnTheSequenceAlone) {
  for (const char* name : kNames) {
    const ModelConfig config = config_of(name);
    const std::vector<std::int32_t> ids = testing::random_tokens(config, 75, 3);
    // More rows than a block of a thread takes: blocks, and two workers on them.
    std::vector<std::vector<std::int32_t>> others;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      others.push_back(testing::random_tokens(config, 250, 40 + seed));
    }
    Rows expected;
    for (const int threads : {1, 2}) {
      ThreadPool pool(threads);
      const auto policy = make_policy(config, dtype(), pool);
      const Rows singly = decode(*policy, ids);
      expected = expected.empty() ? singly : expected;
      EXPECT_EQ(singly, expected) << name << ", " << threads << " threads";

      const auto cache = policy->make_cache(std::int64_t{1} << 26);
      const SequenceId parent = cache->add_sequence();
      std::vector<ExtendRequest> requests = {{parent, std::span(ids).first(37)}};
      for (const std::vector<std::int32_t>& other : others) {
        requests.push_back({cache->add_sequence(), other});
      }
      std::swap(requests.front(), requests.back());
      Rows chunked;
      policy->extend(*cache, requests, [&](std::int64_t index, int, std::span<float> logits) {
        if (index == 5) {
          EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), expected[36]) << name;
        }
      });
      feed_singly(*policy, *cache, cache->fork(parent), std::span(ids).subspan(37), chunked);
      EXPECT_EQ(chunked, Rows(expected.begin() + 37, expected.end())) << name << ", " << threads << " threads";
    }
  }
}

// What is rounded to bf16 on the exact way (normed rows, latents, attended rows) is more than what is rounded beside
// (queries, results among latents): the errors are at most twice as large.
TEST_P(AbsorbedBits, AreNoFurtherFromF32ThanTheExactOnes) {
  for (const char* name : kNames) {
    const ModelConfig config = config_of(name);
    ThreadPool pool(2);
    const std::vector<std::int32_t> ids = testing::random_tokens(config, 75, 5);
    const Rows in_f32 = decode(*make_policy(config, ComputeDtype::kF32, pool, true), ids);
    const auto exact = make_policy(config, dtype(), pool, true);
    const auto absorbed = make_policy(config, dtype(), pool);
    EXPECT_TRUE(exact->exact());
    EXPECT_FALSE(absorbed->exact());
    const Rows exact_rows = decode(*exact, ids);
    const Rows absorbed_rows = decode(*absorbed, ids);
    EXPECT_NE(absorbed_rows, exact_rows) << name;
    EXPECT_LE(relative_difference(absorbed_rows, in_f32),
              std::max(2 * relative_difference(exact_rows, in_f32), kTolerance))
        << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, AbsorbedBits, ::testing::ValuesIn(testing::all_arithmetic()),
                         [](const auto& parameter) { return testing::name_of(parameter.param); });

TEST(Absorbed, CachesLatentsAlone) {
  const ModelConfig config = config_of("deepseek_v2");
  ThreadPool pool(1);
  const auto exact = make_policy(config, ComputeDtype::kF32, pool, true)->make_cache(1 << 26);
  const auto absorbed = make_policy(config, ComputeDtype::kF32, pool)->make_cache(1 << 26);
  EXPECT_GT(absorbed->free_tokens(), exact->free_tokens());
}

TEST(Absorbed, OtherModelsStayExact) {
  const ModelConfig config = config_of("mixtral");
  ThreadPool pool(2);
  const auto policy = make_policy(config, ComputeDtype::kF32, pool);
  EXPECT_TRUE(policy->exact());
  const std::vector<std::int32_t> ids = testing::random_tokens(config, 40, 6);
  EXPECT_EQ(decode(*policy, ids), decode(*make_policy(config, ComputeDtype::kF32, pool, true), ids));
}

// Scores are the exact way's, and an update reaches the absorbed weights.
TEST(Absorbed, TheLearnersSideIsAsItWas) {
  const ModelConfig config = config_of("deepseek_v2");
  ThreadPool pool(2);
  const auto exact = make_policy(config, ComputeDtype::kF32, pool, true);
  const auto absorbed = make_policy(config, ComputeDtype::kF32, pool);
  const std::vector<std::int32_t> ids = testing::random_tokens(config, 50, 7);
  PackedBatch batch;
  batch.token_ids = ids;
  batch.segments = {{.first_row = 0, .num_tokens = 50, .start_position = 0, .parent = -1}};
  ScoreTargets targets;
  targets.rows = {10, 48};
  targets.target_ids = {ids[11], ids[49]};
  EXPECT_EQ(absorbed->score(batch, targets).log_probs, exact->score(batch, targets).log_probs);
  for (Policy* policy : {exact.get(), absorbed.get()}) {
    for (ParameterView& view : policy->parameters()) {
      for (float& value : view.value) {
        value *= 1.25F;
      }
    }
    policy->commit_update();
  }
  EXPECT_LE(relative_difference(decode(*absorbed, ids), decode(*exact, ids)), kTolerance);
}

}  // namespace
}  // namespace plumb
