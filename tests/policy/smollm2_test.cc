// The real model against Hugging Face transformers: the same greedy tokens in f32 (tests/golden/make_llama.py).

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "formats/model_folder.h"
#include "policy/policy.h"
#include "tests/support/model_files.h"

namespace plumb {
namespace {

struct Greedy {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> expected;
  std::vector<std::int32_t> found;
};

std::vector<Greedy> read_prompts() {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/tests/golden/smollm2_greedy.json");
  std::vector<Greedy> prompts;
  for (const nlohmann::json& entry : nlohmann::json::parse(file)) {
    prompts.push_back({entry.at("prompt_ids").get<std::vector<std::int32_t>>(),
                       entry.at("greedy_ids").get<std::vector<std::int32_t>>(),
                       {}});
  }
  return prompts;
}

// Extends every prompt by the most probable token, 48 times, all together.
void sample_greedily(Policy& policy, std::vector<Greedy>& prompts) {
  const auto cache = policy.make_cache(std::int64_t{1} << 30);
  std::vector<SequenceId> ids;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    ids.push_back(cache->add_sequence());
  }
  while (prompts[0].found.size() < prompts[0].expected.size()) {
    std::vector<ExtendRequest> requests;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const std::vector<std::int32_t>& found = prompts[i].found;
      const std::span<const std::int32_t> fresh =
          found.empty() ? std::span(prompts[i].prompt) : std::span(found).last(1);
      requests.push_back({.sequence = ids[i], .token_ids = fresh, .want_logits = true});
    }
    std::vector<std::int32_t> next(prompts.size());
    policy.extend(*cache, requests, [&](std::int64_t index, int, std::span<float> logits) {
      next[static_cast<std::size_t>(index)] =
          static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    });
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      prompts[i].found.push_back(next[i]);
    }
  }
}

TEST(SmolLm2, GreedyTokensEqualTransformers) {
  const std::string path = testing::test_model_path();
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << "no weights at " << path << "; set PLUMB_TEST_MODEL or run scripts/fetch_model.sh";
  }
  const auto source = open_model(path);
  ASSERT_TRUE(source.ok()) << source.error().message;
  std::vector<NamedTensor> weights;
  for (const std::string& name : (*source)->tensor_names()) {
    auto tensor = (*source)->read(name);
    ASSERT_TRUE(tensor.ok()) << tensor.error().message;
    weights.push_back({name, tensor->shape, std::move(tensor->values)});
  }
  ThreadPool pool;
  auto policy = Policy::create((*source)->hyperparameters, std::move(weights),
                               {.dtype = ComputeDtype::kF32, .pool = &pool, .trainable = false});
  ASSERT_TRUE(policy.ok()) << policy.error().message;
  std::vector<Greedy> prompts = read_prompts();
  ASSERT_EQ(prompts.size(), 8U);
  sample_greedily(**policy, prompts);
  for (const Greedy& prompt : prompts) {
    ASSERT_EQ(prompt.expected.size(), 48U);
    EXPECT_EQ(prompt.found, prompt.expected);
  }
}

}  // namespace
}  // namespace plumb
