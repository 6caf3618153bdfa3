#include "core/metric_names.h"

#include <algorithm>

namespace plumb {

namespace {

bool is_positive_number(std::string_view digits) {
  return !digits.empty() && digits.front() != '0' &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_evaluation_name(std::string_view name) {
  constexpr std::string_view kPrefix = "eval/";
  const std::size_t slash = name.rfind('/');
  if (!name.starts_with(kPrefix) || slash <= kPrefix.size()) {
    return false;
  }
  const std::string_view leaf = name.substr(slash + 1);
  return leaf == "greedy" || (leaf.starts_with("avg@") && is_positive_number(leaf.substr(4))) ||
         (leaf.starts_with("rm@") && is_positive_number(leaf.substr(3))) ||
         (leaf.starts_with("pass@") && is_positive_number(leaf.substr(5))) || leaf == "unscored";
}

bool is_reward_part(std::string_view name) {
  if (name == "reward/shaping_only_gain") {
    return true;
  }
  constexpr std::string_view kPrefix = "reward/";
  const std::size_t slash = name.rfind('/');
  if (!name.starts_with(kPrefix) || slash <= kPrefix.size()) {
    return false;
  }
  const auto part = name.substr(kPrefix.size(), slash - kPrefix.size());
  const auto leaf = name.substr(slash + 1);
  return part.find('/') == std::string_view::npos && (leaf == "mean" || leaf == "std");
}

}  // namespace

bool is_metric_name(std::string_view name) {
  constexpr std::string_view kFamilies[] = {"loss/", "eval_loss/", "perplexity/", "grad_norm/"};
  if (std::ranges::any_of(kFamilies, [&](auto of) { return name.starts_with(of) && name.size() > of.size(); })) {
    return true;
  }
  if (name == "reward/proxy" || name == "reward/gold") {
    return true;
  }
  return std::find(kMetricNames.begin(), kMetricNames.end(), name) != kMetricNames.end() || is_reward_part(name) ||
         is_evaluation_name(name);
}

bool is_timing_name(std::string_view name) {
  return std::find(kTimingNames.begin(), kTimingNames.end(), name) != kTimingNames.end();
}

}  // namespace plumb
