#include "policy/product_proof.h"

#include <fmt/format.h>

namespace plumb {

std::string describe(const ProductProof& proof) {
  const TrialCounts& trials = proof.trials;
  return fmt::format("{} {} x {}: {} tiles proven, {} pinned; highest tile {} rows; unpadded up to {} rows", proof.name,
                     proof.rows_i, proof.columns_j, trials.proven, trials.pinned, trials.highest, trials.thin_rows);
}

}  // namespace plumb
