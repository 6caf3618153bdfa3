#include "learner/router_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "formats/config_json.h"
#include "learner/batching.h"
#include "learner/grpo_options.h"
#include "tensor/router.h"
#include "tests/support/formula_weights.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

ModelConfig config_of(const std::string& name) {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/tests/golden/families/" + name + ".json");
  return parse_config_json(nlohmann::json::parse(file).at("config").dump(), name).value();
}

class RouterLoss : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    config_ = config_of(GetParam());
    policy_ = Policy::create(config_, testing::formula_weights(config_),
                             {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true})
                  .value();
    prompt_ = testing::random_tokens(config_, 9, 1);
    for (const std::uint64_t seed : {2U, 3U, 4U}) {
      completions_.push_back(testing::random_tokens(config_, 7, seed));
    }
    completions_.push_back(completions_[0]);  // computed once, counted twice
  }

  PackedSequences shared() {
    PackedSequences packed;
    append_sequences({prompt_, {completions_.begin(), completions_.end()}}, packed);
    return packed;
  }

  RouterTallies tally(const PackedSequences& packed, std::int64_t devices = 1) {
    RouterTallies tallies(config_, devices);
    policy_->forward(packed.batch, packed.targets, tape_);
    tallies.add(*policy_, tape_, packed.row_counts);
    return tallies;
  }

  // The losses with the loads as they were: what gradient() is the gradient of.
  double value(const PackedSequences& packed, const RouterGradient& gradient) {
    policy_->forward(packed.batch, packed.targets, tape_);
    const auto size = static_cast<std::size_t>(config_.moe.num_experts);
    double sum = 0;
    for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
      const RowRoutes routes = policy_->row_routes(tape_, layer);
      for (std::size_t row = 0; row < routes.logits.size() / size; ++row) {
        std::vector<float> probabilities(size);
        const auto logits = routes.logits.subspan(row * size, size);
        router_probabilities(logits, probabilities);
        double mass = 0;
        for (std::size_t e = 0; e < size; ++e) {
          mass += std::exp(static_cast<double>(logits[e]));
          sum += static_cast<double>(packed.row_counts[row]) *
                 static_cast<double>(gradient.by_probability[static_cast<std::size_t>(layer)][e]) *
                 static_cast<double>(probabilities[e]);
        }
        sum += static_cast<double>(packed.row_counts[row]) * static_cast<double>(gradient.z) * std::log(mass) *
               std::log(mass);
      }
    }
    return sum;
  }

  ThreadPool pool_{2};
  ModelConfig config_;
  std::unique_ptr<Policy> policy_;
  ForwardTape tape_;
  std::vector<std::int32_t> prompt_;
  std::vector<std::vector<std::int32_t>> completions_;
};

TEST_P(RouterLoss, GradientsMatchDifferences) {
  const std::int64_t devices = config_.moe.num_experts % 2 == 0 ? 2 : 1;
  const RouterLossOptions options{
      .balance = 4, .device_balance = 2, .devices = devices, .communication_balance = 3, .z = 0.5F};
  const PackedSequences packed = shared();
  RouterGradient gradient = tally(packed, devices).gradient(options);
  gradient.row_counts = packed.row_counts;
  policy_->zero_gradients();
  policy_->set_router_gradient(&gradient);
  policy_->backward(tape_, std::vector<float>(packed.targets.rows.size()));
  policy_->set_router_gradient(nullptr);
  int tried = 0;
  for (ParameterView& view : policy_->parameters()) {
    const bool router = view.name.find(".gate.weight") != std::string::npos;
    const bool before = view.name.find("layers.0.self_attn.o_proj.weight") != std::string::npos;
    if (!router && !before) {
      continue;
    }
    for (std::size_t i = 0; i < view.value.size(); i += view.value.size() / 3) {
      constexpr float kStep = 0x1p-9F;
      const float centre = view.value[i];
      double values[2];
      for (const int side : {0, 1}) {
        view.value[i] = centre + (side == 0 ? -kStep : kStep);
        policy_->commit_update();
        values[side] = value(packed, gradient);
      }
      view.value[i] = centre;
      const double slope = (values[1] - values[0]) / (2 * static_cast<double>(kStep));
      EXPECT_NEAR(view.gradient[i], slope, 2e-3 + 2e-2 * std::abs(slope)) << view.name << " " << i;
      tried += std::abs(slope) > 0.02 ? 1 : 0;
    }
  }
  EXPECT_GT(tried, 3) << "nothing to see";
}

// A shared prompt counts as often as there are completions, and so does a completion that occurs twice.
TEST_P(RouterLoss, WhatIsSharedCountsAsCopies) {
  const PackedSequences together = shared();
  PackedSequences apart;
  for (const auto& completion : completions_) {
    append_sequences({prompt_, {completion}}, apart);
  }
  EXPECT_LT(together.batch.num_tokens(), apart.batch.num_tokens());
  const RouterLossOptions options{.balance = 1, .z = 1};
  const RouterTallies a = tally(together);
  const RouterTallies b = tally(apart);
  EXPECT_NEAR(a.loss(options), b.loss(options), 1e-9);
  EXPECT_NEAR(a.summary().load_entropy, b.summary().load_entropy, 1e-12);
  EXPECT_NEAR(a.summary().max_violation, b.summary().max_violation, 1e-12);
  EXPECT_TRUE(a.summary().has_experts);
}

INSTANTIATE_TEST_SUITE_P(Families, RouterLoss, ::testing::Values("mixtral", "qwen2_moe", "deepseek_v2"),
                         [](const auto& parameter) { return std::string(parameter.param); });

// DeepSeek-V2's eq. 29 to 31 by hand: 4 experts on 2 devices, top-2, rows that go to {0, 1}, {0, 2} and {3, 2}.
TEST(RouterTally, CountsTheGroupsThatARowGoesTo) {
  const std::vector<std::int32_t> experts = {0, 1, 0, 2, 3, 2};
  const std::vector<float> logits(12, 0.0F);
  const std::vector<float> weights(6, 0.5F);
  RouterTally tally(4, 2);
  tally.add({experts, weights, logits}, std::vector<float>{1, 2, 1});
  const RouterStatistics statistics = tally.statistics();
  EXPECT_EQ(statistics.sent, (std::vector<double>{0.75, 0.75}));  // (1 + 2) / 4 and (2 + 1) / 4
  EXPECT_EQ(statistics.load, (std::vector<double>{0.375, 0.125, 0.375, 0.125}));
}

TEST_P(RouterLoss, TheCommunicationLossIsThatOfThePaper) {
  const std::int64_t devices = config_.moe.num_experts % 2 == 0 ? 2 : 1;
  const PackedSequences packed = shared();
  const RouterTallies tallies = tally(packed, devices);
  double expected = 0;
  double layers = 0;
  for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
    const RowRoutes routes = policy_->row_routes(tape_, layer);
    if (routes.logits.empty()) {
      continue;
    }
    const auto size = static_cast<std::size_t>(config_.moe.num_experts);
    const std::size_t rows = routes.logits.size() / size;
    const std::size_t top_k = routes.experts.size() / rows;
    double tokens = 0;
    std::vector<double> sent(static_cast<std::size_t>(devices));
    std::vector<double> probability(static_cast<std::size_t>(devices));
    for (std::size_t row = 0; row < rows; ++row) {
      const auto count = static_cast<double>(packed.row_counts[row]);
      std::vector<float> softmax(size);
      router_probabilities(routes.logits.subspan(row * size, size), softmax);
      tokens += count;
      for (std::size_t d = 0; d < sent.size(); ++d) {
        bool goes = false;
        for (std::size_t e = d * size / sent.size(); e < (d + 1) * size / sent.size(); ++e) {
          probability[d] += count * static_cast<double>(softmax[e]);
          for (std::size_t k = 0; k < top_k; ++k) {
            goes = goes || routes.experts[row * top_k + k] == static_cast<std::int32_t>(e);
          }
        }
        sent[d] += goes ? count : 0;
      }
    }
    const bool limited = config_.moe.num_groups == devices && config_.moe.top_groups > 0;
    const auto most = static_cast<double>(limited ? config_.moe.top_groups : std::min(devices, config_.moe.top_k));
    for (std::size_t d = 0; d < sent.size(); ++d) {
      expected += static_cast<double>(devices) / most * sent[d] / tokens * probability[d] / tokens;
    }
    layers += 1;
  }
  const RouterLossOptions options{.devices = devices, .communication_balance = 1};
  EXPECT_NEAR(tallies.loss(options), expected / layers, 1e-5);
}

TEST(RouterOptions, ALossOfTheRoutersKeepsEveryGroup) {
  GrpoLearnerOptions options;
  options.router.balance = 0.01F;
  const auto refused = check_options(options, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("zero_spread = keep"), std::string::npos);
  options.zero_spread = ZeroSpread::kKeep;
  EXPECT_TRUE(check_options(options, {}));
}

TEST(RouterOptions, TheModelMustHaveWhatTheyAreOf) {
  const ModelConfig mixture = config_of("mixtral");
  ModelConfig dense = mixture;
  dense.moe = {};
  EXPECT_TRUE(check_router_loss({}, dense));
  EXPECT_FALSE(check_router_loss({.z = 1}, dense));
  EXPECT_TRUE(check_router_loss({.balance = 1, .devices = 100}, mixture));
  EXPECT_FALSE(check_router_loss({.device_balance = 1, .devices = mixture.moe.num_experts + 1}, mixture));
}

}  // namespace
}  // namespace plumb
