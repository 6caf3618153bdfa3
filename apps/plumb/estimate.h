#pragma once
// What a run will take, told before it starts, and refused where the machine does not have it.

#include <cstdint>
#include <string>

#include "apps/plumb/settings.h"
#include "core/result.h"
#include "formats/hyperparameters.h"

namespace plumb {

/// Bytes that a run needs, from the shapes alone.
struct RunEstimate {
  std::int64_t num_parameters = 0;
  std::int64_t weight_bytes = 0;    // masters and the copies that products read
  std::int64_t training_bytes = 0;  // gradients, AdamW moments, activations of one micro-batch; 0 for evaluation
  std::int64_t cache_bytes = 0;     // keys and values while sampling
  std::int64_t disk_bytes = 0;      // checkpoints and results
  [[nodiscard]] std::int64_t memory_bytes() const { return weight_bytes + training_bytes + cache_bytes; }
};

RunEstimate estimate_run(const Hyperparameters& shape, const Settings& settings, bool trainable);

/// Refuses what does not fit into the memory that is available now and the disk below `out`, naming both figures and
/// the keys that lower them.
Result<void> check_fits(const RunEstimate& estimate, const std::string& out);

/// One line for the user.
std::string describe(const RunEstimate& estimate);

/// Which stages a run has, for its time.
struct RunWork {
  std::int64_t sft_demonstrations = 0;
  std::int64_t grpo_steps = 0;
  std::int64_t eval_samples = 0;  // over all sets, temperatures and stages
};

/// Minutes that `work` will take at `roof_gflops`, from the shares of the roof that sampling and training reach and
/// completions half as long as they may be. Within a factor of two on an idle machine.
double estimate_minutes(const Hyperparameters& shape, const Settings& settings, const RunWork& work,
                        double roof_gflops);

/// "less than a minute", "about 1 minute", "about 12 minutes".
std::string minutes_text(double minutes);

}  // namespace plumb
