#pragma once
// AdamW (Loshchilov and Hutter, 2019, arXiv 1711.05101) over the policy's f32 master weights.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/thread_pool.h"
#include "policy/policy.h"

namespace plumb {

struct OptimizerOptions {
  float beta1 = 0.9F;
  float beta2 = 0.95F;
  float epsilon = 1e-8F;
  float weight_decay = 0.0F;     // applied to every tensor with two or more dimensions; norms and biases have none
  bool decay_embeddings = true;  // false: token tables (embed_tokens, lm_head) have none either
  float max_grad_norm = 1.0F;    // gradients are scaled down to this global norm; 0 turns clipping off
};

/// What one update did.
struct UpdateStats {
  double grad_norm = 0;  // global, before clipping
  bool applied = false;  // false: a gradient was not finite, nothing changed
};

class Optimizer {
 public:
  /// `policy` and `pool` outlive the optimizer; moments start at 0.
  Optimizer(Policy& policy, ThreadPool& pool, const OptimizerOptions& options);

  /// One update from the policy's accumulated gradients, then Policy::commit_update(); gradients are zeroed. With a
  /// gradient that is not finite nothing is changed but the gradients. Bits do not depend on the number of threads.
  UpdateStats step(float learning_rate);

  /// Called before weights or moments change, by step() and by whoever else changes them (announce_change): readers in
  /// other threads have ended when it returns. Empty: there are none.
  void set_before_change(std::function<void()> callback) { before_change_ = std::move(callback); }
  void announce_change() const;

  [[nodiscard]] std::int64_t num_updates() const { return num_updates_; }

  /// Norms of the last step()'s gradients, before clipping, by layer: "layers.0", ..., and what stands beside the
  /// layers by its name ("embed_tokens", "norm", "lm_head"). Their squares add up to the global norm's.
  [[nodiscard]] std::map<std::string, double> layer_norms() const;

  /// The state that a checkpoint needs: first and second moments, one vector per parameter in the policy's order.
  [[nodiscard]] const std::vector<std::vector<float>>& first_moments() const { return first_; }
  [[nodiscard]] const std::vector<std::vector<float>>& second_moments() const { return second_; }
  /// Takes over a checkpoint's state. Errors: other shapes than the policy's.
  Result<void> restore(std::vector<std::vector<float>> first, std::vector<std::vector<float>> second,
                       std::int64_t num_updates);

 private:
  Policy& policy_;
  ThreadPool& pool_;
  OptimizerOptions options_;
  std::function<void()> before_change_;
  std::vector<std::vector<float>> first_;
  std::vector<std::vector<float>> second_;
  std::int64_t num_updates_ = 0;
  std::vector<double> squares_;  // of each parameter's gradient, at the last step
};

}  // namespace plumb
