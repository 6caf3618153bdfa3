#include "tensor/rope.h"

#include <cmath>

#include "core/check.h"
#include "tensor/lanes.h"

namespace plumb {
namespace {

void rotate_heads(float* x, std::int64_t num_heads, std::int64_t half, const float* cosines, const float* sines,
                  float direction) {
  for (std::int64_t head = 0; head < num_heads; ++head) {
    float* lower = x + head * 2 * half;
    float* upper = lower + half;
    for_lanes(half, [&](std::int64_t i, std::int64_t count) {
      const Lanes c = Lanes::load_first(cosines + i, count);
      const Lanes s = Lanes::load_first(sines + i, count) * Lanes(direction);
      const Lanes a = Lanes::load_first(lower + i, count);
      const Lanes b = Lanes::load_first(upper + i, count);
      (a * c - b * s).store_first(lower + i, count);
      (b * c + a * s).store_first(upper + i, count);
    });
  }
}

}  // namespace

RopeTable::RopeTable(std::int64_t max_positions, std::int64_t head_dim, float theta)
    : max_positions_(max_positions), half_(head_dim / 2) {
  PLUMB_CHECK(head_dim % 2 == 0, "RopeTable: odd head_dim");
  cos_.reserve(static_cast<std::size_t>(max_positions * half_));
  sin_.reserve(static_cast<std::size_t>(max_positions * half_));
  for (std::int64_t position = 0; position < max_positions; ++position) {
    for (std::int64_t i = 0; i < half_; ++i) {
      // The frequency and the angle are rounded to f32, as in transformers: other libraries' models expect that angle.
      const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(head_dim);
      const auto frequency = static_cast<float>(1.0 / std::pow(static_cast<double>(theta), exponent));
      const float angle = static_cast<float>(position) * frequency;
      cos_.push_back(static_cast<float>(std::cos(static_cast<double>(angle))));
      sin_.push_back(static_cast<float>(std::sin(static_cast<double>(angle))));
    }
  }
}

void RopeTable::rotate(float* x, std::int64_t num_heads, std::int64_t position) const {
  const auto offset = position * half_;
  rotate_heads(x, num_heads, half_, cos_.data() + offset, sin_.data() + offset, 1.0F);
}

void RopeTable::rotate_back(float* x, std::int64_t num_heads, std::int64_t position) const {
  const auto offset = position * half_;
  rotate_heads(x, num_heads, half_, cos_.data() + offset, sin_.data() + offset, -1.0F);
}

}  // namespace plumb
