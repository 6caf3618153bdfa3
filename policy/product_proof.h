#pragma once
// What a trial showed of a policy's products, for doctor and benchmarks.

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/linear.h"

namespace plumb {

/// A kind of product, x [T, I] times B [I, J], and its trials.
struct ProductProof {
  std::string name;  // "qkv", "head", "down, backward", ...
  std::int64_t rows_i = 0;
  std::int64_t columns_j = 0;
  TrialCounts trials;
};

/// One line: "qkv 576 x 960: 24 tiles proven, 0 pinned; ...".
std::string describe(const ProductProof& proof);

}  // namespace plumb
