#pragma once
// The policy: a transformer with its weights, as the actor and the learner use it. Start reading here.
//
// Exactness: the bits of a token's log-prob depend on its own sequence and the weights alone. score(), forward() and
// extend() therefore share every op and every accumulation order (docs/architecture.md, "Exact").

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/thread_pool.h"
#include "policy/kv_cache.h"
#include "policy/model_config.h"
#include "policy/packed_batch.h"
#include "policy/product_proof.h"
#include "tensor/dtype.h"

namespace plumb {

/// A tensor by its Hugging Face name, in f32.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// A trainable tensor: views into memory that the policy owns. `gradient` is empty unless the policy is trainable.
struct ParameterView {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<float> value;
  std::span<float> gradient;
};

struct PolicyOptions {
  ComputeDtype dtype = ComputeDtype::kF32;
  ThreadPool* pool = nullptr;             // outlives the policy
  bool trainable = false;                 // allocates gradients
  bool activation_checkpointing = false;  // as set_activation_checkpointing()
  bool exact = true;                      // false: extend() may take the faster way that exact() speaks of
};

/// The activations of one forward that its backward needs. Reusable: a later forward overwrites it and keeps its
/// memory.
class ForwardTape {
 public:
  ForwardTape();
  ~ForwardTape();
  ForwardTape(ForwardTape&&) noexcept;
  ForwardTape& operator=(ForwardTape&&) noexcept;

 private:
  friend class Policy;
  struct State;
  std::unique_ptr<State> state_;
};

/// Where the rows of a batch went in one layer: views into a tape, empty for a layer without experts.
struct RowRoutes {
  std::span<const std::int32_t> experts;  // [T, k] by falling probability
  std::span<const float> weights;         // [T, k] of their outputs
  std::span<const float> logits;          // [T, E] of the router
};

/// What a loss says of the routers of a batch beside the outputs that they weigh: a balance term is linear in the
/// probabilities where the loads are constants, the z-loss a function of each row's logits.
struct RouterGradient {
  std::vector<std::vector<float>>
      by_probability;             // [L][E] d loss / d probability, of a row that counts once; [] if dense
  float z = 0;                    // times d (log sum exp)^2 / d logits, likewise
  std::vector<float> row_counts;  // [T]
};

/// New tokens of one cached sequence.
struct ExtendRequest {
  SequenceId sequence = 0;
  std::span<const std::int32_t> token_ids;  // at least one
  bool want_logits = true;                  // of the last token
};

/// Receives the [V] raw logits of request `index`, once for each request that wants them, concurrently from the pool's
/// threads; `logits` is scratch memory, valid during the call, that the visitor may change.
using LogitsVisitor = std::function<void(std::int64_t index, int worker, std::span<float> logits)>;

class Policy {
 public:
  /// Errors: a tensor that is missing, has another shape than the config says, or holds a value that is not finite.
  static Result<std::unique_ptr<Policy>> create(const ModelConfig& config, std::vector<NamedTensor> weights,
                                                const PolicyOptions& options);
  virtual ~Policy() = default;

  [[nodiscard]] virtual const ModelConfig& config() const = 0;
  [[nodiscard]] virtual ComputeDtype dtype() const = 0;
  /// Whether extend() has the bits of score(). Not so where PolicyOptions::exact = false and the model has latent
  /// attention: caches then hold each position's latent (twice, for scores and sums) and shared rotary key alone,
  /// 2 kv rank + rope dim numbers in place of H (d + e), and queries are taken into the latents' space (weights
  /// absorbed, DeepSeek-V2, section 2.1.2), which rounds differently. A row's bits still depend on its own sequence and
  /// the weights alone.
  [[nodiscard]] virtual bool exact() const { return true; }
  /// Counts commit_update() calls; starts at 0.
  [[nodiscard]] virtual std::int64_t version() const = 0;
  [[nodiscard]] virtual std::int64_t num_parameters() const = 0;

  /// The f32 master weights (and gradients), in a fixed order. After changing values call commit_update().
  virtual std::vector<ParameterView>& parameters() = 0;
  /// Rounds and packs the changed masters for the products, and moves to the next version. Older KvCaches are stale.
  virtual void commit_update() = 0;
  /// commit_update(), but the next version is `version` (newer than the present one): the masters came from elsewhere.
  virtual void commit_update_as(std::int64_t version);
  virtual void zero_gradients() = 0;

  /// Whether later forward() calls keep each layer's input alone and backward() computes the rest again: less memory
  /// for the time of one more forward, and the same bits of every gradient. A tape may change over.
  virtual void set_activation_checkpointing(bool /*on*/) {}

  /// Log-probs and entropies of `targets`; activations are not kept.
  virtual TokenScores score(const PackedBatch& batch, const ScoreTargets& targets) = 0;
  /// The raw logits of rows of a batch: those that score() takes its log-probs from. The visitor's index is into
  /// `rows`.
  virtual void logits(const PackedBatch& batch, std::span<const std::int64_t> rows, const LogitsVisitor& visit) = 0;
  /// One number for each of `rows`: w . norm(x), of a model with a value head. [R]
  virtual std::vector<float> values(const PackedBatch& batch, std::span<const std::int64_t> rows);
  /// The same numbers as score(), bit for bit, and the activations for backward().
  virtual TokenScores forward(const PackedBatch& batch, const ScoreTargets& targets, ForwardTape& tape) = 0;
  /// Adds the gradient of sum_i d_log_probs[i] * log_probs[i] to the parameters' gradients (+=). [R]
  virtual void backward(ForwardTape& tape, std::span<const float> d_log_probs) = 0;

  /// backward() from now on also adds the gradient of weight * (log sum exp z)^2 of every target's row to the
  /// parameters' gradients, z its logits over the temperature: the z-loss of the vocabulary (PaLM: Chowdhery et al.,
  /// 2022, arXiv 2204.02311, section 5). 0: nothing.
  virtual void set_z_loss(float /*weight*/) {}
  /// Adds this to what backward() does from now on; null: nothing more. It outlives those calls, and its row_counts are
  /// of the batch that each is of.
  virtual void set_router_gradient(const RouterGradient* /*gradient*/) {}

  /// The residual stream behind layer `layer` [T, D], and the layer's routes, of the batch that the tape is of.
  [[nodiscard]] virtual std::span<const float> layer_output(const ForwardTape& /*tape*/, std::int64_t /*layer*/) const {
    return {};
  }
  [[nodiscard]] virtual RowRoutes row_routes(const ForwardTape& /*tape*/, std::int64_t /*layer*/) const { return {}; }

  /// Appends tokens to cached sequences (prefill in any chunks, or decode) and hands out the logits that follow.
  virtual void extend(KvCache& cache, std::span<const ExtendRequest> requests, const LogitsVisitor& visit) = 0;
  [[nodiscard]] virtual std::unique_ptr<KvCache> make_cache(std::int64_t budget_bytes) const = 0;

  /// Bytes of packed weights that the products of one token read.
  [[nodiscard]] virtual std::int64_t weight_bytes() const { return 0; }
  /// What the trials at start-up showed of each kind of product: create() made them, so this is a look-up.
  [[nodiscard]] virtual std::vector<ProductProof> product_proofs() const { return {}; }

 protected:
  static ForwardTape::State& state_of(ForwardTape& tape);
  static const ForwardTape::State& state_of(const ForwardTape& tape);
};

}  // namespace plumb
