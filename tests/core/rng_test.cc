#include "core/rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace plumb {
namespace {

// Known answers of the Random123 distribution (kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RngStream, StreamsOfDifferentKeysDiffer) {
  std::set<std::uint32_t> seen;
  for (const auto purpose : {RngPurpose::kSampling, RngPurpose::kEvaluation}) {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      for (std::uint64_t prompt : {std::uint64_t{1}, stable_hash("primer/a/cpp"), stable_hash("primer/b/cpp")}) {
        for (std::uint32_t draw = 0; draw < 3; ++draw) {
          for (std::uint32_t sample = 0; sample < 3; ++sample) {
            for (std::uint32_t position = 0; position < 3; ++position) {
              seen.insert(RngStream(purpose, seed, prompt, draw, sample).bits(position));
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(seen.size(), 2U * 3 * 3 * 3 * 3 * 3);
}

TEST(RngStream, UniformMomentsAndRange) {
  const RngStream stream(RngPurpose::kData, 7);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100000;
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    const double u = static_cast<double>(stream.uniform(i));
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  // Five standard errors of a uniform mean (1/sqrt(12 n)).
  EXPECT_NEAR(sum / kDraws, 0.5, 5.0 / std::sqrt(12.0 * kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 0.005);
}

TEST(RngStream, NormalMoments) {
  const RngStream stream(RngPurpose::kInit, 3);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100000;
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    const double x = stream.normal(i);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 5.0 / std::sqrt(1.0 * kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0, 5.0 * std::sqrt(2.0 / kDraws));
}

TEST(Shuffle, IsAPermutationAndRepeats) {
  std::vector<int> a(100);
  for (int i = 0; i < 100; ++i) {
    a[static_cast<std::size_t>(i)] = i;
  }
  std::vector<int> b = a;
  shuffle(a, RngStream(RngPurpose::kData, 1));
  shuffle(b, RngStream(RngPurpose::kData, 1));
  EXPECT_EQ(a, b);
  EXPECT_EQ(std::set<int>(a.begin(), a.end()).size(), 100U);
  std::vector<int> c = b;
  shuffle(c, RngStream(RngPurpose::kData, 2));
  EXPECT_NE(b, c);
}

}  // namespace
}  // namespace plumb
