#pragma once
// How a reward model's numbers are summed up: whether its confidence can be trusted, and how far it tells apart.

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

/// The probability whose log-odds (nats) are `x`.
inline double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

/// One bin of a reliability diagram: predictions of about the same confidence, and how often they were right.
struct ReliabilityBin {
  double confidence = 0;  // mean
  double accuracy = 0;
  std::int64_t count = 0;
};

/// How far confidence can be trusted: predictions sigmoid(margin) of margins (chosen - rejected) in bins of equal width
/// over [1/2, 1], where a negative margin is a wrong prediction of confidence sigmoid(-margin).
struct Calibration {
  std::vector<ReliabilityBin> bins;
  double error = 0;  // ECE: mean |confidence - accuracy|, weighted by count. Guo et al., 2017, arXiv 1706.04599
};
Calibration calibration_of(std::span<const double> margins, int num_bins);

/// The same of predicted pass rates (confidence) and what was passed (accuracy), in bins of equal width over [0, 1].
/// Both have the same length.
Calibration calibration_of_rates(std::span<const double> predicted, std::span<const double> rates, int num_bins);

/// How far chosen completions are ahead: the mean of margins (chosen - rejected) and quantiles of them, interpolated
/// linearly between order statistics. NaN without margins.
struct MarginSummary {
  double mean = 0;
  double p5 = 0;
  double p50 = 0;
  double p95 = 0;
};
MarginSummary summary_of(std::vector<double> margins);

/// The chance that a positive example scores above a negative one, equal scores counting half: the area under the ROC
/// curve. NaN where there are only positive or only negative ones. Both have the same length.
double area_under_roc(std::span<const double> scores, const std::vector<bool>& positive);

}  // namespace plumb
