#pragma once
// The numbers that fix a transformer's shape, whatever file they came from.

#include "formats/hyperparameters.h"

namespace plumb {

/// What a policy is built from: everything that its forward pass depends on but the weights. Letters: docs/shapes.md.
using ModelConfig = Hyperparameters;

}  // namespace plumb
