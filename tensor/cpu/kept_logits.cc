#include "tensor/kept_logits.h"

namespace plumb {

void mask_outside(const KeptSet& kept, std::int64_t first_id, std::span<float> logits) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!kept.keeps(logits[i], first_id + static_cast<std::int64_t>(i))) {
      logits[i] = kMaskedLogit;
    }
  }
}

}  // namespace plumb
