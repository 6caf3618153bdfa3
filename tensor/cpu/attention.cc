#include "tensor/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "tensor/vector_math.h"

namespace plumb {
namespace {

constexpr std::int64_t kMaxGroup = 4;  // query heads that share a walk over the keys; larger groups are cut up
static_assert(kPagePositions == 2 * kLanes);

// sums[g][half] = sum over d of rows[g][d] * columns[d][half's 16 keys]: one fma a term, in the order of d.
template <int kGroup>
void dot_with_keys(const float* rows, std::int64_t row_stride, const float* columns, std::int64_t head_dim,
                   Lanes (&sums)[kGroup][2]) {
  for (int g = 0; g < kGroup; ++g) {
    sums[g][0] = Lanes();
    sums[g][1] = Lanes();
  }
  for (std::int64_t d = 0; d < head_dim; ++d) {
    const Lanes low = Lanes::load(columns + d * kPagePositions);
    const Lanes high = Lanes::load(columns + d * kPagePositions + kLanes);
    for (int g = 0; g < kGroup; ++g) {
      const Lanes factor(rows[g * row_stride + d]);
      sums[g][0] = fma(factor, low, sums[g][0]);
      sums[g][1] = fma(factor, high, sums[g][1]);
    }
  }
}

// sums[g] += sum over j of weights[g][j] * rows[j], for kChunk * 16 columns, in the order of j.
template <int kGroup, int kChunk>
void combine_rows(const float* weights, std::int64_t weight_stride, const float* rows, std::int64_t row_stride,
                  std::int64_t count, Lanes (&sums)[kGroup][kChunk]) {
  for (std::int64_t j = 0; j < count; ++j) {
    Lanes row[kChunk];
    for (int c = 0; c < kChunk; ++c) {
      row[c] = Lanes::load(rows + j * row_stride + c * kLanes);
    }
    for (int g = 0; g < kGroup; ++g) {
      const Lanes weight(weights[g * weight_stride + j]);
      for (int c = 0; c < kChunk; ++c) {
        sums[g][c] = fma(weight, row[c], sums[g][c]);
      }
    }
  }
}

// Calls body(column, chunk) with chunks of 64 and then 16 columns.
template <typename Body>
void for_chunks(std::int64_t padded_dim, Body body) {
  std::int64_t column = 0;
  for (; column + 4 * kLanes <= padded_dim; column += 4 * kLanes) {
    body(column, std::integral_constant<int, 4>());
  }
  for (; column < padded_dim; column += kLanes) {
    body(column, std::integral_constant<int, 1>());
  }
}

// The first position of the first page that the row sees.
std::int64_t first_page(const PageView& keys) {
  return keys.first_key / kPagePositions * kPagePositions;
}

// Scores of the keys of those pages, scaled, -infinity for those that are not seen; their maxima.
template <int kGroup>
void score_keys(const AttentionShape& shape, const float* q, const PageView& keys, std::int64_t head_offset,
                std::int64_t stride, float* scores, float (&maxima)[kGroup]) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  const Lanes scale(shape.scale());
  Lanes largest[kGroup];
  std::fill(largest, largest + kGroup, Lanes(kLowest));
  for (std::int64_t first = first_page(keys); first < keys.num_keys; first += kPagePositions) {
    Lanes sums[kGroup][2];
    const float* page = keys.pages[first / kPagePositions] + keys.layer_offset + head_offset;
    dot_with_keys<kGroup>(q, shape.padded_dim(), page, shape.head_dim, sums);
    for (int half = 0; half < 2; ++half) {
      const std::int64_t begin = first + half * kLanes;
      const std::int64_t valid = std::clamp<std::int64_t>(keys.num_keys - begin, 0, kLanes);
      const std::int64_t unseen = std::clamp<std::int64_t>(keys.first_key - begin, 0, kLanes);
      for (int g = 0; g < kGroup; ++g) {
        const Lanes score = (sums[g][half] * scale).keep_first(valid, kLowest).drop_first(unseen, kLowest);
        largest[g] = max(largest[g], score);
        score.store(scores + g * stride + begin);
      }
    }
  }
  for (int g = 0; g < kGroup; ++g) {
    maxima[g] = largest_of(largest[g]);
  }
}

template <int kGroup>
void attend(const AttentionShape& shape, const float* q, const PageView& keys, std::int64_t kv_head, float* out,
            float* log_sum_exp, float* scores) {
  const std::int64_t head_offset = kv_head * shape.head_floats();
  const std::int64_t stride = (keys.num_keys + kPagePositions - 1) / kPagePositions * kPagePositions;
  float maxima[kGroup];
  score_keys<kGroup>(shape, q, keys, head_offset, stride, scores, maxima);
  float inverse_mass[kGroup];
  for (int g = 0; g < kGroup; ++g) {
    Lanes mass;
    for (std::int64_t j = first_page(keys); j < stride; j += kLanes) {
      const Lanes weight = exp_approx(Lanes::load(scores + g * stride + j) - Lanes(maxima[g]));
      mass = mass + weight;
      weight.store(scores + g * stride + j);
    }
    const float total = sum_of(mass);
    inverse_mass[g] = 1.0F / total;
    if (log_sum_exp != nullptr) {
      log_sum_exp[g] = maxima[g] + log_approx(total);
    }
  }
  const std::int64_t values_offset = head_offset + shape.head_dim * kPagePositions;
  for_chunks(shape.padded_value(), [&](std::int64_t column, auto chunk) {
    constexpr int kChunk = decltype(chunk)::value;
    Lanes sums[kGroup][kChunk];
    for (std::int64_t first = first_page(keys); first < keys.num_keys; first += kPagePositions) {
      const float* page = keys.pages[first / kPagePositions] + keys.layer_offset + values_offset + column;
      combine_rows<kGroup, kChunk>(scores + first, stride, page, shape.padded_value(),
                                   std::min(kPagePositions, keys.num_keys - first), sums);
    }
    for (int g = 0; g < kGroup; ++g) {
      for (int c = 0; c < kChunk; ++c) {
        const std::int64_t at = column + c * kLanes;
        const std::int64_t count = std::clamp<std::int64_t>(shape.value_dim() - at, 0, kLanes);
        (sums[g][c] * Lanes(inverse_mass[g])).store_first(out + g * shape.value_dim() + at, count);
      }
    }
  });
}

// d_rows[j] += sum over g of weights[g][j] * sources[g], in the order of g.
template <int kGroup>
void spread_rows(const float (&weights)[kGroup][kPagePositions], const float* sources, std::int64_t padded_dim,
                 std::int64_t count, float* d_rows) {
  for_chunks(padded_dim, [&](std::int64_t column, auto chunk) {
    constexpr int kChunk = decltype(chunk)::value;
    Lanes source[kGroup][kChunk];
    for (int g = 0; g < kGroup; ++g) {
      for (int c = 0; c < kChunk; ++c) {
        source[g][c] = Lanes::load(sources + g * padded_dim + column + c * kLanes);
      }
    }
    for (std::int64_t j = 0; j < count; ++j) {
      float* to = d_rows + j * padded_dim + column;
      Lanes sum[kChunk];
      for (int c = 0; c < kChunk; ++c) {
        sum[c] = Lanes::load(to + c * kLanes);
      }
      for (int g = 0; g < kGroup; ++g) {
        const Lanes weight(weights[g][j]);
        for (int c = 0; c < kChunk; ++c) {
          sum[c] = fma(weight, source[g][c], sum[c]);
        }
      }
      for (int c = 0; c < kChunk; ++c) {
        sum[c].store(to + c * kLanes);
      }
    }
  });
}

template <int kGroup>
void backward_group(const AttentionShape& shape, const RowGradient& row, const PageGradient& page,
                    std::int64_t num_keys, std::int64_t first_key) {
  const std::int64_t padded = shape.padded_dim();
  const Lanes scale(shape.scale());
  Lanes scores[kGroup][2];
  Lanes d_weights[kGroup][2];
  dot_with_keys<kGroup>(row.q, padded, page.keys_transposed, shape.head_dim, scores);
  dot_with_keys<kGroup>(row.d_out, shape.padded_value(), page.values_transposed, shape.value_dim(), d_weights);
  float weights[kGroup][kPagePositions];
  float d_scores[kGroup][kPagePositions];
  for (int g = 0; g < kGroup; ++g) {
    for (int half = 0; half < 2; ++half) {
      const std::int64_t unseen = std::clamp<std::int64_t>(first_key - half * kLanes, 0, kLanes);
      const Lanes weight = exp_approx(scores[g][half] * scale - Lanes(row.log_sum_exp[g])).drop_first(unseen, 0.0F);
      const Lanes d_score = weight * (d_weights[g][half] - Lanes(row.delta[g])) * scale;
      weight.store(weights[g] + half * kLanes);
      d_score.store(d_scores[g] + half * kLanes);
    }
  }
  for_chunks(padded, [&](std::int64_t column, auto chunk) {
    constexpr int kChunk = decltype(chunk)::value;
    Lanes sums[kGroup][kChunk];
    for (int g = 0; g < kGroup; ++g) {
      for (int c = 0; c < kChunk; ++c) {
        sums[g][c] = Lanes::load(row.d_q + g * padded + column + c * kLanes);
      }
    }
    combine_rows<kGroup, kChunk>(d_scores[0], kPagePositions, page.keys + column, padded, num_keys, sums);
    for (int g = 0; g < kGroup; ++g) {
      for (int c = 0; c < kChunk; ++c) {
        sums[g][c].store(row.d_q + g * padded + column + c * kLanes);
      }
    }
  });
  spread_rows<kGroup>(d_scores, row.q, padded, num_keys, page.d_keys);
  spread_rows<kGroup>(weights, row.d_out, shape.padded_value(), num_keys, page.d_values);
}

// Calls body(first head of the piece, size) for pieces of at most kMaxGroup heads, the size as a constant.
template <typename Body>
void for_pieces(std::int64_t group, Body body) {
  for (std::int64_t first = 0; first < group; first += kMaxGroup) {
    switch (std::min(kMaxGroup, group - first)) {
      case 1:
        body(first, std::integral_constant<int, 1>());
        break;
      case 2:
        body(first, std::integral_constant<int, 2>());
        break;
      case 3:
        body(first, std::integral_constant<int, 3>());
        break;
      default:
        body(first, std::integral_constant<int, 4>());
        break;
    }
  }
}

}  // namespace

float AttentionShape::scale() const {
  return score_scale == 0 ? 1.0F / std::sqrt(static_cast<float>(head_dim)) : score_scale;
}

void write_page_slot(const AttentionShape& shape, float* page, std::int64_t slot, const float* key,
                     const float* value) {
  const std::int64_t padded = shape.padded_value();
  const std::int64_t size = shape.value_dim();
  for (std::int64_t head = 0; head < shape.num_kv_heads; ++head) {
    float* keys = page + head * shape.head_floats();
    float* values = keys + shape.head_dim * kPagePositions + slot * padded;
    for (std::int64_t d = 0; d < shape.head_dim; ++d) {
      keys[d * kPagePositions + slot] = key[head * shape.head_dim + d];
    }
    std::copy(value + head * size, value + (head + 1) * size, values);
    std::fill(values + size, values + padded, 0.0F);
  }
}

void attention_row(const AttentionShape& shape, const float* q, const PageView& keys, float* out, float* log_sum_exp,
                   AlignedBuffer<float>& scratch) {
  const std::int64_t stride = (keys.num_keys + kPagePositions - 1) / kPagePositions * kPagePositions;
  scratch.resize(kMaxGroup * stride);
  for (std::int64_t kv_head = 0; kv_head < shape.num_kv_heads; ++kv_head) {
    for_pieces(shape.group(), [&](std::int64_t first, auto size) {
      const std::int64_t head = kv_head * shape.group() + first;
      attend<decltype(size)::value>(shape, q + head * shape.padded_dim(), keys, kv_head, out + head * shape.value_dim(),
                                    log_sum_exp == nullptr ? nullptr : log_sum_exp + head, scratch.data());
    });
  }
}

void attention_backward(const AttentionShape& shape, const RowGradient& row, const PageGradient& page,
                        std::int64_t num_keys, std::int64_t first_key) {
  for_pieces(shape.group(), [&](std::int64_t first, auto size) {
    const std::int64_t offset = first * shape.padded_dim();
    const RowGradient piece = {.q = row.q + offset,
                               .d_out = row.d_out + first * shape.padded_value(),
                               .log_sum_exp = row.log_sum_exp + first,
                               .delta = row.delta + first,
                               .d_q = row.d_q + offset};
    backward_group<decltype(size)::value>(shape, piece, page, num_keys, first_key);
  });
}

}  // namespace plumb
