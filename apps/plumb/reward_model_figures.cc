#include "apps/plumb/reward_model_figures.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <numeric>

#include "apps/plumb/reward_pair_facts.h"
#include "eval/intervals.h"
#include "learner/calibration.h"

namespace plumb {
namespace {

constexpr int kBins = 10;

// Whether the first of two is to be preferred by a score: 1, 0, or 0.5 where it cannot tell.
double prefers(double chosen, double rejected) {
  return chosen > rejected ? 1 : chosen < rejected ? 0 : 0.5;
}

// What needs no model.
std::map<std::string, double> baselines(const PairRecord& record) {
  std::map<std::string, double> right;
  right["shorter"] =
      prefers(-static_cast<double>(record.pair.chosen.size()), -static_cast<double>(record.pair.rejected.size()));
  right["compiles"] = lacks_program(record) ? 1 : 0.5;
  if (std::isfinite(record.chosen_log_prob) && std::isfinite(record.rejected_log_prob)) {
    right["log_prob"] = prefers(record.chosen_log_prob, record.rejected_log_prob);
  }
  return right;
}

double mean_squared_difference(std::span<const double> predicted, std::span<const double> rates) {
  double sum = 0;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    sum += (predicted[i] - rates[i]) * (predicted[i] - rates[i]);
  }
  return rates.empty() ? std::nan("") : sum / static_cast<double>(rates.size());
}

void print_bins(const Calibration& calibration, nlohmann::json& result) {
  std::printf("%-26s %.3f\n", "calibration error (ECE)", calibration.error);
  result["ece"] = calibration.error;
  for (const ReliabilityBin& bin : calibration.bins) {
    result["reliability"].push_back({{"confidence", bin.confidence}, {"accuracy", bin.accuracy}, {"count", bin.count}});
  }
}

}  // namespace

void Accuracy::add(const std::string& family, double right) {
  Tally& tally = families_[family];
  tally = {tally.right + right, tally.all + 1};
  whole_ = {whole_.right + right, whole_.all + 1};
}

double Accuracy::mean() const {
  return whole_.all == 0 ? std::nan("") : whole_.right / whole_.all;
}

nlohmann::json Accuracy::to_json() const {
  std::vector<double> right;
  std::vector<double> all;
  for (const auto& [family, tally] : families_) {
    right.push_back(tally.right);
    all.push_back(tally.all);
  }
  const Interval interval = bca_ratio_interval(right, all);
  return {{"accuracy", mean()},
          {"low", interval.low},
          {"high", interval.high},
          {"pairs", static_cast<std::int64_t>(whole_.all)}};
}

std::string Accuracy::to_text(const char* things) const {
  const nlohmann::json json = to_json();
  const auto end = [&](const char* key) { return json[key].is_number() ? json[key].get<double>() : std::nan(""); };
  if (whole_.all == 0) {
    return fmt::format("no {}", things);
  }
  const bool bounded = std::isfinite(end("low")) && std::isfinite(end("high"));
  return fmt::format(
      "{:.3f} {} of {:.0f} {}", mean(),
      bounded ? fmt::format("[{:.3f}, {:.3f}]", end("low"), end("high")) : "(too few families for an interval)",
      whole_.all, things);
}

void PairFigures::add(const PairRecord& record, double chosen, double rejected) {
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

nlohmann::json PairFigures::print() const {
  nlohmann::json result = nlohmann::json::object();
  const bool code = all_.contains("verdict CE");  // elsewhere all compile, or nothing is a program
  for (const auto& [name, accuracy] : all_) {
    if (code || !name.starts_with("baseline: compiles")) {
      std::printf("%-26s %s\n", name.c_str(), accuracy.to_text().c_str());
    }
    result[name] = accuracy.to_json();
  }
  if (margins_.empty()) {
    std::printf("%-26s none: no prompt has a better and a worse completion\n", "pairs");
    return result;
  }
  const MarginSummary margin = summary_of(margins_);
  std::printf("%-26s %.3f; 5, 50, 95 %%: %.3f, %.3f, %.3f\n", "margin", margin.mean, margin.p5, margin.p50, margin.p95);
  result["margin"] = {{"mean", margin.mean}, {"p5", margin.p5}, {"p50", margin.p50}, {"p95", margin.p95}};
  return result;
}

void print_calibration(std::span<const double> margins, nlohmann::json& result) {
  if (margins.empty()) {  // of nothing an error of 0 would be a claim
    return;
  }
  print_bins(calibration_of(margins, kBins), result);
}

void print_rates(std::span<const double> predicted, std::span<const double> rates, const char* things,
                 nlohmann::json& result) {
  const double sum = std::accumulate(rates.begin(), rates.end(), 0.0);
  const std::vector<double> mean(rates.size(), sum / static_cast<double>(rates.size()));
  result["mse"] = mean_squared_difference(predicted, rates);
  result["mse_of_mean"] = mean_squared_difference(mean, rates);
  std::printf("%-26s %.4f of %zu %s (their mean: %.4f)\n", "mean squared error", result["mse"].get<double>(),
              rates.size(), things, result["mse_of_mean"].get<double>());
  print_bins(calibration_of_rates(predicted, rates, kBins), result);
}

}  // namespace plumb
