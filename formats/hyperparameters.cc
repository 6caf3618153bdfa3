#include "formats/hyperparameters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <utility>

namespace plumb {
namespace {

using Count = std::pair<const char*, std::int64_t>;

// No model comes near these; a damaged file must not make anyone list a billion tensors.
constexpr std::int64_t kMostLayers = 4096;
constexpr std::int64_t kMostExperts = std::int64_t{1} << 20;  // of all layers together

Result<void> check_counts(std::initializer_list<Count> counts) {
  for (const auto& [name, count] : counts) {
    if (count <= 0 || count >= (std::int64_t{1} << 31)) {
      return Error{std::string("the ") + name + " must lie between 1 and 2^31 - 1, found " + std::to_string(count)};
    }
  }
  return {};
}

Result<void> check_rope(const Hyperparameters& h) {
  if (!std::isfinite(h.rope_theta) || h.rope_theta <= 0) {
    return Error{"the rotary base must be positive and finite, found " + std::to_string(h.rope_theta)};
  }
  const RopeScaling& rope = h.rope;
  if (rope.kind == RopeKind::kDefault) {
    return {};
  }
  if (!std::isfinite(rope.factor) || rope.factor < 1) {
    return Error{"the rotary scaling's factor must be at least 1, found " + std::to_string(rope.factor)};
  }
  PLUMB_TRY(check_counts({{"rotary scaling's original_max_position_embeddings", rope.original_positions}}));
  if (rope.kind == RopeKind::kLlama3 && !(rope.low_freq_factor > 0 && rope.high_freq_factor > rope.low_freq_factor)) {
    return Error{"the rotary scaling's high_freq_factor must lie above its low_freq_factor"};
  }
  if (rope.kind == RopeKind::kYarn && !(rope.beta_slow > 0 && rope.beta_fast >= rope.beta_slow)) {
    return Error{"the rotary scaling's beta_fast must not lie below its beta_slow"};
  }
  return {};
}

Result<void> check_experts(const Hyperparameters& h) {
  const MixtureOfExperts& moe = h.moe;
  if (moe.num_experts == 0) {
    return {};
  }
  PLUMB_TRY(check_counts({{"number of experts", moe.num_experts},
                          {"number of experts of a token", moe.top_k},
                          {"intermediate size of an expert", moe.expert_size},
                          {"number of expert groups", moe.num_groups},
                          {"number of expert groups of a token", moe.top_groups},
                          {"step of sparse layers", moe.sparse_step}}));
  if (moe.num_experts > kMostExperts / h.num_layers) {
    return Error{"the number of experts (" + std::to_string(moe.num_experts) + " in each of " +
                 std::to_string(h.num_layers) + " layers) is more than any model has"};
  }
  if (moe.num_experts % moe.num_groups != 0 || moe.top_groups > moe.num_groups) {
    return Error{"the experts (" + std::to_string(moe.num_experts) + ") must fall into equal groups (" +
                 std::to_string(moe.num_groups) + "), of which no more than all can be chosen"};
  }
  if (moe.top_k > moe.num_experts / moe.num_groups * moe.top_groups) {
    return Error{"a token cannot go to " + std::to_string(moe.top_k) + " experts of " +
                 std::to_string(moe.num_experts / moe.num_groups * moe.top_groups)};
  }
  if (!std::isfinite(moe.scaling) || moe.shared_size < 0 || moe.first_dense < 0) {
    return Error{"the numbers of the experts are impossible"};
  }
  return {};
}

Result<void> check_latent(const Hyperparameters& h) {
  if (!h.is_latent()) {
    return {};
  }
  PLUMB_TRY(check_counts({{"rank of keys and values", h.latent.kv_rank},
                          {"head dimension without position", h.latent.nope_dim},
                          {"head dimension with position", h.latent.rope_dim},
                          {"value head dimension", h.latent.value_dim}}));
  if (h.latent.rope_dim % 2 != 0 || h.latent.q_rank < 0) {
    return Error{"the head dimension with position must be even for rotary positions, found " +
                 std::to_string(h.latent.rope_dim)};
  }
  if (h.num_kv_heads != h.num_heads) {
    return Error{"latent attention has as many key/value heads as heads"};
  }
  return {};
}

}  // namespace

bool Hyperparameters::is_sparse(std::int64_t layer) const {
  return moe.num_experts > 0 && layer >= moe.first_dense && (layer + 1) % moe.sparse_step == 0 &&
         std::ranges::find(moe.dense_layers, layer) == moe.dense_layers.end();
}

Result<void> check_hyperparameters(const Hyperparameters& h) {
  PLUMB_TRY(check_counts({{"number of layers", h.num_layers},
                          {"hidden size", h.hidden_size},
                          {"number of heads", h.num_heads},
                          {"number of key/value heads", h.num_kv_heads},
                          {"head dimension", h.head_dim},
                          {"intermediate size", h.intermediate_size},
                          {"vocabulary size", h.vocab_size},
                          {"context length", h.max_positions}}));
  if (h.num_layers > kMostLayers) {
    return Error{"the number of layers must be at most " + std::to_string(kMostLayers) + ", found " +
                 std::to_string(h.num_layers)};
  }
  if (h.num_heads % h.num_kv_heads != 0) {
    return Error{"the number of key/value heads (" + std::to_string(h.num_kv_heads) +
                 ") must divide the number of heads (" + std::to_string(h.num_heads) + ")"};
  }
  if (!h.is_latent() && h.head_dim % 2 != 0) {
    return Error{"the head dimension must be even for rotary positions, found " + std::to_string(h.head_dim)};
  }
  if (!std::isfinite(h.rms_norm_eps) || h.rms_norm_eps < 0) {
    return Error{"the RMS norm epsilon must be finite and not negative, found " + std::to_string(h.rms_norm_eps)};
  }
  if (h.sliding_window < 0 || h.first_windowed_layer < 0) {
    return Error{"the sliding window must not be negative, found " + std::to_string(h.sliding_window)};
  }
  PLUMB_TRY(check_rope(h));
  PLUMB_TRY(check_experts(h));
  return check_latent(h);
}

}  // namespace plumb
