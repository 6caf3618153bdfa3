#pragma once
// Whether warming up has made a policy that GRPO can improve: groups with right and wrong completions in them, and
// completions that end by themselves.

#include <map>
#include <optional>
#include <span>
#include <string>

#include "core/records.h"

namespace plumb {

/// Watches the first rollouts of a GRPO run and then says once, in a line for the user, what it saw.
class SpreadGate {
 public:
  /// The verdict after the rollout with which enough groups have been seen; nothing before and after. It warns, with
  /// the cause and the key to change, if in some language fewer than half of the groups are mixed, or if fewer than
  /// 95 % of the completions end by themselves.
  std::optional<std::string> observe(std::span<const ScoredGroup> groups);

 private:
  struct Tally {
    int groups = 0;
    int mixed = 0;
    double reward = 0;
  };
  [[nodiscard]] std::string verdict() const;

  std::map<Language, Tally> languages_;
  int groups_ = 0;
  int completions_ = 0;
  int ended_ = 0;
  bool spoken_ = false;
};

}  // namespace plumb
