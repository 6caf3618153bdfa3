// What learner and actors write to each other arrives as it was, to the bit.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "actor/processes/messages.h"

namespace plumb::internal {
namespace {

nlohmann::json there(const nlohmann::json& message) {
  return from_frame(to_frame(message)).value();
}

SamplingOptions unusual_sampling() {
  SamplingOptions o;
  o.temperature = 0.7F;
  o.top_k = 40;
  o.top_p = 0.9F;
  o.min_p = 0.01F;
  o.typical_p = 0.95F;
  o.kept_by_id = true;
  o.repetition_penalty = 1.1F;
  o.presence_penalty = -0.3F;
  o.frequency_penalty = 0.2F;
  o.logit_bias = {{3, 0.1F}, {7, -std::numeric_limits<float>::infinity()}};
  o.bad_words = {{1, 2}, {}};
  o.min_new_tokens = 2;
  o.max_new_tokens = 5;
  o.stop_after_code_block = false;
  o.stop = {"\xff", "end"};
  o.stop_token_ids = {9, 8};
  return o;
}

void expect_equal(const SamplingOptions& a, const SamplingOptions& b) {
  EXPECT_EQ(a.temperature, b.temperature);
  EXPECT_EQ(a.top_k, b.top_k);
  EXPECT_EQ(a.top_p, b.top_p);
  EXPECT_EQ(a.min_p, b.min_p);
  EXPECT_EQ(a.typical_p, b.typical_p);
  EXPECT_EQ(a.kept_by_id, b.kept_by_id);
  EXPECT_EQ(a.repetition_penalty, b.repetition_penalty);
  EXPECT_EQ(a.presence_penalty, b.presence_penalty);
  EXPECT_EQ(a.frequency_penalty, b.frequency_penalty);
  EXPECT_EQ(a.logit_bias, b.logit_bias);
  EXPECT_EQ(a.bad_words, b.bad_words);
  EXPECT_EQ(a.min_new_tokens, b.min_new_tokens);
  EXPECT_EQ(a.max_new_tokens, b.max_new_tokens);
  EXPECT_EQ(a.stop_after_code_block, b.stop_after_code_block);
  EXPECT_EQ(a.stop, b.stop);
  EXPECT_EQ(a.stop_token_ids, b.stop_token_ids);
}

TEST(ActorMessages, JobsArriveAsTheyWere) {
  GeneratorOptions options;
  options.sampling = unusual_sampling();
  options.purpose = RngPurpose::kEvaluation;
  options.seed = std::numeric_limits<std::uint64_t>::max();
  options.max_batch = 3;
  options.cache_bytes = std::int64_t{5} << 32;
  options.prefill_chunk = 17;
  options.keep_cache = true;
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "caf\xe9/\xff";
  const std::vector<GenerationRequest> requests = {{prompt, {1, 2, 3}, 4, 5, SamplingOptions{}},
                                                   {prompt, {6}, 7, 8, {}}};
  const GenerateJob job = read_generate_message(there(generate_message(11, options, requests))).value();
  EXPECT_EQ(job.job, 11U);
  expect_equal(job.options.sampling, options.sampling);
  EXPECT_EQ(job.options.purpose, options.purpose);
  EXPECT_EQ(job.options.seed, options.seed);
  EXPECT_EQ(job.options.max_batch, options.max_batch);
  EXPECT_EQ(job.options.cache_bytes, options.cache_bytes);
  EXPECT_EQ(job.options.prefill_chunk, options.prefill_chunk);
  EXPECT_EQ(job.options.keep_cache, options.keep_cache);
  ASSERT_EQ(job.requests.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(job.requests[i].prompt->id, prompt->id);
    EXPECT_EQ(job.requests[i].prompt_token_ids, requests[i].prompt_token_ids);
    EXPECT_EQ(job.requests[i].draw, requests[i].draw);
    EXPECT_EQ(job.requests[i].num_samples, requests[i].num_samples);
    EXPECT_EQ(job.requests[i].sampling.has_value(), requests[i].sampling.has_value());
  }
  expect_equal(*job.requests[0].sampling, SamplingOptions{});
}

TEST(ActorMessages, CompletionsArriveAsTheyWere) {
  Completion c;
  c.token_ids = {5, -1, std::numeric_limits<std::int32_t>::max()};
  c.log_probs = {-0.1F, -0.0F, std::nextafterf(-1.0F, 0.0F)};
  c.weight_versions = {1, 2, std::int64_t{1} << 40};
  TokenSet ids(100);
  ids.insert(99);
  c.kept = {KeptSet{}, {-1.5F, 7, 2.25F, nullptr}, {0, 0, 0, std::make_shared<const TokenSet>(ids)}};
  c.stream = {1, std::uint64_t{1} << 63, 3, 4};
  c.finish_reason = FinishReason::kStop;
  c.text = std::string("a\0\xf0\x9f", 4);
  const auto back =
      completions_from_json(there({{"kind", "group"}, {"c", completions_to_json({c, Completion{}})}})["c"]);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2U);
  const Completion& d = back->front();
  EXPECT_EQ(d.token_ids, c.token_ids);
  ASSERT_EQ(d.log_probs.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(d.log_probs[i]), std::bit_cast<std::uint32_t>(c.log_probs[i]));
  }
  EXPECT_EQ(d.weight_versions, c.weight_versions);
  EXPECT_EQ(d.kept, c.kept);
  EXPECT_EQ(d.stream.purpose, c.stream.purpose);
  EXPECT_EQ(d.stream.seed, c.stream.seed);
  EXPECT_EQ(d.stream.draw, c.stream.draw);
  EXPECT_EQ(d.stream.sample, c.stream.sample);
  EXPECT_EQ(d.finish_reason, c.finish_reason);
  EXPECT_EQ(d.text, c.text);
  EXPECT_TRUE(back->back().token_ids.empty());
}

TEST(ActorMessages, DamagedOnesAreRefused) {
  for (const std::string bytes : {"", "x", "\xa0", "\xff\xff", "\xa1\x64kind\x01"}) {
    EXPECT_FALSE(from_frame(bytes)) << bytes;
  }
  const std::string whole = to_frame(generate_message(1, {}, {{nullptr, {1}, 0, 1, {}}}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(from_frame(std::string_view(whole).substr(0, size))) << size;
  }
  nlohmann::json message = generate_message(1, {}, {{nullptr, {1}, 0, 1, {}}});
  message["requests"][0].erase("draw");
  EXPECT_FALSE(read_generate_message(message));
  message["requests"] = 3;
  EXPECT_FALSE(read_generate_message(message));
  EXPECT_FALSE(completions_from_json({{{"token_ids", "text"}}}));
}

}  // namespace
}  // namespace plumb::internal
