#pragma once
// Equal submissions are examined once, also when they are asked for at the same time.

#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler_sandbox/evidence_store.h"
#include "compiler_sandbox/judge.h"

namespace plumb {

/// Names everything that evidence depends on within one judge: language, source, signature, calls, limits.
std::string submission_key(const Submission& submission);

/// Which of many submissions are equal: judged at the same time these would only wait for each other.
struct EqualSubmissions {
  std::vector<std::size_t> different;  // the first of each kind, in order
  std::vector<std::size_t> same_as;    // of each submission the first that is equal; of a first itself
};
EqualSubmissions find_equal(std::span<const Submission> submissions);

/// Evidence by key, up to about `max_bytes` of it; the oldest entries go when it is full. Safe to use from many
/// threads.
class EvidenceCache {
 public:
  explicit EvidenceCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// `store` is asked before anything is examined, and given what was; it outlives the cache. Not thread-safe.
  void keep_in(const EvidenceStore* store) { store_ = store; }

  /// The evidence under `key`, from `examine()` if there is none; whoever asks meanwhile waits for it. Copies that
  /// were not examined for this caller carry `cached`. Faults of ours reach those who wait and are not kept, and
  /// neither is evidence that `keeps` says no to.
  Evidence get(const std::string& key, const std::function<Evidence()>& examine,
               const std::function<bool(const Evidence&)>& keeps = nullptr);

 private:
  struct Entry {
    std::shared_future<Evidence> evidence;
    std::size_t bytes = 0;  // 0 while it is being examined
  };
  void keep(const std::string& key, std::size_t bytes);
  void forget(const std::string& key);

  std::size_t max_bytes_;
  const EvidenceStore* store_ = nullptr;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::string> order_;  // of the entries that were examined
  std::size_t bytes_ = 0;
};

}  // namespace plumb
