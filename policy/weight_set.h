#pragma once
// Weights on their way from a learner to an actor: one version, whole, and checked before a policy takes any of it.

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "policy/policy.h"

namespace plumb {

/// All master weights of one version.
struct WeightSet {
  std::int64_t version = 0;  // Policy::version() of the policy that they are of
  std::vector<NamedTensor> tensors;
  std::string checksum;  // weight_set_checksum() when it was taken
};

/// A copy of the policy's master weights, for a policy of this process: without a checksum.
WeightSet copy_weights(Policy& policy);

/// Puts copy_weights() of a policy of the same model and a newer version into `policy`, between two steps.
void adopt_weights(Policy& policy, const WeightSet& set);

/// copy_weights() with the checksum, to be sent.
WeightSet take_weight_set(Policy& policy);

/// SHA-256 over the version, and each tensor's name, shape and f32 bits in order: 64 hex digits.
std::string weight_set_checksum(const WeightSet& set);

/// Replaces the policy's master weights, which then has the version of the set; call it between two steps, as
/// KvCaches become stale. Errors, with the policy as it was: a version that is not newer than the policy's, a checksum
/// that does not fit, a value that is not finite, other tensors than the policy's.
Result<void> load_weight_set(Policy& policy, const WeightSet& set);

/// Writes the set, aside and renamed: 8 bytes "PLUMBWS1", the header's length (u64), a JSON header {"version",
/// "checksum", "tensors": [{"name", "shape"}]}, then the tensors' f32 values one after the other, all little-endian. A
/// set without a checksum gets one.
Result<void> write_weight_set(const std::string& path, const WeightSet& set);

/// Reads what write_weight_set() wrote. Errors name the file: not a weight set, cut short or with bytes to spare, a
/// checksum that does not fit.
Result<WeightSet> read_weight_set(const std::string& path);

}  // namespace plumb
