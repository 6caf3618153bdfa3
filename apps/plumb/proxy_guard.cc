#include "apps/plumb/proxy_guard.h"

#include <fmt/format.h>

namespace plumb {

ProxyWord ProxyGuard::observe(const MetricMap& metrics) {
  const auto proxy = metrics.find("reward/proxy");
  const auto gold = metrics.find("reward/gold");
  if (proxy == metrics.end() || gold == metrics.end()) {
    return {};
  }
  switch (watch_.observe(proxy->second, gold->second)) {
    case ProxyState::kTogether:
      return {};
    case ProxyState::kParted:
      return {"reward/proxy rises while reward/gold falls: the policy exploits the reward model", false};
    case ProxyState::kStop:
      return {fmt::format("for {} steps reward/proxy has risen while reward/gold fell, so the policy exploits the "
                          "reward model; train it on these rollouts too (plumb data rm-from-rollouts), or set "
                          "reward.code_signal to mix or tests; of steps, raise reward.outcome_weight",
                          kProxyPatience),
              true};
  }
  return {};
}

}  // namespace plumb
