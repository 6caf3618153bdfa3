#pragma once
// What a run says, and when it stops, where its reward model and its verdicts part (eval/proxy_watch.h).

#include <string>

#include "core/metrics_log.h"
#include "eval/proxy_watch.h"

namespace plumb {

struct ProxyWord {
  std::string text;  // one sentence: what is seen, what to do; empty where all is well
  bool stop = false;
};

class ProxyGuard {
 public:
  /// After a step with these metrics, or of a resumed run of one before: it stops where it would have. Those of a run
  /// without a reward model say nothing.
  ProxyWord observe(const MetricMap& metrics);

 private:
  ProxyWatch watch_;
};

}  // namespace plumb
