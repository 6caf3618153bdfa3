#include "tensor/rope.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "tensor/lanes.h"

namespace plumb {
namespace {

constexpr std::int64_t kAlways = 4096;

struct Angles {
  const float* cosines;
  const float* sines;
  float direction;
};

void rotate_heads(float* x, std::int64_t num_heads, std::int64_t half, std::int64_t head_stride, const Angles& angles) {
  const auto [cosines, sines, direction] = angles;
  const std::int64_t stride = head_stride == 0 ? 2 * half : head_stride;
  for (std::int64_t head = 0; head < num_heads; ++head) {
    float* lower = x + head * stride;
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

std::vector<float> rope_frequencies(std::int64_t head_dim, float theta) {
  PLUMB_CHECK(head_dim % 2 == 0, "rope_frequencies: odd head_dim");
  std::vector<float> frequencies;
  for (std::int64_t i = 0; i < head_dim / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(head_dim);
    frequencies.push_back(static_cast<float>(1.0 / std::pow(static_cast<double>(theta), exponent)));
  }
  return frequencies;
}

RopeTable::RopeTable(std::int64_t max_positions, std::int64_t head_dim, float theta)
    : RopeTable(max_positions, rope_frequencies(head_dim, theta), 1.0F) {}

RopeTable::RopeTable(std::int64_t max_positions, std::span<const float> frequencies, float factor)
    : max_positions_(max_positions),
      half_(static_cast<std::int64_t>(frequencies.size())),
      frequencies_(frequencies.begin(), frequencies.end()),
      factor_(factor) {
  reserve(std::min(max_positions, kAlways));
}

void RopeTable::reserve(std::int64_t positions) {
  PLUMB_CHECK(positions <= max_positions_, "RopeTable: more positions than the model has");
  if (positions <= reserved_) {
    return;
  }
  // Doubled, so that a sequence that grows token by token does not grow the table as often.
  const std::int64_t end = std::min(max_positions_, std::max(positions, 2 * reserved_));
  cos_.reserve(static_cast<std::size_t>(end * half_));
  sin_.reserve(static_cast<std::size_t>(end * half_));
  for (; reserved_ < end; ++reserved_) {
    for (const float frequency : frequencies_) {
      // Frequency and angle are f32 numbers, as in transformers: other libraries' models expect that angle.
      const float angle = static_cast<float>(reserved_) * frequency;
      cos_.push_back(static_cast<float>(std::cos(static_cast<double>(angle))) * factor_);
      sin_.push_back(static_cast<float>(std::sin(static_cast<double>(angle))) * factor_);
    }
  }
}

void RopeTable::rotate(float* x, std::int64_t num_heads, std::int64_t position, std::int64_t head_stride) const {
  const auto offset = position * half_;
  rotate_heads(x, num_heads, half_, head_stride, {cos_.data() + offset, sin_.data() + offset, 1.0F});
}

void RopeTable::rotate_back(float* x, std::int64_t num_heads, std::int64_t position, std::int64_t head_stride) const {
  const auto offset = position * half_;
  rotate_heads(x, num_heads, half_, head_stride, {cos_.data() + offset, sin_.data() + offset, -1.0F});
}

}  // namespace plumb
