#include "eval/intervals.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "core/rng.h"

namespace plumb {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Ratios of the sums of resamples with replacement, sorted.
std::vector<double> bootstrap_ratios(std::span<const double> numerators, std::span<const double> denominators,
                                     std::uint64_t seed, int resamples) {
  std::vector<double> ratios;
  ratios.reserve(static_cast<std::size_t>(resamples));
  for (int draw = 0; draw < resamples; ++draw) {
    const RngStream stream(RngPurpose::kBootstrap, seed, 0, static_cast<std::uint32_t>(draw));
    double above = 0;
    double below = 0;
    for (std::uint32_t i = 0; i < numerators.size(); ++i) {
      const std::size_t unit = stream.below(numerators.size(), i);
      above += numerators[unit];
      below += denominators[unit];
    }
    ratios.push_back(above / below);
  }
  std::sort(ratios.begin(), ratios.end());
  return ratios;
}

// The quantile of sorted values, linear between neighbours.
double quantile(const std::vector<double>& sorted, double probability) {
  const double place = std::clamp(probability, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// Share of resampled ratios below `ratio`; ties count half, since ratios of few distinct values often tie.
double share_below(const std::vector<double>& sorted, double ratio) {
  const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), ratio);
  const auto below = static_cast<double>(low - sorted.begin());
  const auto ties = static_cast<double>(high - low);
  return (below + ties / 2) / static_cast<double>(sorted.size());
}

// A sixth of the skewness of the jackknife ratios: of those without a unit, how far they are below their mean.
double acceleration(std::span<const double> numerators, std::span<const double> denominators) {
  const double above = std::accumulate(numerators.begin(), numerators.end(), 0.0);
  const double below = std::accumulate(denominators.begin(), denominators.end(), 0.0);
  std::vector<double> without;
  for (std::size_t i = 0; i < numerators.size(); ++i) {
    without.push_back((above - numerators[i]) / (below - denominators[i]));
  }
  const double mean = mean_of(without);
  double squares = 0;
  double cubes = 0;
  for (const double ratio : without) {
    squares += (mean - ratio) * (mean - ratio);
    cubes += (mean - ratio) * (mean - ratio) * (mean - ratio);
  }
  return squares > 0 ? cubes / (6 * std::pow(squares, 1.5)) : 0;
}

}  // namespace

Interval t_interval(std::span<const double> values, double confidence) {
  if (values.size() < 2) {
    return {values.empty() ? kNan : values[0], kNan, kNan};
  }
  const auto n = static_cast<double>(values.size());
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  const boost::math::students_t distribution(n - 1);
  const double reach = boost::math::quantile(distribution, (1 + confidence) / 2) * std::sqrt(squares / (n - 1) / n);
  return {mean, mean - reach, mean + reach};
}

Interval bca_interval(std::span<const double> values, std::uint64_t seed, double confidence, int resamples) {
  const std::vector<double> ones(values.size(), 1.0);
  return bca_ratio_interval(values, ones, seed, confidence, resamples);
}

Interval bca_ratio_interval(std::span<const double> numerators, std::span<const double> denominators,
                            std::uint64_t seed, double confidence, int resamples) {
  PLUMB_CHECK(resamples > 0, "a bootstrap needs resamples");
  PLUMB_CHECK(numerators.size() == denominators.size(), "a unit has a numerator and a denominator");
  if (numerators.size() < 2) {
    return {numerators.empty() ? kNan : numerators[0] / denominators[0], kNan, kNan};
  }
  const double ratio = std::accumulate(numerators.begin(), numerators.end(), 0.0) /
                       std::accumulate(denominators.begin(), denominators.end(), 0.0);
  bool alike = true;
  for (std::size_t i = 0; i < numerators.size(); ++i) {
    alike = alike && numerators[i] / denominators[i] == numerators[0] / denominators[0];
  }
  if (alike) {
    return {ratio, ratio, ratio};
  }
  const std::vector<double> ratios = bootstrap_ratios(numerators, denominators, seed, resamples);
  const boost::math::normal normal;
  const double half_step = 0.5 / static_cast<double>(resamples);
  const double bias = boost::math::quantile(normal, std::clamp(share_below(ratios, ratio), half_step, 1 - half_step));
  const double a = acceleration(numerators, denominators);
  const auto end = [&](double probability) {
    const double z = bias + boost::math::quantile(normal, probability);
    return quantile(ratios, boost::math::cdf(normal, bias + z / (1 - a * z)));
  };
  return {ratio, end((1 - confidence) / 2), end((1 + confidence) / 2)};
}

std::vector<double> paired_differences(std::span<const double> before, std::span<const double> after) {
  PLUMB_CHECK(before.size() == after.size(), "paired values come in pairs");
  std::vector<double> differences;
  for (std::size_t i = 0; i < before.size(); ++i) {
    differences.push_back(after[i] - before[i]);
  }
  return differences;
}

double sign_test(int ups, int downs) {
  PLUMB_CHECK(ups >= 0 && downs >= 0, "counts are not negative");
  if (ups + downs == 0) {
    return 1;
  }
  const boost::math::binomial fair(ups + downs, 0.5);
  return std::min(1.0, 2 * boost::math::cdf(fair, std::min(ups, downs)));
}

}  // namespace plumb
