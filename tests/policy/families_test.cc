// One small model of each family against Hugging Face transformers in f64 (tests/golden/make_families.py): logits,
// hidden state behind each layer, router choices, every gradient, and three steps of AdamW. Configs come from
// config.json texts as transformers writes them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "formats/config_json.h"
#include "formats/safetensors.h"
#include "policy/policy.h"
#include "tensor/adamw.h"
#include "tests/support/formula_weights.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

const std::string kFolder = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/families/";

// A number passes some hundred roundings of f32 (half of kUnit each on average, adding as squares) in sums of up to
// some hundred terms, and cancellation magnifies them: measured errors are below 2e-6 of the largest number.
constexpr double kTolerance = 1e-5;
// The same for gradients, which pass everything twice.
constexpr double kGradientTolerance = 3e-5;

struct Golden {
  ModelConfig config;
  std::vector<std::int32_t> token_ids;
  std::vector<double> losses;
  std::map<std::string, std::vector<float>> expected;
};

Golden read_golden(const std::string& name) {
  std::ifstream file(kFolder + name + ".json");
  const nlohmann::json json = nlohmann::json::parse(file);
  Golden golden;
  const auto config = parse_config_json(json.at("config").dump(), name);
  EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().message);
  golden.config = *config;
  golden.token_ids = json.at("token_ids").get<std::vector<std::int32_t>>();
  golden.losses = json.at("losses").get<std::vector<double>>();
  const auto tensors = SafetensorsFile::open(kFolder + name + ".safetensors");
  EXPECT_TRUE(tensors.ok());
  for (const auto& [key, entry] : tensors->entries()) {
    golden.expected[key] = tensors->read(key).value().values;
  }
  return golden;
}

// |found - expected| is at most `tolerance` of the largest expected number.
void expect_near(std::span<const float> found, const std::vector<float>& expected, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double largest = 1e-6;
  double error = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    const double here = std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    error = std::isnan(here) || here > error ? here : error;  // a NaN stays: no comparison with it is true
  }
  EXPECT_LE(error / largest, tolerance) << what;
}

class Families : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    golden_ = read_golden(GetParam());
    auto created = Policy::create(golden_.config, testing::formula_weights(golden_.config),
                                  {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true});
    ASSERT_TRUE(created.ok()) << created.error().message;
    policy_ = std::move(created).value();
    const auto rows = static_cast<std::int64_t>(golden_.token_ids.size());
    batch_.token_ids = golden_.token_ids;
    batch_.segments = {{.first_row = 0, .num_tokens = rows, .start_position = 0, .parent = -1}};
    for (std::int64_t row = 0; row + 1 < rows; ++row) {
      targets_.rows.push_back(row);
      targets_.target_ids.push_back(golden_.token_ids[static_cast<std::size_t>(row) + 1]);
      factors_.push_back(-1.0F / static_cast<float>(rows - 1));
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      all_rows_.push_back(row);
    }
  }

  // The mean negative log-prob.
  double run(ForwardTape& tape) {
    const std::vector<float> log_probs = policy_->forward(batch_, targets_, tape).log_probs;
    double sum = 0;
    for (const float log_prob : log_probs) {
      sum -= static_cast<double>(log_prob);
    }
    return sum / static_cast<double>(log_probs.size());
  }

  void check_gradient(const ParameterView& view) {
    if (view.shape.size() == 1) {
      expect_near(view.gradient, golden_.expected.at("gradient." + view.name), kGradientTolerance, view.name);
      return;
    }
    const auto columns = static_cast<std::size_t>(view.shape.back());
    const std::size_t rows = view.gradient.size() / columns;
    std::vector<float> by_row;
    std::vector<double> by_column(columns);
    for (std::size_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (std::size_t c = 0; c < columns; ++c) {
        const auto g = static_cast<double>(view.gradient[r * columns + c]);
        sum += g * std::cos(static_cast<double>(c + 1));
        by_column[c] += g * std::sin(static_cast<double>(r + 1));
      }
      by_row.push_back(static_cast<float>(sum));
    }
    expect_near(by_row, golden_.expected.at("gradient_rows." + view.name), kGradientTolerance, view.name + " by row");
    expect_near(std::vector<float>(by_column.begin(), by_column.end()),
                golden_.expected.at("gradient_columns." + view.name), kGradientTolerance, view.name + " by column");
  }

  ThreadPool pool_{2};
  Golden golden_;
  std::unique_ptr<Policy> policy_;
  PackedBatch batch_;
  ScoreTargets targets_;
  std::vector<float> factors_;
  std::vector<std::int64_t> all_rows_;
};

TEST_P(Families, ForwardMatchesTransformers) {
  const auto vocab = static_cast<std::size_t>(golden_.config.vocab_size);
  std::vector<float> logits(all_rows_.size() * vocab);
  policy_->logits(batch_, all_rows_, [&](std::int64_t index, int, std::span<float> row) {
    std::ranges::copy(row, logits.begin() + index * static_cast<std::int64_t>(vocab));
  });
  expect_near(logits, golden_.expected.at("logits"), kTolerance, "logits");
  ForwardTape tape;
  EXPECT_NEAR(run(tape), golden_.losses[0], kTolerance * golden_.losses[0]);
  for (std::int64_t layer = 0; layer < golden_.config.num_layers; ++layer) {
    const std::string at = std::to_string(layer);
    expect_near(policy_->layer_output(tape, layer), golden_.expected.at("hidden." + at), kTolerance, "layer " + at);
    const RowRoutes routes = policy_->row_routes(tape, layer);
    EXPECT_EQ(routes.experts.empty(), !golden_.expected.contains("experts." + at));
    if (!routes.experts.empty()) {
      EXPECT_EQ(std::vector<float>(routes.experts.begin(), routes.experts.end()), golden_.expected["experts." + at]);
      expect_near(routes.weights, golden_.expected["weights." + at], kTolerance, "weights of layer " + at);
      expect_near(routes.logits, golden_.expected["router." + at], kTolerance, "router of layer " + at);
    }
  }
}

TEST_P(Families, GradientsMatchTransformers) {
  for (const bool checkpoints : {false, true}) {
    policy_->set_activation_checkpointing(checkpoints);
    policy_->zero_gradients();
    ForwardTape tape;
    run(tape);
    policy_->backward(tape, factors_);
    for (const ParameterView& view : policy_->parameters()) {
      check_gradient(view);
    }
  }
}

TEST_P(Families, ThreeStepsOfAdamWMatchTorch) {
  ForwardTape tape;
  std::vector<std::vector<float>> m;
  std::vector<std::vector<float>> v;
  for (const ParameterView& view : policy_->parameters()) {
    m.emplace_back(view.value.size());
    v.emplace_back(view.value.size());
  }
  for (std::int64_t step = 1; step <= 3; ++step) {
    const double expected = golden_.losses[static_cast<std::size_t>(step - 1)];
    EXPECT_NEAR(run(tape), expected, kGradientTolerance * expected) << "step " << step;
    policy_->zero_gradients();
    policy_->backward(tape, factors_);
    for (std::size_t p = 0; p < m.size(); ++p) {
      const ParameterView& view = policy_->parameters()[p];
      adamw_update(view.value, view.gradient, m[p], v[p],
                   {.learning_rate = 1e-2F, .epsilon = 1e-4F, .weight_decay = 0.1F, .step = step}, pool_);
    }
    policy_->commit_update();
  }
  EXPECT_NEAR(run(tape), golden_.losses[3], kGradientTolerance * golden_.losses[3]);
}

INSTANTIATE_TEST_SUITE_P(Goldens, Families,
                         ::testing::Values("llama3", "llama_linear_biases", "llama_dynamic_tied", "llama_yarn",
                                           "mistral_window", "qwen2_window", "qwen3", "mixtral", "mha_top2",
                                           "qwen2_moe", "qwen3_moe", "deepseek_v2_lite", "deepseek_v2"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(ValueHead, MatchesTransformers) {
  const Golden golden = read_golden("qwen2_value");
  ThreadPool pool(2);
  auto policy = Policy::create(golden.config, testing::formula_weights(golden.config),
                               {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = false});
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  PackedBatch batch;
  batch.token_ids = golden.token_ids;
  batch.segments = {{.first_row = 0, .num_tokens = batch.num_tokens(), .start_position = 0, .parent = -1}};
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < batch.num_tokens(); ++row) {
    rows.push_back(row);
  }
  const std::vector<float> values = (*policy)->values(batch, rows);
  expect_near(values, golden.expected.at("values"), kTolerance, "values");
  const std::vector<std::int64_t> last = {rows.back()};
  EXPECT_EQ((*policy)->values(batch, last)[0], values.back());
}

}  // namespace
}  // namespace plumb
