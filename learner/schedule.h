#pragma once
// Learning-rate schedules.

#include <cstdint>
#include <string>

namespace plumb {

enum class Decay {
  kConstant,
  kLinear,
  kCosine,
  kWsd,  // warm-up, stable, decay: constant, then linear over the last share of the updates. MiniCPM: Hu et al., 2024,
         // arXiv 2404.06395, section 4
};

struct Schedule {
  float peak = 1e-5F;
  std::int64_t warmup_steps = 0;  // rises linearly from peak / warmup_steps to peak over the first warmup_steps updates
  std::int64_t total_steps = 1;   // updates after which the decay has reached its end
  Decay decay = Decay::kConstant;
  float final_fraction = 0.0F;  // of peak, at total_steps
  float decay_share = 0.1F;     // kWsd: of the updates after the warm-up, at the end
};

/// The rate of update number `step` (the first is 0). Decays over the updates after the warm-up; at step = total_steps
/// and later it is peak * final_fraction.
float learning_rate(const Schedule& schedule, std::int64_t step);

}  // namespace plumb
