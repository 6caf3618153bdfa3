#include "formats/hyperparameters.h"

#include <array>
#include <cmath>
#include <utility>

namespace plumb {

Result<void> check_hyperparameters(const Hyperparameters& h) {
  const std::array<std::pair<const char*, std::int64_t>, 8> counts = {{{"number of layers", h.num_layers},
                                                                       {"hidden size", h.hidden_size},
                                                                       {"number of heads", h.num_heads},
                                                                       {"number of key/value heads", h.num_kv_heads},
                                                                       {"head dimension", h.head_dim},
                                                                       {"intermediate size", h.intermediate_size},
                                                                       {"vocabulary size", h.vocab_size},
                                                                       {"context length", h.max_positions}}};
  for (const auto& [name, count] : counts) {
    if (count <= 0 || count >= (std::int64_t{1} << 31)) {
      return Error{std::string("the ") + name + " must lie between 1 and 2^31 - 1, found " + std::to_string(count)};
    }
  }
  if (h.num_heads % h.num_kv_heads != 0) {
    return Error{"the number of key/value heads (" + std::to_string(h.num_kv_heads) +
                 ") must divide the number of heads (" + std::to_string(h.num_heads) + ")"};
  }
  if (h.head_dim % 2 != 0) {
    return Error{"the head dimension must be even for rotary positions, found " + std::to_string(h.head_dim)};
  }
  if (!std::isfinite(h.rope_theta) || h.rope_theta <= 0) {
    return Error{"the rotary base must be positive and finite, found " + std::to_string(h.rope_theta)};
  }
  if (!std::isfinite(h.rms_norm_eps) || h.rms_norm_eps < 0) {
    return Error{"the RMS norm epsilon must be finite and not negative, found " + std::to_string(h.rms_norm_eps)};
  }
  return {};
}

}  // namespace plumb
