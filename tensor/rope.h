#pragma once
// Rotary positions (Su et al. 2021, arXiv 2104.09864) in the rotate-half convention of Hugging Face.

#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

/// theta^(-2i / head_dim) for i = 0 to head_dim / 2 - 1, each rounded to f32.
std::vector<float> rope_frequencies(std::int64_t head_dim, float theta);

/// cos and sin of position * frequency. A model may be able to see millions of positions that no sequence reaches, so
/// the table grows with reserve().
class RopeTable {
 public:
  /// The frequencies of rope_frequencies().
  RopeTable(std::int64_t max_positions, std::int64_t head_dim, float theta);
  /// Any frequencies [head_dim / 2]; cosines and sines are multiplied by `factor`.
  RopeTable(std::int64_t max_positions, std::span<const float> frequencies, float factor);

  /// Makes sure that `positions` (at most max_positions) are there; the first 4096 always are. Not while others rotate.
  void reserve(std::int64_t positions);

  /// Rotates each head of one row in place: (a, b) = (x[i], x[i + head_dim/2]) becomes (a cos - b sin, b cos + a sin).
  ///   position  < what is reserved
  ///   x  [num_heads, head_dim]  f32, heads `head_stride` apart (0: head_dim)
  void rotate(float* x, std::int64_t num_heads, std::int64_t position, std::int64_t head_stride = 0) const;
  /// The gradient's rotation: by the opposite angle, and times `factor` again.
  void rotate_back(float* x, std::int64_t num_heads, std::int64_t position, std::int64_t head_stride = 0) const;

  [[nodiscard]] std::int64_t max_positions() const { return max_positions_; }

 private:
  std::int64_t max_positions_;
  std::int64_t half_;
  std::vector<float> frequencies_;
  float factor_;
  std::int64_t reserved_ = 0;
  std::vector<float> cos_;  // [reserved, head_dim / 2]
  std::vector<float> sin_;
};

}  // namespace plumb
