// Logits of small random Llamas against Hugging Face transformers (tests/golden/make_llama.py), in f32.

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "formats/safetensors.h"
#include "policy/policy.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

const std::string kFolder = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/";

struct Golden {
  std::string name;
  ModelConfig config;
  std::vector<NamedTensor> weights;
  std::vector<std::int32_t> token_ids;
  std::vector<float> logits;  // [T, V]
};

Golden read_golden(const nlohmann::json& json) {
  Golden golden;
  golden.name = json.at("name");
  ModelConfig& c = golden.config;
  c.num_layers = json.at("num_layers");
  c.hidden_size = json.at("hidden_size");
  c.num_heads = json.at("num_heads");
  c.num_kv_heads = json.at("num_kv_heads");
  c.head_dim = json.at("head_dim");
  c.intermediate_size = json.at("intermediate_size");
  c.vocab_size = json.at("vocab_size");
  c.max_positions = 256;
  c.rope_theta = json.at("rope_theta");
  c.rms_norm_eps = json.at("rms_norm_eps");
  c.tie_embeddings = json.at("tie_embeddings");
  golden.token_ids = json.at("token_ids").get<std::vector<std::int32_t>>();
  const auto file = SafetensorsFile::open(kFolder + "llama_" + golden.name + ".safetensors");
  EXPECT_TRUE(file.ok());
  for (const auto& [name, entry] : file->entries()) {
    auto tensor = file->read(name);
    EXPECT_TRUE(tensor.ok());
    if (name == "expected_logits") {
      golden.logits = std::move(tensor->values);
    } else {
      golden.weights.push_back({name, tensor->shape, std::move(tensor->values)});
    }
  }
  return golden;
}

std::vector<Golden> read_goldens() {
  std::ifstream file(kFolder + "llama.json");
  std::vector<Golden> goldens;
  for (const nlohmann::json& entry : nlohmann::json::parse(file)) {
    goldens.push_back(read_golden(entry));
  }
  return goldens;
}

// The logits after every token.
std::vector<float> engine_logits(const Golden& golden, const ModelConfig& config) {
  ThreadPool pool(2);
  auto created =
      Policy::create(config, golden.weights, {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = false});
  EXPECT_TRUE(created.ok());
  const auto cache = (*created)->make_cache(std::int64_t{1} << 26);
  const SequenceId sequence = cache->add_sequence();
  std::vector<float> all;
  for (const std::int32_t id : golden.token_ids) {
    const ExtendRequest request = {.sequence = sequence, .token_ids = {&id, 1}, .want_logits = true};
    (*created)->extend(*cache, std::span(&request, 1), [&](std::int64_t, int, std::span<float> logits) {
      all.insert(all.end(), logits.begin(), logits.end());
    });
  }
  return all;
}

double largest_of(const std::vector<float>& values) {
  double largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  return largest;
}

double largest_error(const std::vector<float>& found, const std::vector<float>& expected) {
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
    largest = error <= largest ? largest : error;  // a NaN stays
  }
  return largest;
}

// A sum of n terms is off by about sqrt(n) roundings. On its way to a logit a number passes, in each layer, two norms
// (D), the products with D, H d, D and F terms and attention (d, T), and at the end a norm and a product (D); errors of
// independent roundings add as squares, and a factor of 4 covers what cancellation magnifies.
double tolerance_of(const Golden& golden) {
  const ModelConfig& c = golden.config;
  const auto tokens = static_cast<double>(golden.token_ids.size());
  const double terms_of_layer =
      static_cast<double>(4 * c.hidden_size + c.num_heads * c.head_dim + c.intermediate_size + c.head_dim) + tokens;
  const double terms = static_cast<double>(c.num_layers) * terms_of_layer + 2.0 * static_cast<double>(c.hidden_size);
  return 4 * testing::kUnit * std::sqrt(terms) * largest_of(golden.logits);
}

TEST(GoldenLogits, MatchTransformers) {
  const std::vector<Golden> goldens = read_goldens();
  ASSERT_EQ(goldens.size(), 4U);
  for (const Golden& golden : goldens) {
    const std::vector<float> found = engine_logits(golden, golden.config);
    ASSERT_EQ(found.size(), golden.logits.size()) << golden.name;
    EXPECT_LE(largest_error(found, golden.logits), tolerance_of(golden)) << golden.name;
  }
}

// The tolerance tells a slightly wrong model from a right one.
TEST(GoldenLogits, NoticeASmallError) {
  for (const Golden& golden : read_goldens()) {
    ModelConfig other = golden.config;
    other.rope_theta *= 1.001F;
    EXPECT_GT(largest_error(engine_logits(golden, other), golden.logits), 3 * tolerance_of(golden)) << golden.name;
    other = golden.config;
    other.rms_norm_eps *= 100.0F;
    EXPECT_GT(largest_error(engine_logits(golden, other), golden.logits), 3 * tolerance_of(golden)) << golden.name;
  }
}

}  // namespace
}  // namespace plumb
