#pragma once
// Intervals for means over functions: the unit that is resampled is the function, never the sample, for samples of one
// function are alike. A difference of two models is taken per function first (paired).

#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

struct Interval {
  double mean = 0;
  double low = 0;
  double high = 0;
};

/// mean ± t(n-1) s / sqrt(n). Ends are NaN for fewer than two values.
Interval t_interval(std::span<const double> values, double confidence = 0.95);

/// Bias-corrected and accelerated bootstrap of the mean (Efron, "Better bootstrap confidence intervals", 1987). The
/// resamples come from RngStream(kBootstrap, seed): same values and seed, same bits. Equal values give an interval of
/// no width; fewer than two give NaN ends.
Interval bca_interval(std::span<const double> values, std::uint64_t seed = 1, double confidence = 0.95,
                      int resamples = 10000);

/// The same of sum(numerators) / sum(denominators), where a unit is one of each: a share of things that come in units
/// of unequal size. Denominators are above 0; both have the same length, a programmer error otherwise.
Interval bca_ratio_interval(std::span<const double> numerators, std::span<const double> denominators,
                            std::uint64_t seed = 1, double confidence = 0.95, int resamples = 10000);

/// after[i] - before[i]. Both have the same length, a programmer error otherwise.
std::vector<double> paired_differences(std::span<const double> before, std::span<const double> after);

/// Two-sided exact sign test: the chance of a split at least as uneven as (`ups`, `downs`) where both are as likely.
/// 1 where nothing changed.
double sign_test(int ups, int downs);

}  // namespace plumb
