#pragma once
// The numbers of a model: f32 masters and gradients in one block each, and the packed copies that products read.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/thread_pool.h"
#include "policy/model_layout.h"
#include "policy/policy.h"
#include "tensor/attention.h"
#include "tensor/buffer.h"
#include "tensor/linear.h"

namespace plumb {

/// The head's gradients take the vocabulary in groups of this many logits. Rows of a group lie this many numbers apart:
/// an odd number of panels keeps them out of each other's places in the cache (a power of two costs the weight gradient
/// a third of its speed).
inline constexpr std::int64_t kHeadGroup = 47 * PackedMatrix::kPanelColumns;

/// A weight W [out, in] packed for y = x W^T and, in a trainable model, for dx = dy W.
struct PackedWeight {
  PackedMatrix forward;
  std::optional<PackedMatrix> backward;
};

/// Gate and up are two products forward, so that the same columns of both can be used up together, and one backward.
struct PackedFeedForward {
  PackedMatrix gate, up;
  std::optional<PackedMatrix> gate_up_backward;
  PackedWeight down;

  [[nodiscard]] std::int64_t forward_bytes() const {
    return gate.packed_bytes() + up.packed_bytes() + down.forward.packed_bytes();
  }
};

/// The keys' and values' half of latent attention as attention among latents needs it, by head.
struct AbsorbedLatent {
  std::vector<PackedMatrix> keys;    // [H] of nope -> kv rank: a query's way into the latents
  std::vector<PackedMatrix> values;  // [H] of kv rank -> e: a head's way out
};

/// Parts as LayerOffsets has them.
struct PackedLayer {
  PackedWeight qkv;
  std::optional<PackedWeight> q_up, kv_up;
  std::optional<AbsorbedLatent> absorbed;
  PackedWeight o;
  std::optional<PackedFeedForward> dense;
  std::vector<PackedFeedForward> experts;
};

class Weights {
 public:
  /// Takes the named tensors over. Errors: as Policy::create.
  static Result<std::unique_ptr<Weights>> create(const ModelConfig& config, std::vector<NamedTensor> tensors,
                                                 const PolicyOptions& options);

  /// Packs every master anew.
  void pack(ThreadPool& pool);

  [[nodiscard]] const float* value(std::int64_t offset) const { return values_.data() + offset; }
  [[nodiscard]] float* gradient(std::int64_t offset) { return gradients_.data() + offset; }
  [[nodiscard]] AlignedBuffer<float>& gradients() { return gradients_; }

  [[nodiscard]] const LayerOffsets& layer(std::int64_t index) const {
    return layout_.layers[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] const PackedLayer& packed(std::int64_t index) const { return packed_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] std::int64_t embedding() const { return layout_.embedding; }
  [[nodiscard]] std::int64_t final_norm() const { return layout_.final_norm; }
  [[nodiscard]] std::int64_t head() const { return layout_.head; }  // embedding() where they are tied
  /// False for a value head, whose weight [1, D] stands at head() and is not packed.
  [[nodiscard]] bool has_vocabulary() const { return head_forward_.has_value(); }
  [[nodiscard]] const PackedMatrix& head_forward() const { return *head_forward_; }
  [[nodiscard]] const std::vector<PackedMatrix>& head_backward() const { return head_backward_; }

  [[nodiscard]] std::vector<ParameterView>& parameters() { return parameters_; }
  /// Of the packed matrices that a forward reads.
  [[nodiscard]] std::int64_t forward_bytes() const;
  [[nodiscard]] std::int64_t num_parameters() const { return values_.size(); }

 private:
  Weights(const ModelConfig& config, const PolicyOptions& options);

  void lay_out();
  void make_packed();
  [[nodiscard]] ComputeDtype backward_dtype() const;
  [[nodiscard]] PackedMatrix make_forward(std::int64_t out, std::int64_t in);
  [[nodiscard]] PackedMatrix make_backward(std::int64_t out, std::int64_t in);
  [[nodiscard]] PackedWeight make_weight(std::int64_t out, std::int64_t in);
  [[nodiscard]] PackedFeedForward make_feed_forward(std::int64_t size_f);
  [[nodiscard]] AbsorbedLatent make_absorbed();
  [[nodiscard]] PackedLayer make_layer(const LayerOffsets& layer);
  Result<void> take(std::vector<NamedTensor> tensors);

  ModelConfig config_;
  ComputeDtype dtype_;
  bool trainable_;
  bool absorbs_;  // latent attention is also packed for extend()
  AlignedBuffer<float> values_;
  AlignedBuffer<float> gradients_;
  ModelLayout layout_;
  Arena forward_arena_;  // packed numbers in the order in which a pass reads them
  Arena backward_arena_;
  std::vector<PackedLayer> packed_;
  std::optional<PackedMatrix> head_forward_;
  std::vector<PackedMatrix> head_backward_;
  std::vector<ProductScratch> pack_scratch_;  // by thread
  std::vector<ParameterView> parameters_;
};

}  // namespace plumb
