// The router against its definition and central differences in f64.

#include "tensor/router.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/gated_activation.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

TEST(Router, EqualProbabilitiesGoByIndex) {
  const std::vector<float> probabilities = {0.1F, 0.2F, 0.2F, 0.3F, 0.2F};
  std::int32_t experts[4];
  float weights[4];
  choose_experts({.num_experts = 5, .top_k = 4, .normalise = true}, probabilities, experts, weights);
  EXPECT_EQ(std::vector<std::int32_t>(experts, experts + 4), (std::vector<std::int32_t>{3, 1, 2, 4}));
  EXPECT_FLOAT_EQ(weights[0], 0.3F / 0.9F);
}

TEST(Router, GroupsLimitTheChoice) {
  const std::vector<float> probabilities = {0.30F, 0.01F, 0.2F, 0.19F, 0.25F, 0.05F};
  std::int32_t experts[2];
  float weights[2];
  const RouterShape shape = {.num_experts = 6, .top_k = 2, .scaling = 3.0F, .num_groups = 3, .top_groups = 1};
  choose_experts(shape, probabilities, experts, weights);
  EXPECT_EQ(experts[0], 0);
  EXPECT_EQ(experts[1], 1);  // of the best group, though others have larger ones
  EXPECT_FLOAT_EQ(weights[1], 0.03F);
}

// sum_i c_i weight_i of fixed experts, as a function of the logits.
double weighted(const RouterShape& shape, const std::vector<double>& logits, const std::vector<std::int32_t>& experts) {
  double mass = 0;
  for (const double logit : logits) {
    mass += std::exp(logit);
  }
  double chosen = 0;
  double sum = 0;
  for (std::size_t i = 0; i < experts.size(); ++i) {
    const double p = std::exp(logits[static_cast<std::size_t>(experts[i])]) / mass;
    chosen += p;
    sum += std::cos(static_cast<double>(i)) * p;
  }
  return shape.normalise ? sum / chosen : sum * static_cast<double>(shape.scaling);
}

TEST(Router, BackwardMatchesDifferences) {
  for (const bool normalise : {false, true}) {
    const RouterShape shape = {.num_experts = 21, .top_k = 3, .normalise = normalise, .scaling = 2.5F};
    const std::vector<float> logits = testing::random_floats(21, 9);
    std::vector<float> probabilities(21);
    router_probabilities(logits, probabilities);
    std::vector<std::int32_t> experts(3);
    std::vector<float> weights(3);
    choose_experts(shape, probabilities, experts.data(), weights.data());
    const std::vector<float> d_weights = {1.0F, std::cos(1.0F), std::cos(2.0F)};
    std::vector<float> scratch(21);
    std::vector<float> d_logits(21);
    router_backward(shape, probabilities, experts.data(), weights.data(), d_weights.data(), scratch, d_logits);
    const auto expected = testing::central_differences(
        [&](const std::vector<double>& x) { return weighted(shape, x, experts); }, testing::widen(logits));
    testing::expect_close(d_logits, expected, 1e-6, "d_logits");
  }
}

double gate_of(GateKind kind, double x) {
  switch (kind) {
    case GateKind::kSilu:
      return x / (1 + std::exp(-x));
    case GateKind::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case GateKind::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case GateKind::kRelu:
      return x > 0 ? x : 0;
  }
  return 0;
}

TEST(GatedActivation, MatchesItsDefinition) {
  const std::vector<float> gate = testing::random_floats(37, 1, 2.0);
  const std::vector<float> up = testing::random_floats(37, 2);
  const std::vector<float> ones(37, 1.0F);
  for (const GateKind kind : {GateKind::kSilu, GateKind::kGelu, GateKind::kGeluTanh, GateKind::kRelu}) {
    std::vector<float> y(37), d_gate(37), d_up(37);
    gated_activation(kind, gate.data(), up.data(), 37, y.data());
    gated_activation_backward(kind, gate.data(), up.data(), ones.data(), 37, d_gate.data(), d_up.data());
    std::vector<double> expected, slopes;
    for (std::size_t i = 0; i < 37; ++i) {
      const auto x = static_cast<double>(gate[i]);
      expected.push_back(gate_of(kind, x) * static_cast<double>(up[i]));
      slopes.push_back((gate_of(kind, x + 1e-5) - gate_of(kind, x - 1e-5)) / 2e-5 * static_cast<double>(up[i]));
    }
    testing::expect_close(y, expected, 1e-6, "y");
    testing::expect_close(d_gate, slopes, 1e-6, "d_gate");
  }
}

}  // namespace
}  // namespace plumb
