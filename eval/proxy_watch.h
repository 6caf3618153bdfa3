#pragma once
// Whether a reward that stands for another still means it. A policy that climbs a model of its reward first improves
// and then exploits the model's errors: the proxy goes on rising while the true reward falls (Gao, Schulman and Hilton,
// "Scaling Laws for Reward Model Overoptimization", 2022, arXiv 2210.10760).

#include <deque>
#include <utility>

namespace plumb {

enum class ProxyState {
  kTogether,
  kParted,  // the proxy rose and the true reward fell, by kProxyStep each, over the last two times kProxyWindow steps
  kStop     // for kProxyPatience steps in a row
};

inline constexpr int kProxyWindow = 10;
inline constexpr int kProxyPatience = 10;
inline constexpr double kProxyStep = 0.02;

class ProxyWatch {
 public:
  /// The state after a step with these mean rewards, in [0, 1].
  ProxyState observe(double proxy, double gold);

 private:
  std::deque<std::pair<double, double>> last_;  // of 2 kProxyWindow steps, oldest first
  int parted_ = 0;                              // steps in a row
};

}  // namespace plumb
