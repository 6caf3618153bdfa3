#include "learner/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace plumb {

float learning_rate(const Schedule& schedule, std::int64_t step) {
  if (step < schedule.warmup_steps) {
    return schedule.peak * static_cast<float>(step + 1) / static_cast<float>(schedule.warmup_steps);
  }
  const double span = static_cast<double>(std::max<std::int64_t>(1, schedule.total_steps - schedule.warmup_steps));
  const double progress = std::clamp(static_cast<double>(step - schedule.warmup_steps) / span, 0.0, 1.0);
  double remaining = 1.0;
  if (schedule.decay == Decay::kLinear) {
    remaining = 1.0 - progress;
  } else if (schedule.decay == Decay::kCosine) {
    remaining = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  } else if (schedule.decay == Decay::kWsd) {
    const double share = std::max(1e-9, static_cast<double>(schedule.decay_share));
    remaining = std::min(1.0, (1.0 - progress) / share);
  }
  const double floor = static_cast<double>(schedule.final_fraction);
  return static_cast<float>(static_cast<double>(schedule.peak) * (floor + (1.0 - floor) * remaining));
}

}  // namespace plumb
