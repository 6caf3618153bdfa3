#pragma once
// What a run says, and when it stops, where its reward model and its verdicts part (eval/proxy_watch.h).

#include <cstdint>
#include <string>

#include "core/metrics_log.h"
#include "core/result.h"
#include "eval/proxy_watch.h"

namespace plumb {

struct ProxyWord {
  std::string text;  // one sentence: what is seen, what to do; empty where all is well
  bool stop = false;
};

class ProxyGuard {
 public:
  /// What was seen until `last_step`, from the lines of a run's metrics.jsonl: a resumed run stops where it would have.
  Result<void> remember(const std::string& metrics_file, std::int64_t last_step);

  /// After a step with these metrics; those of a run without a reward model say nothing.
  ProxyWord observe(const MetricMap& metrics);

 private:
  ProxyWatch watch_;
};

}  // namespace plumb
