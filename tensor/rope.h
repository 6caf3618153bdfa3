#pragma once
// Rotary positions (Su et al. 2021, arXiv 2104.09864) in the rotate-half convention of Hugging Face.

#include <cstdint>
#include <vector>

namespace plumb {

/// cos and sin of position * theta^(-2i / head_dim), for every position a model can see.
class RopeTable {
 public:
  RopeTable(std::int64_t max_positions, std::int64_t head_dim, float theta);

  /// Rotates each head of one row in place: (a, b) = (x[i], x[i + head_dim/2]) becomes (a cos - b sin, b cos + a sin).
  ///   x  [num_heads, head_dim]  f32
  void rotate(float* x, std::int64_t num_heads, std::int64_t position) const;
  /// The inverse rotation, which is also the gradient's.
  void rotate_back(float* x, std::int64_t num_heads, std::int64_t position) const;

  [[nodiscard]] std::int64_t max_positions() const { return max_positions_; }

 private:
  std::int64_t max_positions_;
  std::int64_t half_;
  std::vector<float> cos_;  // [max_positions, head_dim / 2]
  std::vector<float> sin_;
};

}  // namespace plumb
