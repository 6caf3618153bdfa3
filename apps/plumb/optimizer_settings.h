#pragma once
// The keys of AdamW and of the learning rate, for every section that trains.

#include <cstdint>

#include "core/config.h"
#include "learner/optimizer.h"
#include "learner/schedule.h"

namespace plumb {

/// Keys of the section that it is part of, whose warm-up is its own.
struct OptimizerSettings {
  double learning_rate = 1e-5;
  Decay decay = Decay::kConstant;
  double final_fraction = -1;  // the decay's own: 0.1 of cosine, 0 of the others
  double decay_share = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double weight_decay = 0.1;
  bool decay_embeddings = true;
  double max_grad_norm = 1.0;

  void describe(ConfigSection& section);
  [[nodiscard]] OptimizerOptions options() const;
  [[nodiscard]] Schedule schedule(std::int64_t warmup_steps, std::int64_t total_steps) const;
};

}  // namespace plumb
