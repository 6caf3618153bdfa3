#pragma once
// Random sequences to train on.

#include <vector>

#include "bench/load.h"
#include "policy/packed_batch.h"

namespace plumb {

struct RandomBatch {
  PackedBatch tokens;
  ScoreTargets targets;            // every token has a random successor
  std::vector<float> d_log_probs;  // of the mean log-prob
};

/// The same for the same vocabulary and load.
RandomBatch random_batch(const Policy& policy, const TrainLoad& load);

}  // namespace plumb
