#pragma once
// Counter-based randomness (Philox4x32-10; Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC'11). A number is a pure function of (key, counter): no state is shared, so neither thread count nor arrival order
// can change it. There is no global generator in plumb, and no std distribution in anything that is replayed.

#include <array>
#include <cstdint>
#include <string_view>

namespace plumb {

/// What a stream of random numbers is for. Streams of different purposes never meet, whatever their other keys.
enum class RngPurpose : std::uint32_t { kSampling = 1, kEvaluation = 2, kData = 3, kInit = 4, kBootstrap = 5 };

/// The ten-round Philox4x32 block function: 128 counter bits and 64 key bits to 128 random bits.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// 64-bit FNV-1a of `text`: a stable name-to-key map (ids of prompts become keys through it). Not cryptographic.
std::uint64_t stable_hash(std::string_view text);

/// One stream, keyed by (purpose, run seed, prompt id, draw number, sample index); `position` picks the number.
/// A plain value: copying it is free and a copy yields the same numbers.
class RngStream {
 public:
  RngStream(RngPurpose purpose, std::uint64_t seed, std::uint64_t prompt_key = 0, std::uint32_t draw = 0,
            std::uint32_t sample = 0);

  /// 32 uniform bits at `position`.
  [[nodiscard]] std::uint32_t bits(std::uint32_t position) const;
  /// A float uniform in [0, 1) with 24 bits, at `position`.
  [[nodiscard]] float uniform(std::uint32_t position) const;
  /// A double uniform in [0, 1) with 53 bits, at `position`.
  [[nodiscard]] double uniform_double(std::uint32_t position) const;
  /// An integer uniform in [0, bound), bound > 0, without modulo bias beyond 2^-64.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound, std::uint32_t position) const;
  /// A standard normal value (Box-Muller on two words of the block), at `position`.
  [[nodiscard]] double normal(std::uint32_t position) const;

 private:
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint32_t position) const;

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 3> counter_;  // the fourth counter word is the position
};

/// Fisher-Yates with `stream`: the same permutation for the same stream on every platform.
template <typename Container>
void shuffle(Container& items, const RngStream& stream) {
  using std::swap;
  for (std::size_t i = items.size(); i > 1; --i) {
    swap(items[i - 1], items[stream.below(i, static_cast<std::uint32_t>(i))]);
  }
}

}  // namespace plumb
