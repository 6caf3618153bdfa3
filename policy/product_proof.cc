#include "policy/product_proof.h"

#include <fmt/format.h>

namespace plumb {

std::string describe(const ProductProof& proof) {
  return fmt::format("{} {} x {}: {} tiles proven, {} pinned; highest tile {} rows", proof.name, proof.rows_i,
                     proof.columns_j, proof.trials.proven, proof.trials.pinned, proof.trials.highest);
}

}  // namespace plumb
