#pragma once
// Equal submissions are examined once, also when they are asked for at the same time.

#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <unordered_map>

#include "compiler_sandbox/judge.h"

namespace plumb {

/// Names everything that evidence depends on within one judge: language, source, signature, calls, limits.
std::string submission_key(const Submission& submission);

/// Evidence by key; the oldest entries go when it is full. Safe to use from many threads.
class EvidenceCache {
 public:
  explicit EvidenceCache(std::size_t capacity) : capacity_(capacity) {}

  /// The evidence under `key`, from `examine()` if there is none; whoever asks meanwhile waits for it. Copies that
  /// were not examined for this caller carry `cached`. Faults of ours reach those who wait and are not kept.
  Evidence get(const std::string& key, const std::function<Evidence()>& examine);

 private:
  void forget(const std::string& key);

  std::size_t capacity_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_future<Evidence>> entries_;
  std::deque<std::string> order_;
};

}  // namespace plumb
