#pragma once
// The keys of the losses of a mixture's routers, and its metrics, for every section that trains.

#include "core/config.h"
#include "core/metrics_log.h"
#include "learner/router_loss.h"

namespace plumb {

void describe_router_loss(ConfigSection& section, RouterLossOptions& options);

/// router/*; nothing of a model without experts.
void add_router_metrics(const RouterSummary& router, MetricMap& metrics);

}  // namespace plumb
