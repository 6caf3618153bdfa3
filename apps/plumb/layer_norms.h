#pragma once
// grad_norm/<layer>, for every stage that trains.

#include "core/metrics_log.h"
#include "learner/optimizer.h"

namespace plumb {

/// The norms of the last update's gradients, where run.layer_norms asks for them.
inline void add_layer_norms(bool asked, const Optimizer& optimizer, MetricMap& metrics) {
  if (asked) {
    for (const auto& [layer, norm] : optimizer.layer_norms()) {
      metrics["grad_norm/" + layer] = norm;
    }
  }
}

}  // namespace plumb
