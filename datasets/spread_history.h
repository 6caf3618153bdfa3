#pragma once
// What each prompt of a list has earned so far, and a draw that prefers prompts whose groups are likely to be mixed.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/result.h"

namespace plumb {

/// A prompt's success rate p has a Beta(1/2 + successes, 1/2 + failures) posterior; what was seen at an earlier visit
/// counts half as much as what was seen at the next, since the policy moves. Prompts are drawn without repetition with
/// weight E[p(1 - p)], the expected variance of a reward: 0.125 before the first visit, at most 0.25, and 0.047 after a
/// group of eight that all failed or all succeeded, so that those come back, but seldom.
class SpreadHistory {
 public:
  explicit SpreadHistory(std::size_t num_prompts) : prompts_(num_prompts) {}

  /// `n` different prompts (indices; n <= num_prompts), a function of (seed, key, round) and the history: exponential
  /// keys u^(1/w), the n largest (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
  [[nodiscard]] std::vector<std::uint32_t> choose(std::size_t n, std::uint64_t seed, std::uint64_t key,
                                                  std::uint32_t round) const;
  /// How often the prompt was drawn before; counts this draw.
  std::uint32_t count_draw(std::uint32_t prompt) { return prompts_[prompt].draws++; }
  /// A group of `trials` scored completions of which `successes` (0 to trials, fractions allowed) succeeded.
  void observe(std::uint32_t prompt, double successes, double trials);
  [[nodiscard]] double weight(std::uint32_t prompt) const;

  /// [[draws, successes, trials], ...] in the order of prompts.
  [[nodiscard]] nlohmann::json to_json() const;
  /// Errors: not such an array for this number of prompts; the history is unchanged then.
  Result<void> restore(const nlohmann::json& json);

 private:
  struct Prompt {
    std::uint32_t draws = 0;
    double successes = 0;
    double trials = 0;
  };
  std::vector<Prompt> prompts_;
};

}  // namespace plumb
