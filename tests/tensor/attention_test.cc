// Attention against f64 and its gradient against central differences of the f64 version.

#include "tensor/attention.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/numeric.h"

namespace plumb {
namespace {

using testing::kUnit;
using testing::random_floats;

struct Problem {
  AttentionShape shape;
  std::int64_t num_keys;
  std::vector<float> q;       // [H, d]
  std::vector<float> keys;    // [T, K, d]
  std::vector<float> values;  // [T, K, d]
};

Problem make_problem(std::int64_t heads, std::int64_t kv_heads, std::int64_t head_dim, std::int64_t num_keys) {
  return {{heads, kv_heads, head_dim},
          num_keys,
          random_floats(heads * head_dim, 1, 2.0),
          random_floats(num_keys * kv_heads * head_dim, 2),
          random_floats(num_keys * kv_heads * head_dim, 3)};
}

struct ResultF64 {
  std::vector<double> out;          // [H, d]
  std::vector<double> log_sum_exp;  // [H]
};

ResultF64 attend_f64(const AttentionShape& s, std::int64_t num_keys, const std::vector<double>& q,
                     const std::vector<double>& keys, const std::vector<double>& values) {
  ResultF64 result;
  for (std::int64_t head = 0; head < s.num_heads; ++head) {
    const std::int64_t kv = head / s.group();
    std::vector<double> scores;
    for (std::int64_t t = 0; t < num_keys; ++t) {
      double score = 0;
      for (std::int64_t d = 0; d < s.head_dim; ++d) {
        score += q[static_cast<std::size_t>(head * s.head_dim + d)] *
                 keys[static_cast<std::size_t>((t * s.num_kv_heads + kv) * s.head_dim + d)];
      }
      scores.push_back(score / std::sqrt(static_cast<double>(s.head_dim)));
    }
    const double largest = *std::max_element(scores.begin(), scores.end());
    double mass = 0;
    for (double& score : scores) {
      score = std::exp(score - largest);
      mass += score;
    }
    result.log_sum_exp.push_back(largest + std::log(mass));
    for (std::int64_t d = 0; d < s.head_dim; ++d) {
      double sum = 0;
      for (std::int64_t t = 0; t < num_keys; ++t) {
        sum += scores[static_cast<std::size_t>(t)] / mass *
               values[static_cast<std::size_t>((t * s.num_kv_heads + kv) * s.head_dim + d)];
      }
      result.out.push_back(sum);
    }
  }
  return result;
}

ResultF64 attend_f64(const Problem& p) {
  return attend_f64(p.shape, p.num_keys, testing::widen(p.q), testing::widen(p.keys), testing::widen(p.values));
}

// Pages of one layer; what lies behind the last key is NaN and must not matter.
struct Pages {
  explicit Pages(const Problem& p) : shape(p.shape) {
    const std::int64_t count = (p.num_keys + kPagePositions - 1) / kPagePositions;
    for (std::int64_t page = 0; page < count; ++page) {
      memory.emplace_back(static_cast<std::size_t>(shape.layer_floats()), std::numeric_limits<float>::quiet_NaN());
    }
    const std::int64_t width = shape.num_kv_heads * shape.head_dim;
    for (std::int64_t t = 0; t < p.num_keys; ++t) {
      write_page_slot(shape, memory[static_cast<std::size_t>(t / kPagePositions)].data(), t % kPagePositions,
                      p.keys.data() + t * width, p.values.data() + t * width);
    }
    for (const std::vector<float>& page : memory) {
      pointers.push_back(page.data());
    }
  }

  AttentionShape shape;
  std::vector<std::vector<float>> memory;
  std::vector<const float*> pointers;
};

std::vector<float> padded_heads(const AttentionShape& s, const std::vector<float>& q) {
  std::vector<float> padded(static_cast<std::size_t>(s.num_heads * s.padded_dim()));
  for (std::int64_t head = 0; head < s.num_heads; ++head) {
    std::copy_n(q.data() + head * s.head_dim, s.head_dim, padded.data() + head * s.padded_dim());
  }
  return padded;
}

struct ResultF32 {
  std::vector<float> out;
  std::vector<float> log_sum_exp;
};

ResultF32 attend_f32(const Problem& p) {
  const Pages pages(p);
  ResultF32 result;
  result.out.resize(p.q.size());
  result.log_sum_exp.resize(static_cast<std::size_t>(p.shape.num_heads));
  AlignedBuffer<float> scratch;
  attention_row(p.shape, padded_heads(p.shape, p.q).data(),
                {.pages = pages.pointers.data(), .layer_offset = 0, .num_keys = p.num_keys}, result.out.data(),
                result.log_sum_exp.data(), scratch);
  return result;
}

// Scores up to about 10, each off by some sqrt(d) roundings, go through exp: the error of a weight is 10 times that.
double tolerance_of(const Problem& p) {
  return kUnit *
         (30 + 10 * std::sqrt(static_cast<double>(p.shape.head_dim)) + std::sqrt(static_cast<double>(p.num_keys)));
}

const std::vector<std::array<std::int64_t, 3>> kShapes = {{2, 2, 16}, {6, 3, 20}, {3, 1, 64}, {9, 3, 64},
                                                          {4, 1, 12}, {5, 1, 72}, {16, 2, 8}};

TEST(Attention, MatchesF64) {
  for (const auto& [heads, kv_heads, head_dim] : kShapes) {
    for (const std::int64_t num_keys : {1, 2, 16, 31, 32, 33, 64, 100}) {
      const Problem p = make_problem(heads, kv_heads, head_dim, num_keys);
      const ResultF32 found = attend_f32(p);
      const ResultF64 expected = attend_f64(p);
      testing::expect_close(found.out, expected.out, tolerance_of(p), "out");
      testing::expect_close(found.log_sum_exp, expected.log_sum_exp, tolerance_of(p), "log_sum_exp");
    }
  }
}

// What attention_backward needs of every row, and the gradients that it fills: as policy/attention_backward.cc does it.
struct Gradient {
  std::vector<float> d_q;       // [H, d]
  std::vector<float> d_keys;    // [T, K, d]
  std::vector<float> d_values;  // [T, K, d]
};

Gradient gradient_f32(const Problem& p, const std::vector<float>& d_out) {
  const AttentionShape& s = p.shape;
  const std::int64_t padded = s.padded_dim();
  const ResultF32 forward = attend_f32(p);
  const auto q = padded_heads(s, p.q);
  const auto d_out_padded = padded_heads(s, d_out);
  std::vector<float> d_q(q.size());
  std::vector<float> delta;
  for (std::int64_t head = 0; head < s.num_heads; ++head) {
    double sum = 0;
    for (std::int64_t d = 0; d < s.head_dim; ++d) {
      const auto at = static_cast<std::size_t>(head * s.head_dim + d);
      sum += static_cast<double>(d_out[at]) * static_cast<double>(forward.out[at]);
    }
    delta.push_back(static_cast<float>(sum));
  }
  Gradient result{{}, std::vector<float>(p.keys.size()), std::vector<float>(p.values.size())};
  for (std::int64_t kv = 0; kv < s.num_kv_heads; ++kv) {
    for (std::int64_t first = 0; first < p.num_keys; first += kPagePositions) {
      const std::int64_t count = std::min(kPagePositions, p.num_keys - first);
      const auto floats = static_cast<std::size_t>(kPagePositions * padded);
      std::vector<float> keys_t(floats), keys(floats), values_t(floats), d_keys(floats), d_values(floats);
      const auto source = [&](std::int64_t t, std::int64_t d) {
        return static_cast<std::size_t>(((first + t) * s.num_kv_heads + kv) * s.head_dim + d);
      };
      for (std::int64_t t = 0; t < count; ++t) {
        for (std::int64_t d = 0; d < s.head_dim; ++d) {
          keys[static_cast<std::size_t>(t * padded + d)] = p.keys[source(t, d)];
          keys_t[static_cast<std::size_t>(d * kPagePositions + t)] = p.keys[source(t, d)];
          values_t[static_cast<std::size_t>(d * kPagePositions + t)] = p.values[source(t, d)];
        }
      }
      const std::int64_t head = kv * s.group();
      attention_backward(s,
                         {.q = q.data() + head * padded,
                          .d_out = d_out_padded.data() + head * padded,
                          .log_sum_exp = forward.log_sum_exp.data() + head,
                          .delta = delta.data() + head,
                          .d_q = d_q.data() + head * padded},
                         {.keys_transposed = keys_t.data(),
                          .keys = keys.data(),
                          .values_transposed = values_t.data(),
                          .d_keys = d_keys.data(),
                          .d_values = d_values.data()},
                         count);
      for (std::int64_t t = 0; t < count; ++t) {
        for (std::int64_t d = 0; d < s.head_dim; ++d) {
          result.d_keys[source(t, d)] = d_keys[static_cast<std::size_t>(t * padded + d)];
          result.d_values[source(t, d)] = d_values[static_cast<std::size_t>(t * padded + d)];
        }
      }
    }
  }
  for (std::int64_t head = 0; head < s.num_heads; ++head) {
    result.d_q.insert(result.d_q.end(), d_q.begin() + head * padded, d_q.begin() + head * padded + s.head_dim);
  }
  return result;
}

TEST(Attention, GradientMatchesCentralDifferences) {
  for (const auto& [heads, kv_heads, head_dim] :
       {std::array<std::int64_t, 3>{2, 2, 16}, {6, 3, 20}, {5, 1, 4}, {8, 1, 6}}) {
    for (const std::int64_t num_keys : {1, 31, 40}) {
      const Problem p = make_problem(heads, kv_heads, head_dim, num_keys);
      const auto d_out = random_floats(heads * head_dim, 4);
      const auto objective = [&](const std::vector<double>& q, const std::vector<double>& keys,
                                 const std::vector<double>& values) {
        const ResultF64 result = attend_f64(p.shape, p.num_keys, q, keys, values);
        double sum = 0;
        for (std::size_t i = 0; i < d_out.size(); ++i) {
          sum += static_cast<double>(d_out[i]) * result.out[i];
        }
        return sum;
      };
      const auto q = testing::widen(p.q);
      const auto keys = testing::widen(p.keys);
      const auto values = testing::widen(p.values);
      const Gradient found = gradient_f32(p, d_out);
      const double tolerance = 4 * tolerance_of(p);
      testing::expect_close(found.d_values,
                            testing::central_differences([&](const auto& v) { return objective(q, keys, v); }, values),
                            tolerance, "d_values");
      if (num_keys == 1) {
        // One key always has the weight 1: nothing but rounding is left for queries and keys.
        for (const float value : found.d_q) {
          EXPECT_NEAR(static_cast<double>(value), 0.0, 1e-5);
        }
        continue;
      }
      testing::expect_close(found.d_q,
                            testing::central_differences([&](const auto& v) { return objective(v, keys, values); }, q),
                            tolerance, "d_q");
      testing::expect_close(found.d_keys,
                            testing::central_differences([&](const auto& v) { return objective(q, v, values); }, keys),
                            tolerance, "d_keys");
    }
  }
}

}  // namespace
}  // namespace plumb
