#include "apps/plumb/router_settings.h"

namespace plumb {

void describe_router_loss(ConfigSection& section, RouterLossOptions& options) {
  section.field(
      "router_balance", options.balance,
      {.help = "of a mixture's balance loss; a model's own coefficient is never taken", .min = 0, .max = 100});
  section.field("router_device_balance", options.device_balance,
                {.help = "the same over router_devices groups of experts", .min = 0, .max = 100});
  section.field("router_communication_balance", options.communication_balance,
                {.help = "of how many tokens go to each of router_devices groups", .min = 0, .max = 100});
  section.field("router_devices", options.devices, {.help = "see above", .min = 1, .max = 4096});
  section.field("router_z", options.z, {.help = "of the router's z-loss", .min = 0, .max = 100});
}

void add_router_metrics(const RouterSummary& router, MetricMap& metrics) {
  if (router.has_experts) {
    metrics["router/load_entropy"] = router.load_entropy;
    metrics["router/max_violation"] = router.max_violation;
    metrics["router/z_loss"] = router.z_loss;
    metrics["router/balance"] = router.balance;
  }
}

}  // namespace plumb
