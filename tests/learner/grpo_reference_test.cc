// The loss against slow independent references: the definitions as double loops over completions and tokens, in long
// double, with derivatives by central differences of the definition; and hand-worked numbers.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/rng.h"
#include "learner/aggregation.h"
#include "learner/grpo_loss.h"
#include "learner/importance.h"

namespace plumb {
namespace {

struct Tokens {
  std::vector<std::vector<float>> now, raw, old, reference, entropies, importance;
  std::vector<std::vector<std::uint8_t>> mask;
  std::vector<float> advantages;  // per completion
  std::vector<double> denominators;
};

// Log-probs near enough for every branch of every clip to occur.
Tokens random_tokens(std::uint64_t seed) {
  const RngStream random(RngPurpose::kInit, seed);
  std::uint32_t next = 0;
  Tokens tokens;
  for (const std::size_t length : {7U, 1U, 4U, 12U, 3U}) {
    auto row = [&](double mean, double scale) {
      std::vector<float> values;
      for (std::size_t t = 0; t < length; ++t) {
        values.push_back(static_cast<float>(mean + scale * random.normal(next++)));
      }
      return values;
    };
    tokens.old.push_back(row(-2, 0.5));
    tokens.now.push_back(tokens.old.back());
    tokens.raw.push_back(tokens.old.back());
    tokens.reference.push_back(tokens.old.back());
    for (std::size_t t = 0; t < length; ++t) {
      tokens.now.back()[t] += static_cast<float>(0.35 * random.normal(next++));
      tokens.raw.back()[t] += static_cast<float>(0.35 * random.normal(next++));
      tokens.reference.back()[t] += static_cast<float>(0.35 * random.normal(next++));
    }
    tokens.entropies.push_back(row(1.5, 0.3));
    tokens.importance.push_back(row(1, 0.2));
    tokens.mask.emplace_back();
    for (std::size_t t = 0; t < length; ++t) {
      tokens.mask.back().push_back(random.below(3, next++) > 0 ? 1 : 0);
    }
    tokens.advantages.push_back(static_cast<float>(random.normal(next++)));
    tokens.denominators.push_back(10 + static_cast<double>(length));
  }
  return tokens;
}

long double policy_objective(long double ratio, long double a, const GrpoLossOptions& options) {
  const long double low = 1 - static_cast<long double>(options.clip_low);
  const long double high = 1 + static_cast<long double>(options.clip_high);
  const long double clipped = ratio < low ? low : ratio > high ? high : ratio;
  long double objective = ratio * a < clipped * a ? ratio * a : clipped * a;
  if (options.dual_clip > 0 && a < 0) {
    const long double least = static_cast<long double>(options.dual_clip) * a;
    objective = objective < least ? least : objective;
  }
  return objective;
}

using Rows = std::vector<std::vector<long double>>;

Rows wide(const std::vector<std::vector<float>>& rows) {
  Rows result;
  for (const auto& row : rows) {
    result.emplace_back(row.begin(), row.end());
  }
  return result;
}

// The loss as it is defined, of the log-probs of the sampled distribution and (in the divergence) the raw ones.
long double slow_loss(const Tokens& k, const Rows& now, const Rows& raw, const GrpoLossOptions& options) {
  long double loss = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const long double a = k.advantages[i];
    long double log_sequence_ratio = 0;
    for (std::size_t t = 0; t < now[i].size(); ++t) {
      log_sequence_ratio +=
          (now[i][t] - static_cast<long double>(k.old[i][t])) / static_cast<long double>(now[i].size());
    }
    for (std::size_t t = 0; t < now[i].size(); ++t) {
      const long double token_ratio = std::exp(now[i][t] - static_cast<long double>(k.old[i][t]));
      const long double detached =
          std::exp(static_cast<long double>(k.now[i][t]) - static_cast<long double>(k.old[i][t]));
      long double term = 0;
      if (options.ratio == RatioKind::kCispo) {
        term = -std::min(detached, 1 + static_cast<long double>(options.clip_high)) * a * now[i][t];
      } else {
        term = -policy_objective(options.ratio == RatioKind::kSequence ? std::exp(log_sequence_ratio) : token_ratio, a,
                                 options);
      }
      const auto factor = static_cast<long double>(k.importance[i][t]);
      term *= factor * k.mask[i][t];
      const long double d = static_cast<long double>(k.reference[i][t]) - raw[i][t];
      const long double beta = options.kl_coefficient;
      term += options.kl == KlLoss::kK2         ? beta * d * d / 2
              : options.kl == KlLoss::kK3       ? beta * (std::exp(d) - 1 - d)
              : options.kl == KlLoss::kUnbiased ? factor * beta * token_ratio * (std::exp(d) - 1 - d)
                                                : 0;
      term -= static_cast<long double>(options.entropy_coefficient) * k.entropies[i][t];
      loss += term / static_cast<long double>(k.denominators[i]);
    }
  }
  return loss;
}

template <typename T>
std::vector<T> flat(const std::vector<std::vector<T>>& rows) {
  std::vector<T> all;
  for (const auto& row : rows) {
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

struct Computed {
  GrpoLossSums sums;
  std::vector<float> gradient;
  std::vector<float> raw_gradient;  // empty where the log-probs are the raw ones
};

Computed compute(const Tokens& k, const GrpoLossOptions& options, bool truncated = false) {
  std::vector<LossSequence> sequences;
  std::vector<float> advantages;
  for (std::size_t i = 0; i < k.now.size(); ++i) {
    sequences.push_back({advantages.size(), advantages.size() + k.now[i].size(), k.denominators[i]});
    advantages.insert(advantages.end(), k.now[i].size(), k.advantages[i]);
  }
  const auto now = flat(k.now);
  const auto raw = truncated ? flat(k.raw) : std::vector<float>{};
  const auto old = flat(k.old);
  const auto reference = flat(k.reference);
  const auto entropies = flat(k.entropies);
  const auto importance = flat(k.importance);
  const auto mask = flat(k.mask);
  Computed result{{}, std::vector<float>(now.size()), std::vector<float>(raw.size())};
  result.sums = grpo_loss({now, raw, old, advantages, entropies, reference, importance, mask, sequences}, options,
                          result.gradient, result.raw_gradient);
  return result;
}

class EveryOption : public ::testing::TestWithParam<std::tuple<RatioKind, KlLoss, float>> {
 protected:
  [[nodiscard]] GrpoLossOptions options() const {
    const auto& [ratio, kl, any_dual_clip] = GetParam();
    const float dual_clip = ratio == RatioKind::kCispo ? 0.0F : any_dual_clip;  // check_options() refuses the two
    return {ratio, 0.15F, 0.25F, dual_clip, kl, kl == KlLoss::kNone ? 0.0F : 0.125F, 0.0F};
  }
};

// `gradient` against central differences of `loss` by each of `values`.
void expect_slopes(std::span<const float> gradient, Rows& values, const std::function<long double()>& loss) {
  constexpr long double kStep = 0x1p-20L;
  std::size_t at = 0;
  for (auto& row : values) {
    for (long double& value : row) {
      const long double centre = value;
      value = centre + kStep;
      const long double up = loss();
      value = centre - kStep;
      const long double down = loss();
      value = centre;
      // The difference is off by a third derivative times step^2 / 6, below 1e-11; the gradient is rounded to f32.
      const auto slope = static_cast<double>((up - down) / (2 * kStep));
      EXPECT_NEAR(gradient[at], slope, 1e-10 + 1e-7 * std::abs(slope)) << "token " << at;
      ++at;
    }
  }
}

TEST_P(EveryOption, EqualsTheDefinition) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const Tokens k = random_tokens(seed);
    const Computed computed = compute(k, options());
    Rows now = wide(k.now);
    const auto loss = static_cast<double>(slow_loss(k, now, now, options()));
    EXPECT_NEAR(computed.sums.loss, loss, 1e-12 * (1 + std::abs(loss)));
    expect_slopes(computed.gradient, now, [&] { return slow_loss(k, now, now, options()); });
  }
}

// Where sampling was at another temperature or truncated, the divergence alone is of the raw log-probs.
TEST_P(EveryOption, TheDivergenceHasItsOwnGradient) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const Tokens k = random_tokens(seed);
    const Computed computed = compute(k, options(), true);
    Rows now = wide(k.now);
    Rows raw = wide(k.raw);
    const auto loss = static_cast<double>(slow_loss(k, now, raw, options()));
    EXPECT_NEAR(computed.sums.loss, loss, 1e-12 * (1 + std::abs(loss)));
    const auto slow = [&] { return slow_loss(k, now, raw, options()); };
    expect_slopes(computed.gradient, now, slow);
    expect_slopes(computed.raw_gradient, raw, slow);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Options, EveryOption,
    ::testing::Combine(::testing::Values(RatioKind::kToken, RatioKind::kSequence, RatioKind::kCispo),
                       ::testing::Values(KlLoss::kNone, KlLoss::kK2, KlLoss::kK3, KlLoss::kUnbiased),
                       ::testing::Values(0.0F, 1.4F)));

// Ratios 2 and 1/2 (mean log 0, so s = 1) and 4 alone; A = 1 and -1; clips 0.2.
TEST(SequenceRatio, HandWorked) {
  const auto two = std::log(2.0F);
  const std::vector<float> now = {two, -two, 2 * two};
  const std::vector<float> old = {0, 0, 0};
  const std::vector<float> advantages = {1, 1, -1};
  const std::vector<float> entropies = {0, 0, 0};
  const std::vector<LossSequence> sequences = {{0, 2, 2}, {2, 3, 1}};
  std::vector<float> gradient(3);
  const GrpoLossInput input{now, {}, old, advantages, entropies, {}, {}, {}, sequences};
  const GrpoLossSums sums = grpo_loss(input, {.ratio = RatioKind::kSequence}, gradient);
  EXPECT_NEAR(sums.loss, -1 + 4, 1e-6) << "both tokens of the first have s A = 1; the second has 4 * -1";
  EXPECT_EQ(gradient, (std::vector<float>{-0.5F, -0.5F, gradient[2]}));
  EXPECT_NEAR(gradient[2], 4, 1e-6) << "not clipped: the advantage is negative and the ratio is high";
  grpo_loss(input, {.ratio = RatioKind::kSequence, .dual_clip = 3}, gradient);
  EXPECT_EQ(gradient[2], 0.0F) << "the second clip bounds it";
}

// A token of probability 1/4 whose ratio is 2, A = 1, cap 1.5: loss -1.5 log(1/4), derivative -1.5.
TEST(Cispo, HandWorked) {
  const std::vector<float> now = {std::log(0.25F)};
  const std::vector<float> old = {std::log(0.125F)};
  const std::vector<float> one = {1};
  const std::vector<LossSequence> sequences = {{0, 1, 1}};
  std::vector<float> gradient(1);
  const GrpoLossSums sums = grpo_loss({now, {}, old, one, one, {}, {}, {}, sequences},
                                      {.ratio = RatioKind::kCispo, .clip_high = 0.5F}, gradient);
  EXPECT_NEAR(sums.loss, 1.5 * std::log(4.0), 1e-6);
  EXPECT_EQ(gradient[0], -1.5F) << "capped, and still a gradient";
  EXPECT_EQ(sums.clipped_high, 1);
}

TEST(ReferenceDivergence, IsExactlyZeroWhereThePoliciesAreEqual) {
  Tokens k = random_tokens(1);
  k.reference = k.now;
  for (const KlLoss kl : {KlLoss::kK2, KlLoss::kK3, KlLoss::kUnbiased}) {
    EXPECT_EQ(compute(k, {.kl = kl, .kl_coefficient = 1}).sums.reference_kl, 0.0);
  }
}

// d = ln 2: k2 = (ln 2)^2 / 2, k3 = 2 - 1 - ln 2, unbiased with ratio 1/2 = (1 - ln 2) / 2.
TEST(ReferenceDivergence, HandWorked) {
  const auto two = std::log(2.0F);
  const std::vector<float> now = {-two};
  const std::vector<float> zero = {0};
  const std::vector<LossSequence> sequences = {{0, 1, 1}};
  std::vector<float> gradient(1);
  const auto divergence = [&](KlLoss kl) {
    return grpo_loss({now, {}, zero, zero, zero, zero, {}, {}, sequences}, {.kl = kl, .kl_coefficient = 1}, gradient)
        .reference_kl;
  };
  const double ln2 = std::log(2.0);
  EXPECT_NEAR(divergence(KlLoss::kK2), ln2 * ln2 / 2, 1e-7);
  EXPECT_NEAR(gradient[0], -ln2, 1e-7);
  EXPECT_NEAR(divergence(KlLoss::kK3), 1 - ln2, 1e-7);
  EXPECT_NEAR(gradient[0], 1 - 2, 1e-6);
  EXPECT_NEAR(divergence(KlLoss::kUnbiased), (1 - ln2) / 2, 1e-7);
  EXPECT_NEAR(gradient[0], 0.5 * (1 - ln2 - 1), 1e-6);
}

// A policy of four tokens.
struct Softmax {
  std::vector<double> logits;

  [[nodiscard]] std::vector<double> log_probs() const {
    double mass = 0;
    for (const double each : logits) {
      mass += std::exp(each);
    }
    std::vector<double> result;
    for (const double each : logits) {
      result.push_back(each - std::log(mass));
    }
    return result;
  }
};

double entropy(const Softmax& policy) {
  double sum = 0;
  for (const double each : policy.log_probs()) {
    sum -= std::exp(each) * each;
  }
  return sum;
}

const Softmax kReferencePolicy = {{0.0, -0.5, 1.0, 0.25}};

double divergence(const Softmax& policy) {  // KL(policy || reference)
  double sum = 0;
  for (std::size_t v = 0; v < policy.logits.size(); ++v) {
    const double log_prob = policy.log_probs()[v];
    sum += std::exp(log_prob) * (log_prob - kReferencePolicy.log_probs()[v]);
  }
  return sum;
}

// Terms whose gradient at samples is exact in the mean over mu, which drew them: over all tokens of the vocabulary,
// weighted by their probability under mu, it is the gradient of the term itself. pi_prox lies between mu and pi.
TEST(TermsOfThePolicyItself, HaveTheirExactGradientAsTheirMeanOverTheActor) {
  const Softmax pi{{0.5, -1.0, 2.0, 0.0}};
  const Softmax prox{{0.4, -0.5, 1.5, 0.2}};
  const Softmax mu{{0.1, 0.3, 1.0, 0.4}};
  const std::vector<float> zero = {0};
  const std::vector<float> h = {static_cast<float>(entropy(pi))};
  const std::vector<LossSequence> sequences = {{0, 1, 1}};
  const auto at = [](const Softmax& policy, std::size_t token) {
    return std::vector<float>{static_cast<float>(policy.log_probs()[token])};
  };
  const auto expect_exact = [&](const GrpoLossOptions& options, double (*term)(const Softmax&), double sign,
                                const Softmax& actor, const Softmax& old) {
    std::vector<double> mean(pi.logits.size(), 0.0);  // of d loss / d logits
    for (std::size_t token = 0; token < mean.size(); ++token) {
      const std::vector<float> now = at(pi, token);
      const std::vector<float> old_log_prob = at(old, token);
      const std::vector<float> reference = at(kReferencePolicy, token);
      const auto importance = importance_factors(old_log_prob, at(actor, token), Importance::kTokenTruncate, 100);
      std::vector<float> gradient(1);
      grpo_loss({now, {}, old_log_prob, zero, h, reference, importance, {}, sequences}, options, gradient);
      for (std::size_t v = 0; v < mean.size(); ++v) {
        const double d_log_prob = (v == token ? 1.0 : 0.0) - std::exp(pi.log_probs()[v]);
        mean[v] += std::exp(actor.log_probs()[token]) * static_cast<double>(gradient[0]) * d_log_prob;
      }
    }
    for (std::size_t v = 0; v < mean.size(); ++v) {
      Softmax up = pi;
      Softmax down = pi;
      up.logits[v] += 1e-5;
      down.logits[v] -= 1e-5;
      EXPECT_NEAR(mean[v], sign * (term(up) - term(down)) / 2e-5, 1e-6);
    }
  };
  for (const auto& [actor, old] : {std::pair{pi, pi}, std::pair{mu, mu}, std::pair{mu, prox}}) {
    expect_exact({.entropy_coefficient = 1}, entropy, -1, actor, old);
    expect_exact({.kl = KlLoss::kUnbiased, .kl_coefficient = 1}, divergence, 1, actor, old);
  }
}

TEST(Denominators, OfThreeCompletions) {
  const std::vector<std::int64_t> lengths = {2, 3, 5};
  EXPECT_EQ(denominators(lengths, Aggregation::kTokenMean, 8), (std::vector<double>{10, 10, 10}));
  EXPECT_EQ(denominators(lengths, Aggregation::kSampleMean, 8), (std::vector<double>{6, 9, 15}));
  EXPECT_EQ(denominators(lengths, Aggregation::kConstantLength, 8), (std::vector<double>{24, 24, 24}));
  EXPECT_EQ(denominators(lengths, Aggregation::kSequenceSum, 8), (std::vector<double>{3, 3, 3}));
}

// Factors 2 and 1/4, product 1/2.
TEST(ImportanceFactors, HandWorked) {
  const std::vector<float> prox = {std::log(2.0F), std::log(0.25F)};
  const std::vector<float> actor = {0, 0};
  const auto factors = [&](Importance importance, float cap) {
    return importance_factors(prox, actor, importance, cap);
  };
  EXPECT_EQ(factors(Importance::kNone, 1.5F), (std::vector<float>{1, 1}));
  EXPECT_EQ(factors(Importance::kTokenTruncate, 1.5F)[0], 1.5F);
  EXPECT_FLOAT_EQ(factors(Importance::kTokenTruncate, 1.5F)[1], 0.25F);
  EXPECT_EQ(factors(Importance::kTokenMask, 1.5F)[0], 0.0F);
  EXPECT_FLOAT_EQ(factors(Importance::kTokenMask, 1.5F)[1], 0.25F);
  EXPECT_FLOAT_EQ(factors(Importance::kSequenceTruncate, 1.5F)[1], 0.5F);
  EXPECT_FLOAT_EQ(factors(Importance::kSequenceTruncate, 0.375F)[0], 0.375F);
  EXPECT_EQ(factors(Importance::kSequenceMask, 0.375F), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace plumb
