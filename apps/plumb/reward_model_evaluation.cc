#include "apps/plumb/reward_model_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include "eval/intervals.h"

namespace plumb {
namespace {

constexpr int kBins = 10;

// Accuracies over families: pairs of one prompt are alike, so the interval resamples families.
class Accuracy {
 public:
  void add(const std::string& family, double right) {
    auto& [sum, count] = families_[family];
    sum += right;
    ++count;
    sum_ += right;
    ++count_;
  }
  [[nodiscard]] double mean() const { return count_ == 0 ? std::nan("") : sum_ / static_cast<double>(count_); }
  [[nodiscard]] nlohmann::json to_json() const {
    std::vector<double> means;
    for (const auto& [family, sums] : families_) {
      means.push_back(sums.first / static_cast<double>(sums.second));
    }
    const Interval interval = bca_interval(means);
    return {{"accuracy", mean()}, {"low", interval.low}, {"high", interval.high}, {"pairs", count_}};
  }
  [[nodiscard]] std::string to_text() const {
    const nlohmann::json json = to_json();
    const auto end = [&](const char* key) { return json[key].is_number() ? json[key].get<double>() : std::nan(""); };
    return count_ == 0 ? "no pairs"
                       : fmt::format("{:.3f} [{:.3f}, {:.3f}] of {} pairs", mean(), end("low"), end("high"), count_);
  }

 private:
  std::map<std::string, std::pair<double, std::int64_t>> families_;
  double sum_ = 0;
  std::int64_t count_ = 0;
};

// Whether the first of two is to be preferred by a score: 1, 0, or 0.5 where it cannot tell.
double prefers(double chosen, double rejected) {
  return chosen > rejected ? 1 : chosen < rejected ? 0 : 0.5;
}

// What needs no model.
std::map<std::string, double> baselines(const PairRecord& record) {
  std::map<std::string, double> right;
  right["shorter"] =
      prefers(-static_cast<double>(record.pair.chosen.size()), -static_cast<double>(record.pair.rejected.size()));
  right["compiles"] = record.rejected_verdict == "CE" ? 1 : 0.5;
  if (std::isfinite(record.chosen_log_prob) && std::isfinite(record.rejected_log_prob)) {
    right["log_prob"] = prefers(record.chosen_log_prob, record.rejected_log_prob);
  }
  return right;
}

// What is said of pairs, one after the other.
class PairFigures {
 public:
  void add(const PairRecord& record, double chosen, double rejected) {
    margins_.push_back(chosen - rejected);
    const double right = prefers(chosen, rejected);
    const bool hard = is_hard(record);
    all_["all"].add(record.family, right);
    all_["verdict " + (record.rejected_verdict.empty() ? "none" : record.rejected_verdict)].add(record.family, right);
    if (hard) {
      all_["hard"].add(record.family, right);
    }
    for (const auto& [name, baseline] : baselines(record)) {
      all_["baseline: " + name].add(record.family, baseline);
      if (hard) {
        all_["baseline: " + name + ", hard"].add(record.family, baseline);
      }
    }
  }

  [[nodiscard]] const std::vector<double>& margins() const { return margins_; }

  [[nodiscard]] nlohmann::json print() const {
    nlohmann::json result = nlohmann::json::object();
    for (const auto& [name, accuracy] : all_) {
      std::printf("%-26s %s\n", name.c_str(), accuracy.to_text().c_str());
      result[name] = accuracy.to_json();
    }
    const MarginSummary margin = summary_of(margins_);
    std::printf("%-26s %.3f; 5, 50, 95 %%: %.3f, %.3f, %.3f\n", "margin", margin.mean, margin.p5, margin.p50,
                margin.p95);
    result["margin"] = {{"mean", margin.mean}, {"p5", margin.p5}, {"p50", margin.p50}, {"p95", margin.p95}};
    return result;
  }

 private:
  std::map<std::string, Accuracy> all_;
  std::vector<double> margins_;
};

void print_calibration(const Calibration& calibration, nlohmann::json& result) {
  std::printf("%-26s %.3f\n", "calibration error (ECE)", calibration.error);
  result["ece"] = calibration.error;
  for (const ReliabilityBin& bin : calibration.bins) {
    result["reliability"].push_back({{"confidence", bin.confidence}, {"accuracy", bin.accuracy}, {"count", bin.count}});
  }
}

// The rewards of completions of one prompt, some at a time: a prompt may have hundreds.
std::vector<double> rewards_of(Policy& policy, std::span<const RatedRecord* const> records, JudgeTokens tokens) {
  constexpr std::size_t kAtOnce = 16;
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

double mean_squared_difference(std::span<const double> predicted, std::span<const double> rates) {
  double sum = 0;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    sum += (predicted[i] - rates[i]) * (predicted[i] - rates[i]);
  }
  return rates.empty() ? std::nan("") : sum / static_cast<double>(rates.size());
}

}  // namespace

nlohmann::json evaluate_reward_model(Policy& policy, std::span<const PairRecord> records, JudgeTokens tokens) {
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
  print_calibration(calibration_of(figures.margins(), kBins), result);
  return result;
}

nlohmann::json evaluate_reward_model(Policy& policy, std::span<const RatedRecord> records, JudgeTokens tokens) {
  // Two files may give one id to different prompts.
  std::map<std::pair<std::string, std::vector<std::int32_t>>, std::vector<const RatedRecord*>> prompts;
  for (const RatedRecord& record : records) {
    prompts[{record.prompt_id, record.rated.prompt}].push_back(&record);
  }
  PairFigures figures;
  std::vector<double> predicted;
  std::vector<double> rates;
  for (const auto& [prompt, completions] : prompts) {
    const std::vector<double> rewards = rewards_of(policy, completions, tokens);
    for (std::size_t i = 0; i < completions.size(); ++i) {
      predicted.push_back(1 / (1 + std::exp(-rewards[i])));
      rates.push_back(completions[i]->rated.pass_rate);
      for (std::size_t j = 0; j < completions.size(); ++j) {
        if (completions[i]->rated.pass_rate > completions[j]->rated.pass_rate) {
          figures.add(pair_of(*completions[i], *completions[j]), rewards[i], rewards[j]);
        }
      }
    }
  }
  nlohmann::json result = figures.print();
  const double sum = std::accumulate(rates.begin(), rates.end(), 0.0);
  const std::vector<double> mean(rates.size(), sum / static_cast<double>(rates.size()));
  result["completions"] = rates.size();
  result["mse"] = mean_squared_difference(predicted, rates);
  result["mse_of_mean"] = mean_squared_difference(mean, rates);
  std::printf("%-26s %.4f of %zu completions (the mean pass rate: %.4f)\n", "mean squared error",
              result["mse"].get<double>(), rates.size(), result["mse_of_mean"].get<double>());
  print_calibration(calibration_of_rates(predicted, rates, kBins), result);
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
  if (rated || !metrics.empty()) {
    metrics["rm/ece"] = figures["ece"].get<double>();
  }
  return metrics;
}

}  // namespace plumb
