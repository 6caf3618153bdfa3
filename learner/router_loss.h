#pragma once
// The losses that keep a mixture's routers even, and the numbers that say how even they are. Off in RL and SFT unless
// asked for, whatever a model's config says: coefficients of its pre-training are not theirs.
//
// Loads are shares of the assignments of all rows of an optimizer batch, a shared prompt counted as often as there are
// completions of it; they are constants of the loss, fixed before the first backward. So gradients do not hang on how
// the batch is cut into micro-batches, nor on what is computed once.

#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "policy/policy.h"
#include "policy/router_statistics.h"

namespace plumb {

struct RouterLossOptions {
  /// alpha E sum_e load_e probability_e, a mean over layers with experts. Switch: Fedus et al., 2021, arXiv 2101.03961,
  /// eq. 4 to 6; DeepSeek-V2 (arXiv 2405.04434, eq. 23 to 25) has the same per sequence.
  float balance = 0;
  /// The same over `devices` groups of experts side by side: D sum_d load_d probability_d. DeepSeek-V2, eq. 26 to 28.
  float device_balance = 0;
  std::int64_t devices = 1;
  /// D / M sum_d sent_d probability_d: sent_d the share of rows that go to the group, M how many groups a row may go
  /// to. DeepSeek-V2, eq. 29 to 31.
  float communication_balance = 0;
  /// beta mean (log sum exp logits)^2. ST-MoE: Zoph et al., 2022, arXiv 2202.08906, eq. 5.
  float z = 0;

  [[nodiscard]] bool any() const { return balance != 0 || device_balance != 0 || communication_balance != 0 || z != 0; }
};

/// Of all layers with experts: means, but for the largest violation.
struct RouterSummary {
  bool has_experts = false;
  double load_entropy = 0;
  double max_violation = 0;
  double z_loss = 0;
  double balance = 0;
};

/// Errors: a loss of routers for a model without experts; devices that the experts do not share out evenly.
Result<void> check_router_loss(const RouterLossOptions& options, const ModelConfig& config);

class RouterTallies {
 public:
  /// `devices`: of the losses that will be asked for.
  explicit RouterTallies(const ModelConfig& config, std::int64_t devices = 1);

  /// The rows of a batch that the tape is of; row_counts [T].
  void add(const Policy& policy, const ForwardTape& tape, std::span<const float> row_counts);
  [[nodiscard]] RouterSummary summary() const;
  /// The value of the losses, and what a row that counts once adds to their derivatives; row_counts is left empty.
  [[nodiscard]] double loss(const RouterLossOptions& options) const;
  [[nodiscard]] RouterGradient gradient(const RouterLossOptions& options) const;

 private:
  [[nodiscard]] double by_group(const RouterStatistics& statistics, std::size_t expert,
                                const RouterLossOptions& options) const;

  std::vector<std::int64_t> sparse_layers_;
  std::vector<RouterTally> tallies_;  // of those
  std::int64_t num_layers_ = 0;
  std::int64_t num_experts_ = 0;
  std::int64_t devices_ = 1;
  double groups_of_a_row_ = 1;  // at most
};

}  // namespace plumb
