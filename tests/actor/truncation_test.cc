// Truncated distributions against double loops over all tokens.

#include "actor/truncation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/kept_logits.h"

namespace plumb {
namespace {

// Logits on a grid of eighths, so that ties are common.
std::vector<float> tied_logits(std::size_t size, std::uint64_t seed, float scale) {
  const RngStream stream(RngPurpose::kInit, seed);
  std::vector<float> logits(size);
  for (std::size_t v = 0; v < size; ++v) {
    logits[v] = std::round(scale * (stream.uniform(static_cast<std::uint32_t>(v)) - 0.5F) * 8) / 8;
  }
  return logits;
}

std::vector<double> softmax(const std::vector<float>& logits, double temperature, const std::vector<bool>& kept) {
  std::vector<double> p(logits.size());
  double total = 0;
  for (std::size_t v = 0; v < p.size(); ++v) {
    p[v] = kept[v] ? std::exp(static_cast<double>(logits[v]) / temperature) : 0.0;
    total += p[v];
  }
  for (double& each : p) {
    each /= total;
  }
  return p;
}

// Keeps the first tokens by (key rising, id rising) until `mass` of `p` is there; `mass` above 1 counts tokens.
std::vector<bool> keep_first(const std::vector<double>& keys, const std::vector<double>& p,
                             const std::vector<bool>& among, double mass, std::size_t at_most) {
  std::vector<std::size_t> order;
  for (std::size_t v = 0; v < keys.size(); ++v) {
    if (among[v]) {
      order.push_back(v);
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  std::vector<bool> kept(keys.size(), false);
  double sum = 0;
  for (std::size_t i = 0; i < std::min(order.size(), at_most); ++i) {
    kept[order[i]] = true;
    sum += p[order[i]];
    if (sum >= mass) {
      break;
    }
  }
  return kept;
}

std::vector<bool> reference(const std::vector<float>& logits, const SamplingOptions& options) {
  const auto temperature = static_cast<double>(options.temperature);
  std::vector<bool> kept(logits.size(), true);
  std::vector<double> falling(logits.begin(), logits.end());
  for (double& key : falling) {
    key = -key;
  }
  if (options.top_k > 0) {
    kept = keep_first(falling, falling, kept, 1e300, static_cast<std::size_t>(options.top_k));
  }
  if (options.top_p < 1) {
    kept = keep_first(falling, softmax(logits, temperature, kept), kept, static_cast<double>(options.top_p), 1 << 20);
  }
  if (options.min_p > 0) {
    const auto p = softmax(logits, temperature, kept);
    const double most = *std::max_element(p.begin(), p.end());
    for (std::size_t v = 0; v < p.size(); ++v) {
      kept[v] = kept[v] && p[v] >= static_cast<double>(options.min_p) * most;
    }
  }
  if (options.typical_p < 1) {
    const auto p = softmax(logits, temperature, kept);
    double entropy = 0;
    for (const double each : p) {
      entropy -= each > 0 ? each * std::log(each) : 0.0;
    }
    std::vector<double> deviation(p.size());
    for (std::size_t v = 0; v < p.size(); ++v) {
      deviation[v] = std::abs(-std::log(std::max(p[v], 1e-300)) - entropy);
    }
    const auto first = keep_first(deviation, p, kept, static_cast<double>(options.typical_p), 1 << 20);
    // An interval of logits cannot cut through equals: all that deviate as little as the last one kept stay.
    double most = 0;
    for (std::size_t v = 0; v < p.size(); ++v) {
      most = first[v] ? std::max(most, deviation[v]) : most;
    }
    for (std::size_t v = 0; v < p.size(); ++v) {
      kept[v] = kept[v] && deviation[v] <= most + 1e-9;
    }
  }
  return kept;
}

SamplingOptions options_of(int top_k, float top_p, float min_p, float typical_p, float temperature) {
  SamplingOptions options;
  options.top_k = top_k;
  options.top_p = top_p;
  options.min_p = min_p;
  options.typical_p = typical_p;
  options.temperature = temperature;
  return options;
}

TEST(Truncation, EqualsDoubleLoopsWithTies) {
  const SamplingOptions all[] = {options_of(1, 1, 0, 1, 1),         options_of(7, 1, 0, 1, 1),
                                 options_of(100, 1, 0, 1, 0.5F),    options_of(100000, 1, 0, 1, 1),
                                 options_of(0, 0.31F, 0, 1, 1),     options_of(0, 0.913F, 0, 1, 1.7F),
                                 options_of(0, 1, 0.0713F, 1, 1),   options_of(0, 1, 0, 0.273F, 1),
                                 options_of(0, 1, 0, 0.917F, 0.6F), options_of(50, 0.8123F, 0.0317F, 0.713F, 1.2F)};
  SamplingScratch scratch;
  for (const SamplingOptions& options : all) {
    for (const std::size_t size : {std::size_t{5}, std::size_t{300}, std::size_t{3000}}) {
      for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const std::vector<float> logits = tied_logits(size, seed, seed % 2 == 0 ? 4.0F : 16.0F);
        const KeptSet kept = truncate(logits, options, scratch);
        const std::vector<bool> expected = reference(logits, options);
        for (std::size_t v = 0; v < size; ++v) {
          ASSERT_EQ(kept.keeps(logits[v], static_cast<std::int64_t>(v)), expected[v])
              << "token " << v << " of " << size << ", top_k " << options.top_k << ", top_p " << options.top_p
              << ", min_p " << options.min_p << ", typical_p " << options.typical_p << ", seed " << seed;
        }
      }
    }
  }
}

TEST(Truncation, LogProbIsOfTheKeptTokensAndOthersAreNeverDrawn) {
  const std::vector<float> logits = tied_logits(700, 3, 6.0F);
  const SamplingOptions options = options_of(20, 0.9F, 0, 1, 0.7F);
  const std::vector<bool> kept = reference(logits, options);
  const std::vector<double> p = softmax(logits, 0.7, kept);
  SamplingScratch scratch;
  std::vector<std::int32_t> said;
  for (int draw = 0; draw < 2000; ++draw) {
    std::vector<float> row = logits;
    const SampledToken token = draw_token(row, options, {{}, said, {}}, RngStream(RngPurpose::kSampling, 4), scratch);
    ASSERT_TRUE(kept[static_cast<std::size_t>(token.id)]);
    // Two f32 roundings of numbers below 16 and a log of 4 ulp.
    ASSERT_NEAR(token.log_prob, std::log(p[static_cast<std::size_t>(token.id)]), 4e-6);
    said.push_back(token.id);
  }
}

TEST(Truncation, ProcessorsFollowTheirDefinitions) {
  SamplingOptions options;
  options.repetition_penalty = 2;
  options.presence_penalty = 0.25F;
  options.frequency_penalty = 0.5F;
  options.logit_bias = {{4, 1.5F}};
  options.bad_words = {{5}, {1, 2, 6}, {3, 7}};
  options.temperature = 0;
  const std::vector<std::int32_t> prompt = {0, 1};
  const std::vector<std::int32_t> completion = {2, 2};
  std::vector<float> logits = {3, -1, 2, 1, 1, 9, 8, 7, -5};
  SamplingScratch scratch;
  draw_token(logits, options, {prompt, completion, {}}, RngStream(RngPurpose::kSampling, 4), scratch);
  // 0 and 1 are in the prompt, 2 twice in the completion; 6 follows 2 2, not 1 2.
  EXPECT_EQ(logits, (std::vector<float>{1.5F, -2, 1 - 0.25F - 1, 1, 2.5F, kMaskedLogit, 8, 7, -5}));
  std::vector<float> again = {3, -1, 2, 1, 1, 9, 8, 7, -5};
  draw_token(again, options, {prompt, std::vector<std::int32_t>{2}, {}}, RngStream(RngPurpose::kSampling, 4), scratch);
  EXPECT_EQ(again[6], kMaskedLogit);  // across the prompt's end
}

TEST(Truncation, OptionsOutsideTheirRangesAreNamed) {
  const auto message = [](auto change) {
    SamplingOptions options;
    change(options);
    const auto checked = check_sampling(options, 10);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(message([](auto&) {}), "");
  EXPECT_NE(message([](auto& o) { o.top_p = 0; }).find("top_p = 0"), std::string::npos);
  EXPECT_NE(message([](auto& o) { o.min_p = 1; }).find("min_p = 1"), std::string::npos);
  EXPECT_NE(message([](auto& o) { o.temperature = std::nanf(""); }).find("temperature = nan"), std::string::npos);
  EXPECT_NE(message([](auto& o) { o.stop_token_ids = {10}; }).find("token id 10"), std::string::npos);
  EXPECT_NE(message([](auto& o) { o.bad_words = {{}}; }).find("bad_words"), std::string::npos);
  EXPECT_NE(message([](auto& o) { o.stop = {""}; }).find("stop"), std::string::npos);
}

TEST(Truncation, WhatDependsOnHistoryIsRefusedInTrainingByName) {
  SamplingOptions options = options_of(20, 0.9F, 0.1F, 0.9F, 0.7F);
  EXPECT_TRUE(check_trainable(options));
  options.presence_penalty = 0.5F;
  const auto refused = check_trainable(options);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("sampling.presence_penalty"), std::string::npos);
}

}  // namespace
}  // namespace plumb
