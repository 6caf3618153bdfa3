#include "core/rng.h"

#include <cmath>
#include <numbers>

#include "core/check.h"

namespace plumb {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return hash;
}

namespace {

// Mixes one 64-bit word into a key (the finaliser of SplitMix64): every input bit reaches every key bit.
std::uint64_t mix(std::uint64_t state, std::uint64_t word) {
  std::uint64_t z = state + 0x9E3779B97F4A7C15ULL + word;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

RngStream::RngStream(RngPurpose purpose, std::uint64_t seed, std::uint64_t prompt_key, std::uint32_t draw,
                     std::uint32_t sample) {
  // The seed and the purpose make the key. The prompt is in the counter, as is (draw, sample): for fixed seed and
  // purpose, streams of different (draw, sample) of one prompt cannot overlap.
  const std::uint64_t key = mix(mix(mix(0, static_cast<std::uint64_t>(purpose)), seed), prompt_key >> 32);
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  counter_ = {static_cast<std::uint32_t>(prompt_key), draw, sample};
}

std::array<std::uint32_t, 4> RngStream::block(std::uint32_t position) const {
  return philox4x32({counter_[0], counter_[1], counter_[2], position}, key_);
}

std::uint32_t RngStream::bits(std::uint32_t position) const {
  return block(position)[0];
}

float RngStream::uniform(std::uint32_t position) const {
  return static_cast<float>(bits(position) >> 8) * 0x1.0p-24F;
}

double RngStream::uniform_double(std::uint32_t position) const {
  const auto words = block(position);
  const std::uint64_t wide = (static_cast<std::uint64_t>(words[0]) << 32) | words[1];
  return static_cast<double>(wide >> 11) * 0x1.0p-53;
}

std::uint64_t RngStream::below(std::uint64_t bound, std::uint32_t position) const {
  PLUMB_CHECK(bound > 0, "RngStream::below(0)");
  const auto words = block(position);
  const std::uint64_t wide = (static_cast<std::uint64_t>(words[0]) << 32) | words[1];
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(wide) * bound) >> 64);
}

double RngStream::normal(std::uint32_t position) const {
  const auto words = block(position);
  const double u = (static_cast<double>(words[0]) + 1.0) * 0x1.0p-32;  // (0, 1], so that log is finite
  const double v = static_cast<double>(words[1]) * 0x1.0p-32;
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

}  // namespace plumb
