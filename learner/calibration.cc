#include "learner/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"

namespace plumb {
namespace {

// Bins of sums become bins of means.
void finish(Calibration& calibration, std::size_t num_predictions) {
  for (ReliabilityBin& bin : calibration.bins) {
    if (bin.count > 0) {
      bin.confidence /= static_cast<double>(bin.count);
      bin.accuracy /= static_cast<double>(bin.count);
      calibration.error += std::abs(bin.confidence - bin.accuracy) * static_cast<double>(bin.count) /
                           static_cast<double>(num_predictions);
    }
  }
}

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Calibration calibration_of(std::span<const double> margins, int num_bins) {
  Calibration calibration;
  calibration.bins.resize(static_cast<std::size_t>(num_bins));
  for (const double margin : margins) {
    const double confidence = sigmoid(std::abs(margin));
    const int at = static_cast<int>((confidence - 0.5) * 2 * num_bins);
    ReliabilityBin& bin = calibration.bins[static_cast<std::size_t>(std::min(at, num_bins - 1))];
    bin.confidence += confidence;
    bin.accuracy += margin > 0 ? 1 : 0;
    ++bin.count;
  }
  finish(calibration, margins.size());
  return calibration;
}

Calibration calibration_of_rates(std::span<const double> predicted, std::span<const double> rates, int num_bins) {
  PLUMB_CHECK(predicted.size() == rates.size(), "calibration_of_rates: as many rates as predictions");
  Calibration calibration;
  calibration.bins.resize(static_cast<std::size_t>(num_bins));
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const int at = std::min(static_cast<int>(predicted[i] * num_bins), num_bins - 1);
    ReliabilityBin& bin = calibration.bins[static_cast<std::size_t>(at)];
    bin.confidence += predicted[i];
    bin.accuracy += rates[i];
    ++bin.count;
  }
  finish(calibration, predicted.size());
  return calibration;
}

MarginSummary summary_of(std::vector<double> margins) {
  if (margins.empty()) {
    const double none = std::nan("");
    return {none, none, none, none};
  }
  const double sum = std::accumulate(margins.begin(), margins.end(), 0.0);
  std::ranges::sort(margins);
  return {sum / static_cast<double>(margins.size()), quantile(margins, 0.05), quantile(margins, 0.5),
          quantile(margins, 0.95)};
}

double area_under_roc(std::span<const double> scores, const std::vector<bool>& positive) {
  PLUMB_CHECK(scores.size() == positive.size(), "area_under_roc: a score of each example");
  std::vector<double> negatives;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!positive[i]) {
      negatives.push_back(scores[i]);
    }
  }
  std::ranges::sort(negatives);
  double above = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (positive[i]) {
      const auto equal = std::ranges::equal_range(negatives, scores[i]);
      above += static_cast<double>(equal.begin() - negatives.begin()) + static_cast<double>(equal.size()) / 2;
    }
  }
  return above / (static_cast<double>(negatives.size()) * static_cast<double>(scores.size() - negatives.size()));
}

}  // namespace plumb
