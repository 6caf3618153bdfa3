#pragma once
// The policy that a divergence is measured to: a second set of weights that the optimizer does not move.

#include <cstdint>
#include <memory>
#include <vector>

#include "core/result.h"
#include "core/thread_pool.h"
#include "policy/policy.h"

namespace plumb {

enum class ReferenceKind : std::uint8_t {
  kNone,
  kFixed,      // the weights that training began with
  kRefreshed,  // replaced by the policy's every `every` steps. DeepSeek-R1, 2025, arXiv 2501.12948 (every 400)
  kEma,        // moved towards the policy's every `every` steps: ref += rate (pi - ref). TR-DPO: Gorbatovski et al.,
               // 2024, arXiv 2404.09656, eq. 3
};

struct ReferenceOptions {
  ReferenceKind kind = ReferenceKind::kNone;
  std::int64_t every = 400;
  float rate = 0.01F;
};

class ReferencePolicy {
 public:
  /// A copy of `policy`'s present weights, in its dtype, so that log-probs start bit-equal and the divergence at 0.
  /// Errors: as Policy::create().
  static Result<std::unique_ptr<ReferencePolicy>> create(Policy& policy, ThreadPool& pool,
                                                         const ReferenceOptions& options);

  Policy& policy() { return *reference_; }
  /// To be called after step number `step` (1-based): refreshes where that is due. Returns whether it moved.
  bool after_step(std::int64_t step, Policy& policy);
  /// Takes over a checkpoint's weights, one vector per parameter in the policy's order. Errors: other shapes.
  Result<void> restore(const std::vector<std::vector<float>>& values);

 private:
  ReferencePolicy(std::unique_ptr<Policy> reference, const ReferenceOptions& options)
      : reference_(std::move(reference)), options_(options) {}

  std::unique_ptr<Policy> reference_;
  ReferenceOptions options_;
};

}  // namespace plumb
