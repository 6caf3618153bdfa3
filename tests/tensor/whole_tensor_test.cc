// Ops over whole tensors: AdamW against its formula in f64, norms, the embedding's gradient; equal bits for any number
// of threads.

#include <gtest/gtest.h>

#include <limits>

#include "tensor/adamw.h"
#include "tensor/embedding.h"
#include "tensor/norms.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using testing::random_floats;
using testing::widen;

constexpr std::int64_t kLarge = (1 << 17) + 77;  // several tasks and a rest

struct AdamWState {
  std::vector<float> value = random_floats(kLarge, 1);
  std::vector<float> m = random_floats(kLarge, 2, 0.1);
  std::vector<float> v;
  std::vector<float> gradient = random_floats(kLarge, 4);

  AdamWState() {
    for (const float x : random_floats(kLarge, 3, 0.1)) {
      v.push_back(x * x);
    }
  }
};

AdamWState stepped(const AdamWStep& step, int threads) {
  ThreadPool pool(threads);
  AdamWState state;
  adamw_update(state.value, state.gradient, state.m, state.v, step, pool);
  return state;
}

TEST(AdamW, MatchesTheFormula) {
  const AdamWStep step = {.learning_rate = 1e-2F,
                          .beta1 = 0.9F,
                          .beta2 = 0.95F,
                          .epsilon = 1e-6F,
                          .weight_decay = 0.1F,
                          .step = 3,
                          .gradient_scale = 0.25F};
  const AdamWState before;
  const AdamWState after = stepped(step, 2);
  std::vector<double> value;
  std::vector<double> m;
  std::vector<double> v;
  const auto f64 = [](float x) { return static_cast<double>(x); };
  for (std::size_t i = 0; i < before.value.size(); ++i) {
    const double g = f64(before.gradient[i]) * f64(step.gradient_scale);
    m.push_back(f64(step.beta1) * f64(before.m[i]) + (1 - f64(step.beta1)) * g);
    v.push_back(f64(step.beta2) * f64(before.v[i]) + (1 - f64(step.beta2)) * g * g);
    const double m_hat = m.back() / (1 - std::pow(f64(step.beta1), 3));
    const double v_hat = v.back() / (1 - std::pow(f64(step.beta2), 3));
    value.push_back(f64(before.value[i]) - f64(step.learning_rate) * (f64(step.weight_decay) * f64(before.value[i]) +
                                                                      m_hat / (std::sqrt(v_hat) + f64(step.epsilon))));
  }
  testing::expect_close(after.m, m, 1e-6, "m");
  testing::expect_close(after.v, v, 1e-6, "v");
  testing::expect_close(after.value, value, 1e-6, "value");
}

TEST(AdamW, ThreadsDoNotMatter) {
  const AdamWStep step = {.learning_rate = 1e-2F, .step = 1};
  const AdamWState one = stepped(step, 1);
  for (const int threads : {2, 4}) {
    const AdamWState other = stepped(step, threads);
    EXPECT_EQ(other.value, one.value);
    EXPECT_EQ(other.m, one.m);
    EXPECT_EQ(other.v, one.v);
  }
}

TEST(SumOfSquares, MatchesF64AndIgnoresThreads) {
  const auto values = random_floats(kLarge, 5);
  double expected = 0;
  for (const double value : widen(values)) {
    expected += value * value;
  }
  ThreadPool one(1);
  const double found = sum_of_squares(values, one);
  EXPECT_NEAR(found, expected, expected * 1e-5);
  for (const int threads : {2, 4}) {
    ThreadPool pool(threads);
    EXPECT_EQ(sum_of_squares(values, pool), found);
  }
}

TEST(SumOfSquares, ShowsWhatIsNotFinite) {
  ThreadPool pool(2);
  auto values = random_floats(100, 6);
  values[57] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(sum_of_squares(values, pool), std::numeric_limits<double>::infinity());
  values[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(sum_of_squares(values, pool)));
  EXPECT_EQ(sum_of_squares({}, pool), 0.0);
}

TEST(EmbeddingBackward, AddsRowsInOrder) {
  constexpr std::int64_t kD = 100;
  const std::vector<std::int32_t> ids = {3, 0, 3, 6, 3};
  const auto d_rows = random_floats(static_cast<std::int64_t>(ids.size()) * kD, 7);
  const auto before = random_floats(7 * kD, 8);
  auto expected = before;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    for (std::size_t d = 0; d < kD; ++d) {
      expected[static_cast<std::size_t>(ids[t]) * kD + d] += d_rows[t * kD + d];
    }
  }
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    auto d_table = before;
    embedding_backward(ids, d_rows.data(), kD, d_table.data(), pool);
    EXPECT_EQ(d_table, expected);
  }
}

}  // namespace
}  // namespace plumb
