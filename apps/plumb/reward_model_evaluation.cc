#include "apps/plumb/reward_model_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "apps/plumb/reward_model_figures.h"
#include "apps/plumb/reward_pair_facts.h"
#include "learner/calibration.h"

namespace plumb {
namespace {

constexpr std::size_t kAtOnce = 16;  // completions of one prompt, which may have hundreds

std::vector<double> rewards_of(Policy& policy, std::span<const RatedRecord* const> records, JudgeTokens tokens) {
  std::vector<double> rewards;
  for (std::size_t begin = 0; begin < records.size(); begin += kAtOnce) {
    std::vector<std::vector<std::int32_t>> completions;
    for (const RatedRecord* record : records.subspan(begin, std::min(kAtOnce, records.size() - begin))) {
      completions.push_back(record->rated.completion);
    }
    const auto some = rewards_of_prompt(policy, records[begin]->rated.prompt, completions, tokens);
    rewards.insert(rewards.end(), some.begin(), some.end());
  }
  return rewards;
}

std::vector<std::vector<double>> rewards_of(Policy& policy, std::span<const SteppedRecord* const> records,
                                            JudgeTokens tokens) {
  std::vector<std::vector<double>> rewards;
  for (std::size_t begin = 0; begin < records.size(); begin += kAtOnce) {
    std::vector<std::vector<std::int32_t>> completions;
    std::vector<std::vector<std::int64_t>> ends;
    for (const SteppedRecord* record : records.subspan(begin, std::min(kAtOnce, records.size() - begin))) {
      completions.push_back(record->stepped.completion);
      ends.push_back(record->stepped.ends);
    }
    const auto some = step_rewards_of_prompt(policy, records[begin]->stepped.prompt, completions, ends, tokens);
    rewards.insert(rewards.end(), some.begin(), some.end());
  }
  return rewards;
}

// Two files may give one id to different prompts.
template <typename Record>
using ByPrompt = std::map<std::pair<std::string, std::vector<std::int32_t>>, std::vector<const Record*>>;

// Whether the most common side of a label of 1/2 says what a label is, for those that have a side.
double majority_of(std::span<const double> labels) {
  const auto above = std::ranges::count_if(labels, [](double label) { return label > 0.5; });
  const auto below = std::ranges::count_if(labels, [](double label) { return label < 0.5; });
  return above >= below ? 1 : 0;
}

// What steps are told apart by, over all completions.
class StepFigures {
 public:
  void add(const SteppedRecord& record, std::span<const double> rewards) {
    for (std::size_t step = 0; step < rewards.size(); ++step) {
      predicted_.push_back(sigmoid(rewards[step]));
      labels_.push_back(record.stepped.labels[step]);
      families_.push_back(record.family);
    }
    least_.push_back(std::ranges::min(rewards));
    right_.push_back(record.right());
  }

  void print(nlohmann::json& result) const {
    Accuracy own;
    Accuracy majority;
    const double most = majority_of(labels_);
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (labels_[i] != 0.5) {
        const double side = labels_[i] > 0.5 ? 1 : 0;
        own.add(families_[i], (predicted_[i] > 0.5 ? 1 : 0) == side ? 1 : 0);
        majority.add(families_[i], most == side ? 1 : 0);
      }
    }
    std::printf("%-26s %s\n%-26s %s\n", "steps", own.to_text("steps").c_str(), "the side of most steps",
                majority.to_text("steps").c_str());
    result["steps"] = own.to_json();
    result["steps of most"] = majority.to_json();
    result["completions"] = right_.size();
    result["auc"] = area_under_roc(least_, right_);
    const auto area = result["auc"].get<double>();
    if (std::isfinite(area)) {  // else all are right, or none is
      std::printf("%-26s %.3f of %zu completions\n", "AUC of the least step", area, right_.size());
    }
    print_rates(predicted_, labels_, "steps", result);
  }

 private:
  std::vector<double> predicted_;  // of all steps
  std::vector<double> labels_;
  std::vector<std::string> families_;
  std::vector<double> least_;  // of all completions
  std::vector<bool> right_;
};

// Figures of nothing would be no numbers.
nlohmann::json nothing_held_out() {
  std::printf("nothing held out (rm.dev_share): no figures\n");
  return nlohmann::json::object();
}

}  // namespace

nlohmann::json evaluate_reward_model(Policy& policy, std::span<const PairRecord> records, JudgeTokens tokens) {
  if (records.empty()) {
    return nothing_held_out();
  }
  PairFigures figures;
  for (const PairRecord& record : records) {
    if (record.pair.tie) {
      continue;
    }
    const std::vector<std::vector<std::int32_t>> both = {record.pair.chosen, record.pair.rejected};
    const std::vector<double> rewards = rewards_of_prompt(policy, record.pair.prompt, both, tokens);
    figures.add(record, rewards[0], rewards[1]);
  }
  nlohmann::json result = figures.print();
  print_calibration(figures.margins(), result);
  return result;
}

nlohmann::json evaluate_reward_model(Policy& policy, std::span<const RatedRecord> records, JudgeTokens tokens) {
  if (records.empty()) {
    return nothing_held_out();
  }
  ByPrompt<RatedRecord> prompts;
  for (const RatedRecord& record : records) {
    prompts[{record.prompt_id, record.rated.prompt}].push_back(&record);
  }
  PairFigures figures;
  std::vector<double> predicted;
  std::vector<double> rates;
  for (const auto& [prompt, completions] : prompts) {
    const std::vector<double> rewards = rewards_of(policy, completions, tokens);
    for (std::size_t i = 0; i < completions.size(); ++i) {
      predicted.push_back(sigmoid(rewards[i]));
      rates.push_back(completions[i]->rated.pass_rate);
      for (std::size_t j = 0; j < completions.size(); ++j) {
        if (completions[i]->rated.pass_rate > completions[j]->rated.pass_rate) {
          figures.add(pair_of(*completions[i], *completions[j]), rewards[i], rewards[j]);
        }
      }
    }
  }
  nlohmann::json result = figures.print();
  result["completions"] = rates.size();
  print_rates(predicted, rates, "completions", result);
  return result;
}

nlohmann::json evaluate_reward_model(Policy& policy, std::span<const SteppedRecord> records, JudgeTokens tokens) {
  if (records.empty()) {
    return nothing_held_out();
  }
  ByPrompt<SteppedRecord> prompts;
  for (const SteppedRecord& record : records) {
    prompts[{record.prompt_id, record.stepped.prompt}].push_back(&record);
  }
  PairFigures pairs;
  StepFigures steps;
  for (const auto& [prompt, completions] : prompts) {
    const std::vector<std::vector<double>> rewards = rewards_of(policy, completions, tokens);
    for (std::size_t i = 0; i < completions.size(); ++i) {
      steps.add(*completions[i], rewards[i]);
      for (std::size_t j = 0; j < completions.size(); ++j) {
        if (completions[i]->right() && !completions[j]->right()) {
          pairs.add(pair_of(*completions[i], *completions[j]), std::ranges::min(rewards[i]),
                    std::ranges::min(rewards[j]));
        }
      }
    }
  }
  nlohmann::json result = pairs.print();
  steps.print(result);
  return result;
}

MetricMap held_out_metrics(const nlohmann::json& figures) {
  MetricMap metrics;
  if (figures.contains("all")) {
    metrics["rm/accuracy"] = figures["all"]["accuracy"].get<double>();
    for (const char* name : {"mean", "p5", "p50", "p95"}) {
      metrics[fmt::format("rm/margin_{}", name)] = figures["margin"][name].get<double>();
    }
  }
  const bool rated = figures.contains("mse") && figures["completions"].get<std::size_t>() > 0;
  if (rated) {
    metrics["rm/mse"] = figures["mse"].get<double>();
  }
  if (rated && figures.contains("steps")) {
    metrics["rm/step_accuracy"] = figures["steps"]["accuracy"].get<double>();
    metrics["rm/auc"] = figures["auc"].get<double>();
  }
  if (rated || !metrics.empty()) {
    metrics["rm/ece"] = figures["ece"].get<double>();
  }
  return metrics;
}

}  // namespace plumb
