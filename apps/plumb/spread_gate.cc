#include "apps/plumb/spread_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace plumb {
namespace {

constexpr int kGroups = 40;  // of code: five rollouts of eight
constexpr double kMixed = 0.5;
constexpr double kEnded = 0.95;

double share(int part, int whole) {
  return whole > 0 ? static_cast<double>(part) / whole : 0;
}

std::string name_of(Language language) {
  return language == Language::kCpp ? "C++" : "Python";
}

}  // namespace

std::optional<std::string> SpreadGate::observe(std::span<const ScoredGroup> groups) {
  if (spoken_) {
    return std::nullopt;
  }
  for (const ScoredGroup& scored : groups) {
    for (const Completion& completion : scored.group.completions) {
      ++completions_;
      ended_ += completion.finish_reason == FinishReason::kLength ? 0 : 1;
    }
    const Language language = scored.group.prompt->language;
    if (language == Language::kNone) {
      continue;
    }
    double lowest = std::numeric_limits<double>::infinity();
    double highest = -lowest;
    double sum = 0;
    for (const Score& score : scored.scores) {
      if (!score.unscored) {
        lowest = std::min(lowest, score.total);
        highest = std::max(highest, score.total);
        sum += score.total;
      }
    }
    Tally& tally = languages_[language];
    ++groups_;
    ++tally.groups;
    tally.mixed += lowest < highest ? 1 : 0;
    tally.reward += scored.scores.empty() ? 0 : sum / static_cast<double>(scored.scores.size());
  }
  if (groups_ < kGroups) {
    return std::nullopt;
  }
  spoken_ = true;
  return verdict();
}

std::string SpreadGate::verdict() const {
  std::string seen = fmt::format("{:.0f} % of the completions end by themselves", 100 * share(ended_, completions_));
  std::string causes;
  for (const auto& [language, tally] : languages_) {
    seen +=
        fmt::format(", {:.0f} % of the {} groups are mixed", 100 * share(tally.mixed, tally.groups), name_of(language));
    if (share(tally.mixed, tally.groups) < kMixed) {
      const bool hard = tally.reward / tally.groups < 0.5;
      causes += fmt::format(" {} tasks are too {} for the policy: {}.", name_of(language), hard ? "hard" : "easy",
                            hard ? "raise sft.max_epochs or grpo.group_size" : "give it harder ones (data.tasks)");
    }
  }
  if (share(ended_, completions_) < kEnded) {
    causes += " The policy has not learned to end its answers: raise sft.max_epochs or sampling.max_new_tokens.";
  }
  return causes.empty() ? "note: the start is good for GRPO: " + seen + "."
                        : "warning: the start is poor for GRPO: " + seen + "." + causes;
}

}  // namespace plumb
