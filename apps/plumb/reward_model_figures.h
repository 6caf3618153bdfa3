#pragma once
// The figures that an evaluation of a reward model is made of.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/plumb/reward_pairs.h"

namespace plumb {

/// A share of things (pairs, steps) of which some are right, with a 95 % interval for that share: what comes from one
/// family is alike, so the interval resamples families, each with all its things.
class Accuracy {
 public:
  /// 1, 0, or 0.5 where it cannot be told.
  void add(const std::string& family, double right);
  [[nodiscard]] double mean() const;  // NaN of nothing
  /// {"accuracy", "low", "high", "pairs": how many}.
  [[nodiscard]] nlohmann::json to_json() const;
  /// "0.750 [0.600, 0.900] of 8 pairs"; `things` names them.
  [[nodiscard]] std::string to_text(const char* things = "pairs") const;

 private:
  struct Tally {
    double right = 0;
    double all = 0;
  };
  std::map<std::string, Tally> families_;
  Tally whole_;
};

/// What is said of pairs, one after the other.
class PairFigures {
 public:
  void add(const PairRecord& record, double chosen, double rejected);
  [[nodiscard]] const std::vector<double>& margins() const { return margins_; }
  /// Prints accuracies and margins, and returns them as JSON (docs/records.md, reward_model.json).
  [[nodiscard]] nlohmann::json print() const;

 private:
  std::map<std::string, Accuracy> all_;
  std::vector<double> margins_;
};

/// The calibration of margins (chosen - rejected): printed, and put into `result` with its bins.
void print_calibration(std::span<const double> margins, nlohmann::json& result);

/// The mean squared error of predicted rates, that of always saying the mean rate, and the calibration: printed, and
/// put into `result`. `things` are what has a rate: "completions", "steps".
void print_rates(std::span<const double> predicted, std::span<const double> rates, const char* things,
                 nlohmann::json& result);

}  // namespace plumb
