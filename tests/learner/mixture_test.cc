#include "learner/mixture.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumb {
namespace {

std::vector<MixtureItem> items_of_three_sources() {
  std::vector<MixtureItem> items;
  for (int i = 0; i < 30; ++i) {
    items.push_back({i < 4 ? 0 : i < 10 ? 1 : 2, 5 + i % 7});
  }
  return items;
}

TEST(Mixture, SharesOfTokensAreMetAtAnyTimeWithinAnExample) {
  const auto items = items_of_three_sources();
  const std::vector<double> shares = {0.5, 0.3, 0.2};
  double tokens[3] = {};
  double all = 0;
  for (const std::size_t index : mixture_order(items, shares, 500, 1)) {
    tokens[items[index].source] += static_cast<double>(items[index].tokens);
    all += static_cast<double>(items[index].tokens);
    for (std::size_t s = 0; s < 3; ++s) {
      EXPECT_LE(std::abs(tokens[s] - shares[s] * all), 2 * 11);
    }
  }
}

TEST(Mixture, EpochsOfASourceAreExact) {
  const auto items = items_of_three_sources();
  const auto order = mixture_order(items, std::vector<double>{1, 1, 1}, 300, 1);
  std::vector<int> drawn(items.size());
  for (const std::size_t index : order) {
    ++drawn[index];
    for (const auto& [first, last] : {std::pair(0, 4), std::pair(4, 10), std::pair(10, 30)}) {
      const auto [least, most] = std::minmax_element(drawn.begin() + first, drawn.begin() + last);
      ASSERT_LE(*most - *least, 1);
    }
  }
  EXPECT_GT(drawn[0], drawn[29]) << "the smallest source came round most often";
}

TEST(Mixture, IsAFunctionOfTheSeedAndLongerStreamsBeginAlike) {
  const auto items = items_of_three_sources();
  const std::vector<double> shares = {1, 0, 2};
  const auto order = mixture_order(items, shares, 100, 1);
  auto longer = mixture_order(items, shares, 200, 1);
  EXPECT_NE(longer, mixture_order(items, shares, 200, 2));
  longer.resize(100);
  EXPECT_EQ(order, longer);
  for (const std::size_t index : order) {
    EXPECT_NE(items[index].source, 1) << "it has no share";
  }
}

}  // namespace
}  // namespace plumb
