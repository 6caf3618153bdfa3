#include "eval/proxy_watch.h"

#include <cstddef>

namespace plumb {

ProxyState ProxyWatch::observe(double proxy, double gold) {
  constexpr std::size_t kAll = 2 * kProxyWindow;
  last_.emplace_back(proxy, gold);
  if (last_.size() > kAll) {
    last_.pop_front();
  }
  if (last_.size() < kAll) {
    return ProxyState::kTogether;
  }
  double proxy_rise = 0;
  double gold_rise = 0;
  for (std::size_t i = 0; i < kAll; ++i) {
    const double sign = (i < kProxyWindow ? -1.0 : 1.0) / kProxyWindow;
    proxy_rise += sign * last_[i].first;
    gold_rise += sign * last_[i].second;
  }
  parted_ = proxy_rise >= kProxyStep && gold_rise <= -kProxyStep ? parted_ + 1 : 0;
  return parted_ == 0 ? ProxyState::kTogether : parted_ < kProxyPatience ? ProxyState::kParted : ProxyState::kStop;
}

}  // namespace plumb
