// Attention's gradient over the pages of a packed batch. A task is one kv head of one tree of segments, so that a
// shared prompt's gradient is the sum over its completions in batch order, whoever computes it.

#include <algorithm>

#include "policy/backward.h"
#include "policy/latent.h"

namespace plumb {
namespace {

class TreeGradient {
 public:
  TreeGradient(Engine& engine, const ForwardState& forward, std::int64_t layer, std::int64_t kv_head,
               AlignedBuffer<float>& scratch, BackwardBuffers& buffers)
      : shape_(engine.attention),
        config_(engine.config),
        forward_(forward),
        layer_(layer),
        kv_head_(kv_head),
        buffers_(buffers) {
    const std::int64_t key_floats = kPagePositions * shape_.padded_dim();
    const std::int64_t value_floats = kPagePositions * shape_.padded_value();
    scratch.resize(2 * (key_floats + value_floats));
    keys_ = scratch.data();
    values_transposed_ = keys_ + key_floats;
    d_keys_ = values_transposed_ + value_floats;
    d_values_ = d_keys_ + key_floats;
  }

  void run(const std::vector<std::size_t>& tree);

 private:
  void load_page(std::int64_t page);
  void visit_segment(const Segment& segment, const BatchPage& page);
  void store_page(const BatchPage& page);

  const AttentionShape& shape_;
  const ModelConfig& config_;
  const ForwardState& forward_;
  std::int64_t layer_;
  std::int64_t kv_head_;
  BackwardBuffers& buffers_;
  const float* keys_transposed_ = nullptr;
  float* keys_ = nullptr;               // [32, padded d]
  float* values_transposed_ = nullptr;  // [e, 32]
  float* d_keys_ = nullptr;             // [32, padded d]
  float* d_values_ = nullptr;           // [32, padded e]
};

void TreeGradient::load_page(std::int64_t page) {
  const std::int64_t padded = shape_.padded_dim();
  keys_transposed_ = forward_.pages.page_data(page) + layer_ % forward_.plan.layers_kept * shape_.layer_floats() +
                     kv_head_ * shape_.head_floats();
  const float* values = keys_transposed_ + shape_.head_dim * kPagePositions;
  std::fill(keys_, keys_ + kPagePositions * padded, 0.0F);
  for (std::int64_t slot = 0; slot < kPagePositions; ++slot) {
    for (std::int64_t d = 0; d < shape_.head_dim; ++d) {
      keys_[slot * padded + d] = keys_transposed_[d * kPagePositions + slot];
    }
    for (std::int64_t e = 0; e < shape_.value_dim(); ++e) {
      values_transposed_[e * kPagePositions + slot] = values[slot * shape_.padded_value() + e];
    }
  }
  std::fill(d_keys_, d_keys_ + kPagePositions * padded, 0.0F);
  std::fill(d_values_, d_values_ + kPagePositions * shape_.padded_value(), 0.0F);
}

void TreeGradient::visit_segment(const Segment& segment, const BatchPage& page) {
  const LayerActivations& activations = forward_.tape.activations(layer_);
  const std::int64_t padded = shape_.padded_dim();
  const std::int64_t first_head = kv_head_ * shape_.group();
  const PageGradient page_gradient = {.keys_transposed = keys_transposed_,
                                      .keys = keys_,
                                      .values_transposed = values_transposed_,
                                      .d_keys = d_keys_,
                                      .d_values = d_values_};
  const std::int64_t skipped = std::max<std::int64_t>(0, page.first_position - segment.start_position);
  for (std::int64_t t = skipped; t < segment.num_tokens; ++t) {
    const std::int64_t position = segment.start_position + t;
    const std::int64_t unseen = first_key(config_, layer_, position) - page.first_position;
    if (unseen >= kPagePositions) {
      break;  // later rows see none of the page either
    }
    const std::int64_t head = (segment.first_row + t) * shape_.num_heads + first_head;
    const RowGradient row = {.q = activations.q.data() + head * padded,
                             .d_out = buffers_.d_attended.data() + head * shape_.padded_value(),
                             .log_sum_exp = activations.log_sum_exp.data() + head,
                             .delta = buffers_.delta.data() + head,
                             .d_q = buffers_.d_q.data() + head * padded};
    const std::int64_t num_keys = position - page.first_position + 1;
    attention_backward(shape_, row, page_gradient, std::min(kPagePositions, num_keys),
                       std::max<std::int64_t>(0, unseen));
  }
}

void TreeGradient::store_page(const BatchPage& page) {
  const std::int64_t d = shape_.head_dim;
  const std::int64_t e = shape_.value_dim();
  for (std::int64_t slot = 0; slot < kPagePositions; ++slot) {
    const std::int64_t row = page.rows[static_cast<std::size_t>(slot)];
    if (row < 0) {
      continue;
    }
    float* d_k = buffers_.d_k.data() + (row * shape_.num_kv_heads + kv_head_) * d;
    float* d_v = buffers_.d_v.data() + (row * shape_.num_kv_heads + kv_head_) * e;
    for (std::int64_t i = 0; i < d; ++i) {
      d_k[i] += d_keys_[slot * shape_.padded_dim() + i];
    }
    for (std::int64_t i = 0; i < e; ++i) {
      d_v[i] += d_values_[slot * shape_.padded_value() + i];
    }
  }
}

void TreeGradient::run(const std::vector<std::size_t>& tree) {
  for (const std::size_t owner : tree) {
    const Segment& segment = forward_.pages.segments()[owner];
    const std::vector<std::int64_t>& table = forward_.pages.table(owner);
    const auto first_own = static_cast<std::size_t>(segment.start_position / kPagePositions);
    for (std::size_t place = first_own; place < table.size(); ++place) {
      const BatchPage& page = forward_.pages.pages()[static_cast<std::size_t>(table[place])];
      load_page(table[place]);
      for (const std::size_t reader : tree) {
        const std::vector<std::int64_t>& reader_table = forward_.pages.table(reader);
        if (place < reader_table.size() && reader_table[place] == table[place]) {
          visit_segment(forward_.pages.segments()[reader], page);
        }
      }
      store_page(page);
    }
  }
}

}  // namespace

std::int64_t num_attention_tasks(const Engine& engine, const ForwardState& forward) {
  return static_cast<std::int64_t>(forward.pages.trees().size()) * engine.attention.num_kv_heads;
}

void run_attention_task(Engine& engine, const ForwardState& forward, std::int64_t layer, std::int64_t index, int worker,
                        BackwardBuffers& buffers) {
  const auto tree = static_cast<std::size_t>(index / engine.attention.num_kv_heads);
  TreeGradient(engine, forward, layer, index % engine.attention.num_kv_heads,
               buffers.worker_pages[static_cast<std::size_t>(worker)], buffers)
      .run(forward.pages.trees()[tree]);
}

}  // namespace plumb
