// The order of prompts: complete epochs, the minimum of code, repeatability and resume.

#include "datasets/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace plumb {
namespace {

std::vector<PromptRecord> make_prompts(int num_code, int num_math) {
  std::vector<PromptRecord> prompts;
  for (int i = 0; i < num_code + num_math; ++i) {
    PromptRecord& prompt = prompts.emplace_back();
    prompt.domain = i < num_code ? Domain::kCode : Domain::kMath;
    prompt.id = (i < num_code ? "code/" : "math/") + std::to_string(i);
  }
  return prompts;
}

PromptSampler make_sampler(int num_code, int num_math, std::uint64_t seed = 7) {
  auto sampler = PromptSampler::create(make_prompts(num_code, num_math), seed);
  PLUMB_CHECK(sampler.ok(), sampler.error().message);
  return std::move(sampler).value();
}

std::vector<std::string> names(const std::vector<PromptDraw>& batch) {
  std::vector<std::string> out;
  for (const PromptDraw& draw : batch) {
    out.push_back(draw.prompt->id + "#" + std::to_string(draw.draw));
  }
  return out;
}

std::size_t count_code(const std::vector<PromptDraw>& batch) {
  return static_cast<std::size_t>(std::count_if(
      batch.begin(), batch.end(), [](const PromptDraw& draw) { return draw.prompt->domain == Domain::kCode; }));
}

TEST(PromptSamplerTest, EveryBatchHoldsTheMinimumOfCode) {
  PromptSampler sampler = make_sampler(16, 120);
  for (int step = 0; step < 200; ++step) {
    const auto batch = sampler.next_batch(8, 6);
    ASSERT_EQ(batch.size(), 8u);
    ASSERT_GE(count_code(batch), 6u);
  }
}

TEST(PromptSamplerTest, CodeHasItsNaturalShareWhereTheMinimumIsLower) {
  PromptSampler sampler = make_sampler(90, 30);
  std::size_t code = 0;
  for (int step = 0; step < 100; ++step) {
    code += count_code(sampler.next_batch(7, 2));
  }
  EXPECT_EQ(code, 525u);  // three quarters of 700
}

TEST(PromptSamplerTest, AnEpochVisitsEveryPromptOnceAndDrawsCountVisits) {
  PromptSampler sampler = make_sampler(12, 4);
  std::map<std::string, std::uint32_t> visits;
  for (int step = 0; step < 60; ++step) {
    for (const PromptDraw& draw : sampler.next_batch(8, 6)) {
      EXPECT_EQ(draw.draw, visits[draw.prompt->id]++) << draw.prompt->id;
    }
  }
  for (const auto& [id, count] : visits) {
    EXPECT_EQ(count, 30u) << id;  // 480 draws of 16 prompts, natural share 3 : 1
  }
  EXPECT_DOUBLE_EQ(sampler.epoch(), 30.0);
}

TEST(PromptSamplerTest, SameSeedSameOrderWhateverTheFileOrder) {
  auto prompts = make_prompts(20, 10);
  std::reverse(prompts.begin(), prompts.end());
  auto reversed = PromptSampler::create(prompts, 7);
  ASSERT_TRUE(reversed);
  PromptSampler straight = make_sampler(20, 10);
  PromptSampler other_seed = make_sampler(20, 10, 8);
  const auto first = names(straight.next_batch(16, 8));
  EXPECT_EQ(first, names(reversed->next_batch(16, 8)));
  EXPECT_NE(first, names(other_seed.next_batch(16, 8)));
}

TEST(PromptSamplerTest, EpochsDiffer) {
  PromptSampler sampler = make_sampler(20, 0);
  std::vector<std::string> first;
  std::vector<std::string> second;
  for (const PromptDraw& draw : sampler.next_batch(20, 0)) first.push_back(draw.prompt->id);
  for (const PromptDraw& draw : sampler.next_batch(20, 0)) second.push_back(draw.prompt->id);
  EXPECT_NE(first, second);
  EXPECT_TRUE(std::is_permutation(first.begin(), first.end(), second.begin()));
}

TEST(PromptSamplerTest, GoesOnFromItsCursor) {
  PromptSampler whole = make_sampler(13, 5);
  PromptSampler resumed = make_sampler(13, 5);
  for (int step = 0; step < 7; ++step) {
    whole.next_batch(8, 6);
  }
  const std::string text = whole.cursor().dump();
  ASSERT_TRUE(resumed.restore(nlohmann::json::parse(text)));
  for (int step = 0; step < 20; ++step) {
    EXPECT_EQ(names(whole.next_batch(8, 6)), names(resumed.next_batch(8, 6)));
  }
  EXPECT_EQ(whole.cursor(), resumed.cursor());
}

TEST(PromptSamplerTest, RefusesForeignAndBrokenCursors) {
  PromptSampler sampler = make_sampler(13, 5);
  const auto refusal = [&](const nlohmann::json& cursor) {
    auto result = sampler.restore(cursor);
    return result ? std::string("none") : result.error().message;
  };
  EXPECT_NE(refusal(make_sampler(13, 5, 9).cursor()).find("of seed 9, this run has seed 7"), std::string::npos);
  EXPECT_NE(refusal(make_sampler(12, 5).cursor()).find("the prompts differ"), std::string::npos);
  EXPECT_NE(refusal("x").find("expected an object"), std::string::npos);
  auto cursor = sampler.cursor();
  cursor["code"] = -1;
  EXPECT_NE(refusal(cursor).find("\"code\": expected a count"), std::string::npos);
  cursor["code"] = ~std::uint64_t{0};
  EXPECT_NE(refusal(cursor).find("cannot be from 13 prompts"), std::string::npos);
  EXPECT_EQ(sampler.cursor(), make_sampler(13, 5).cursor());
}

TEST(PromptSamplerTest, OneKindAloneFillsTheBatch) {
  PromptSampler maths = make_sampler(0, 5);
  EXPECT_EQ(count_code(maths.next_batch(8, 6)), 0u);
  PromptSampler code = make_sampler(5, 0);
  EXPECT_EQ(count_code(code.next_batch(8, 6)), 8u);
}

PromptSampler make_spread_sampler(int num_code, int num_math) {
  auto sampler = PromptSampler::create(make_prompts(num_code, num_math), 7, PromptOrder::kSpread);
  PLUMB_CHECK(sampler.ok(), sampler.error().message);
  return std::move(sampler).value();
}

// Prompts 0-9 always fail, 10-19 succeed half of the time, 20-29 always succeed.
void observe_thirds(PromptSampler& sampler, const std::vector<PromptDraw>& batch) {
  for (const PromptDraw& draw : batch) {
    const int number = std::stoi(draw.prompt->id.substr(draw.prompt->id.find('/') + 1));
    sampler.observe(draw.prompt->id, number < 10 ? 0 : number < 20 ? 4 : 8, 8);
  }
}

TEST(PromptSamplerTest, SpreadPrefersPromptsWithBothOutcomesAndForgetsNone) {
  PromptSampler sampler = make_spread_sampler(30, 0);
  std::map<std::string, std::uint32_t> visits;
  int mixed = 0;
  for (int step = 0; step < 200; ++step) {
    const auto batch = sampler.next_batch(6, 6);
    std::map<std::string, int> in_batch;
    for (const PromptDraw& draw : batch) {
      EXPECT_EQ(++in_batch[draw.prompt->id], 1);
      EXPECT_EQ(draw.draw, visits[draw.prompt->id]++) << draw.prompt->id;
      mixed += draw.prompt->id.size() == 7 && draw.prompt->id[5] == '1';
    }
    observe_thirds(sampler, batch);
  }
  EXPECT_EQ(visits.size(), 30u);
  // After many visits a prompt remembers 16 trials: weights 0.027 (twice ten) and 0.236 (ten). Drawn one at a time, 0.81
  // of the draws were mixed; six at a time without repetition, fewer.
  EXPECT_GT(mixed, 1200 * 0.65);
  EXPECT_LT(mixed, 1200 * 0.81);
}

TEST(PromptSamplerTest, SpreadGoesOnFromItsCursor) {
  PromptSampler whole = make_spread_sampler(13, 5);
  PromptSampler resumed = make_spread_sampler(13, 5);
  for (int step = 0; step < 7; ++step) {
    observe_thirds(whole, whole.next_batch(8, 6));
  }
  const nlohmann::json cursor = whole.cursor();
  ASSERT_TRUE(resumed.restore(nlohmann::json::parse(cursor.dump())));
  for (int step = 0; step < 20; ++step) {
    const auto batch = whole.next_batch(8, 6);
    EXPECT_EQ(names(batch), names(resumed.next_batch(8, 6)));
    observe_thirds(whole, batch);
    observe_thirds(resumed, batch);
  }
  EXPECT_EQ(whole.cursor(), resumed.cursor());
  EXPECT_NE(names(make_spread_sampler(13, 5).next_batch(8, 6)), names(whole.next_batch(8, 6)));
}

TEST(PromptSamplerTest, SpreadRefusesABrokenHistory) {
  PromptSampler sampler = make_spread_sampler(2, 0);
  const nlohmann::json before = sampler.cursor();
  for (const char* history :
       {"1", "[]", "[[0,0,0]]", "[[0,0,0],[0,9,8]]", "[[0,0,0],[-1,0,0]]", "[[0,0,0],[1,\"a\",2]]"}) {
    nlohmann::json cursor = before;
    cursor["code_history"] = nlohmann::json::parse(history);
    const auto result = sampler.restore(cursor);
    ASSERT_FALSE(result) << history;
    EXPECT_NE(result.error().message.find("\"code_history\": expected [draws, successes, trials]"), std::string::npos);
  }
  const auto other_order = sampler.restore(make_sampler(2, 0).cursor());
  ASSERT_FALSE(other_order);
  EXPECT_NE(other_order.error().message.find("prompt_order"), std::string::npos);
  EXPECT_EQ(sampler.cursor(), before);
}

TEST(PromptSamplerTest, SpreadFillsABatchFromAShortList) {
  PromptSampler sampler = make_spread_sampler(3, 0);
  const auto batch = sampler.next_batch(8, 6);
  ASSERT_EQ(batch.size(), 8u);
  EXPECT_EQ(std::count_if(batch.begin(), batch.end(), [](const PromptDraw& draw) { return draw.draw == 0; }), 3);
}

TEST(PromptSamplerTest, RefusesNoPromptsAndRepeatedIds) {
  EXPECT_FALSE(PromptSampler::create({}, 1));
  auto prompts = make_prompts(2, 0);
  prompts[1].id = prompts[0].id;
  auto sampler = PromptSampler::create(prompts, 1);
  ASSERT_FALSE(sampler);
  EXPECT_NE(sampler.error().message.find("\"code/0\" is used twice"), std::string::npos);
}

}  // namespace
}  // namespace plumb
