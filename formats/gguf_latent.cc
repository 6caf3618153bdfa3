#include "formats/gguf_latent.h"

namespace plumb {
namespace {

// Where a number of the keys' half stands in the joined matrix and apart; the same for the values'.
template <typename Use>
void for_each_key(std::int64_t num_heads, const LatentAttention& latent, const Use& use) {
  const auto rank = static_cast<std::size_t>(latent.kv_rank);
  const auto nope = static_cast<std::size_t>(latent.nope_dim);
  const std::size_t rows = nope + static_cast<std::size_t>(latent.value_dim);
  for (std::size_t head = 0; head < static_cast<std::size_t>(num_heads); ++head) {
    for (std::size_t row = 0; row < nope; ++row) {
      for (std::size_t column = 0; column < rank; ++column) {
        use((head * rows + row) * rank + column, (head * rank + column) * nope + row);
      }
    }
  }
}

template <typename Use>
void for_each_value(std::int64_t num_heads, const LatentAttention& latent, const Use& use) {
  const auto nope = static_cast<std::size_t>(latent.nope_dim * latent.kv_rank);
  const auto size = static_cast<std::size_t>(latent.value_dim * latent.kv_rank);
  for (std::size_t head = 0; head < static_cast<std::size_t>(num_heads); ++head) {
    for (std::size_t i = 0; i < size; ++i) {
      use(head * (nope + size) + nope + i, head * size + i);
    }
  }
}

}  // namespace

std::vector<float> latent_keys(const std::vector<float>& joined, std::int64_t num_heads,
                               const LatentAttention& latent) {
  std::vector<float> keys(static_cast<std::size_t>(num_heads * latent.kv_rank * latent.nope_dim));
  for_each_key(num_heads, latent, [&](std::size_t whole, std::size_t apart) { keys[apart] = joined[whole]; });
  return keys;
}

std::vector<float> latent_values(const std::vector<float>& joined, std::int64_t num_heads,
                                 const LatentAttention& latent) {
  std::vector<float> values(static_cast<std::size_t>(num_heads * latent.kv_rank * latent.value_dim));
  for_each_value(num_heads, latent, [&](std::size_t whole, std::size_t apart) { values[apart] = joined[whole]; });
  return values;
}

std::vector<float> join_latent(const std::vector<float>& keys, const std::vector<float>& values, std::int64_t num_heads,
                               const LatentAttention& latent) {
  std::vector<float> joined(keys.size() + values.size());
  for_each_key(num_heads, latent, [&](std::size_t whole, std::size_t apart) { joined[whole] = keys[apart]; });
  for_each_value(num_heads, latent, [&](std::size_t whole, std::size_t apart) { joined[whole] = values[apart]; });
  return joined;
}

}  // namespace plumb
