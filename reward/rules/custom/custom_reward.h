#pragma once
// Scores by a program or an endpoint of the user's. A request is a line of JSON for each completion:
//
//   {"id": "0", "prompt_id", "data_source", "domain", "language", "prompt": [{"role", "content"}], "completion",
//    "finish_reason", "num_tokens", "answer", "reference", "extra_info"}
//
// and the answer a line {"id": "0", "score": number from 0 to 1, "reason"?: text}, or {"id": "0", "error": text} where
// it could not be scored, in any order. docs/reward.md is the manual.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/records.h"
#include "reward/rules/custom/circuit_breaker.h"
#include "reward/rules/custom/custom_options.h"
#include "reward/rules/custom/line_exchange.h"

namespace plumb {

/// `value` in [0, 1]; where `fault` is not empty there is none.
struct CustomScore {
  double value = 0;
  std::string reason = {};
  std::string fault = {};
};

struct CustomItem {
  const PromptRecord* prompt = nullptr;
  const Completion* completion = nullptr;
};

/// Remembers scores from one day to the next, so that what is resumed or replayed has the same ones though the program
/// may answer otherwise. Thread-safe. Faults are not given to it.
class CustomScoreStore {
 public:
  virtual ~CustomScoreStore() = default;
  [[nodiscard]] virtual std::optional<CustomScore> find(const std::string& key) const = 0;
  virtual void store(const std::string& key, const CustomScore& score) = 0;
};

/// Thread-safe; calls wait for each other.
class CustomReward {
 public:
  /// options.check() has passed; `store` outlives this object or is null.
  explicit CustomReward(CustomRewardOptions options, CustomScoreStore* store = nullptr);
  /// The same over any transport.
  CustomReward(CustomRewardOptions options, std::unique_ptr<LineExchange> exchange, CustomScoreStore* store = nullptr);

  /// In the order of `items`; equal questions are asked once. A request that fails is tried again, item by item, so
  /// that one completion that ends the program takes no other with it; what is still without an answer then has a
  /// fault, as has everything while the circuit is open.
  std::vector<CustomScore> score(std::span<const CustomItem> items);

 private:
  struct Question;
  void ask(std::span<Question*> questions);
  void ask_once(std::span<Question*> questions);

  CustomRewardOptions options_;
  CustomScoreStore* store_;
  std::mutex mutex_;
  std::unique_ptr<LineExchange> exchange_;
  CircuitBreaker breaker_;
  std::string last_failure_;
  std::uint64_t next_id_ = 0;
};

}  // namespace plumb
