#pragma once
// Scores that were given before: the same bytes asked again are answered without judging.

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace plumb {

/// Counts up whenever a rule gives other scores for the same evidence, so that nothing remembered outlives a rule.
inline constexpr int kRuleVersion = 2;

/// Answers by SHA-256 of (rule version, what they were asked with). Up to about `max_bytes`; the oldest go when it
/// is full. Safe to use from many threads.
class ScoreCache {
 public:
  explicit ScoreCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  static std::string key(std::string_view settings, std::string_view question);
  /// The answer stored under `key`, shared, not copied; null where there is none.
  std::shared_ptr<const std::string> find(const std::string& key);
  void store(const std::string& key, std::string answer);

 private:
  std::size_t max_bytes_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const std::string>> entries_;
  std::deque<std::string> order_;
  std::size_t bytes_ = 0;
};

}  // namespace plumb
