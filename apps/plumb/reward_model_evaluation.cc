#include "apps/plumb/reward_model_evaluation.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <map>

#include "eval/intervals.h"

namespace plumb {
namespace {

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

}  // namespace

nlohmann::json evaluate_reward_model(Policy& policy, std::span<const PairRecord> records, JudgeTokens tokens) {
  std::map<std::string, Accuracy> all;
  std::vector<double> margins;
  for (const PairRecord& record : records) {
    if (record.pair.tie) {
      continue;
    }
    const std::vector<std::vector<std::int32_t>> both = {record.pair.chosen, record.pair.rejected};
    const std::vector<double> rewards = rewards_of_prompt(policy, record.pair.prompt, both, tokens);
    margins.push_back(rewards[0] - rewards[1]);
    const double right = prefers(rewards[0], rewards[1]);
    const bool hard = is_hard(record);
    all["all"].add(record.family, right);
    all["verdict " + (record.rejected_verdict.empty() ? "none" : record.rejected_verdict)].add(record.family, right);
    if (hard) {
      all["hard"].add(record.family, right);
    }
    for (const auto& [name, baseline] : baselines(record)) {
      all["baseline: " + name].add(record.family, baseline);
      if (hard) {
        all["baseline: " + name + ", hard"].add(record.family, baseline);
      }
    }
  }
  nlohmann::json result = nlohmann::json::object();
  for (const auto& [name, accuracy] : all) {
    std::printf("%-26s %s\n", name.c_str(), accuracy.to_text().c_str());
    result[name] = accuracy.to_json();
  }
  const Calibration calibration = calibration_of(margins, 10);
  std::printf("%-26s %.3f\n", "calibration error (ECE)", calibration.error);
  result["ece"] = calibration.error;
  for (const ReliabilityBin& bin : calibration.bins) {
    result["reliability"].push_back({{"confidence", bin.confidence}, {"accuracy", bin.accuracy}, {"count", bin.count}});
  }
  return result;
}

}  // namespace plumb
