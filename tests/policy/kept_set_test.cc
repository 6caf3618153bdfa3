// Log-probs and gradients over the tokens that truncated sampling kept.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "policy/policy.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

constexpr float kTemperature = 0.7F;

class KeptSets : public ::testing::Test {
 protected:
  KeptSets() : pool_(2), config_(testing::wide_config()) {
    auto created = Policy::create(config_, testing::random_weights(config_, 7),
                                  {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true});
    EXPECT_TRUE(created.ok());
    policy_ = std::move(created).value();
    batch_.token_ids = testing::random_tokens(config_, 12, 3);
    batch_.segments.push_back({.first_row = 0, .num_tokens = 12});
    const auto cache = policy_->make_cache(1 << 26);
    const ExtendRequest request = {.sequence = cache->add_sequence(), .token_ids = batch_.token_ids};
    policy_->extend(*cache, std::span(&request, 1),
                    [&](std::int64_t, int, std::span<float> logits) { logits_.assign(logits.begin(), logits.end()); });
  }

  // The scores of `ids` after the whole batch, all drawn from `kept`, and the gradient by the factors.
  std::vector<float> gradient(const std::vector<std::int32_t>& ids, const std::vector<KeptSet>& kept,
                              const std::vector<float>& factors) {
    ScoreTargets targets;
    targets.temperature = kTemperature;
    targets.rows.assign(ids.size(), 11);
    targets.target_ids = ids;
    targets.kept = kept;
    ForwardTape tape;
    scores_ = policy_->forward(batch_, targets, tape);
    policy_->zero_gradients();
    policy_->backward(tape, factors);
    std::vector<float> all;
    for (const ParameterView& view : policy_->parameters()) {
      all.insert(all.end(), view.gradient.begin(), view.gradient.end());
    }
    return all;
  }

  [[nodiscard]] std::vector<std::int32_t> ids_by_logit() const {
    std::vector<std::int32_t> ids(logits_.size());
    for (std::size_t v = 0; v < ids.size(); ++v) {
      ids[v] = static_cast<std::int32_t>(v);
    }
    std::sort(ids.begin(), ids.end(), [&](auto a, auto b) {
      return logits_[static_cast<std::size_t>(a)] > logits_[static_cast<std::size_t>(b)];
    });
    return ids;
  }

  [[nodiscard]] float logit(std::int32_t id) const { return logits_[static_cast<std::size_t>(id)]; }

  ThreadPool pool_;
  ModelConfig config_;
  std::unique_ptr<Policy> policy_;
  PackedBatch batch_;
  std::vector<float> logits_;
  TokenScores scores_;
};

double norm_of_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    squares += difference * difference;
  }
  return std::sqrt(squares);
}

// Of two kept tokens, log p(a) = log sigmoid(z_a - z_b): its gradient is (1 - p(a)) times the difference of the two
// gradients without truncation.
TEST_F(KeptSets, GradientOfTwoKeptTokensIsThatOfTheirDifference) {
  const auto ids = ids_by_logit();
  const std::vector<std::int32_t> pair = {ids[3], ids[4]};
  const KeptSet kept = {logit(ids[4]), ids[4], logit(ids[3]), {}};
  const auto truncated = gradient({pair[0]}, {kept}, {1.0F});
  const double z = static_cast<double>(logit(pair[0]) - logit(pair[1])) / static_cast<double>(kTemperature);
  const double p = 1 / (1 + std::exp(-z));
  EXPECT_NEAR(scores_.log_probs[0], std::log(p), 2e-6);
  const auto factor = static_cast<float>(1 - p);
  const auto difference = gradient(pair, {}, {factor, -factor});
  const std::vector<float> zero(difference.size(), 0.0F);
  EXPECT_GT(norm_of_difference(difference, zero), 1e-3);
  EXPECT_LT(norm_of_difference(truncated, difference), 1e-5 * norm_of_difference(difference, zero));
}

TEST_F(KeptSets, OneKeptTokenIsCertainAndTeachesNothing) {
  const auto ids = ids_by_logit();
  const auto all = gradient({ids[0]}, {{logit(ids[0]), ids[0], logit(ids[0]), {}}}, {1.0F});
  EXPECT_EQ(scores_.log_probs[0], 0.0F);
  const std::vector<float> zero(all.size(), 0.0F);
  EXPECT_LT(norm_of_difference(all, zero), 1e-6);
}

// Targets of one row may have been drawn from different sets; a set that keeps everything is no truncation.
TEST_F(KeptSets, OneRowMayHaveSeveralSets) {
  const auto ids = ids_by_logit();
  const KeptSet ten = {logit(ids[9]), ids[9], std::numeric_limits<float>::infinity(), {}};
  const auto together = gradient({ids[0], ids[0], ids[2]}, {ten, {}, ten}, {1.0F, 2.0F, -1.0F});
  const TokenScores scores = scores_;
  auto apart = gradient({ids[0], ids[2]}, {ten, ten}, {1.0F, -1.0F});
  EXPECT_EQ(scores.log_probs[0], scores_.log_probs[0]);
  EXPECT_EQ(scores.log_probs[2], scores_.log_probs[1]);
  const auto untruncated = gradient({ids[0]}, {}, {2.0F});
  EXPECT_EQ(scores.log_probs[1], scores_.log_probs[0]);
  EXPECT_EQ(scores.entropies[0], scores_.entropies[0]);  // raw
  for (std::size_t i = 0; i < apart.size(); ++i) {
    apart[i] += untruncated[i];
  }
  const std::vector<float> zero(apart.size(), 0.0F);
  EXPECT_LT(norm_of_difference(together, apart), 1e-5 * norm_of_difference(apart, zero));
}

// Written down token by token, a set gives the bits of its bounds, and stands when the weights move on.
TEST_F(KeptSets, BoundsAndIdsAreTheSame) {
  const auto ids = ids_by_logit();
  const KeptSet bounds = {logit(ids[9]), ids[9], std::numeric_limits<float>::infinity(), {}};
  auto tokens = std::make_shared<TokenSet>(logits_.size());
  for (std::size_t i = 0; i < 10; ++i) {
    tokens->insert(static_cast<std::size_t>(ids[i]));
  }
  KeptSet by_id;
  by_id.ids = tokens;
  EXPECT_FALSE(bounds == by_id);
  const auto of_bounds = gradient({ids[0], ids[4]}, {bounds, bounds}, {1.0F, -2.0F});
  const TokenScores scores = scores_;
  EXPECT_EQ(gradient({ids[0], ids[4]}, {by_id, by_id}, {1.0F, -2.0F}), of_bounds);
  EXPECT_EQ(scores_.log_probs, scores.log_probs);
  for (const ParameterView& view : policy_->parameters()) {
    for (float& value : view.value) {
      value *= 1.5F;
    }
  }
  policy_->commit_update();
  double total = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    gradient({ids[i]}, {by_id}, {1.0F});
    total += std::exp(static_cast<double>(scores_.log_probs[0]));
  }
  EXPECT_NEAR(total, 1, 1e-5);
}

// Raw targets beside those of truncated sampling at a temperature: the numbers of a batch without either.
TEST_F(KeptSets, RawTargetsKnowNeitherTemperatureNorTruncation) {
  const auto ids = ids_by_logit();
  ScoreTargets targets;
  targets.temperature = kTemperature;
  targets.rows = {11, 11};
  targets.target_ids = {ids[2], ids[2]};
  targets.kept = {{logit(ids[9]), ids[9], std::numeric_limits<float>::infinity(), {}}, {}};
  targets.raw = {0, 1};
  const TokenScores mixed = policy_->score(batch_, targets);
  const TokenScores plain = policy_->score(batch_, {.rows = {11}, .target_ids = {ids[2]}});
  EXPECT_EQ(mixed.log_probs[1], plain.log_probs[0]);
  EXPECT_NE(mixed.log_probs[0], plain.log_probs[0]);
  EXPECT_EQ(mixed.entropies[0], plain.entropies[0]);
}

}  // namespace
}  // namespace plumb
