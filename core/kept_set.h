#pragma once
// Which tokens truncated sampling (top-k, top-p, min-p, typical) left to draw from, so that the learner's probability
// is of the same distribution as the actor's.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace plumb {

/// Some tokens of a vocabulary, a bit for each.
class TokenSet {
 public:
  explicit TokenSet(std::size_t vocab_size) : words_((vocab_size + 63) / 64) {}
  /// Of the words of another.
  explicit TokenSet(std::vector<std::uint64_t> words) : words_(std::move(words)) {}
  void insert(std::size_t id) { words_[id / 64] |= std::uint64_t{1} << (id % 64); }
  [[nodiscard]] bool contains(std::size_t id) const { return (words_[id / 64] >> (id % 64) & 1) != 0; }
  [[nodiscard]] const std::vector<std::uint64_t>& words() const { return words_; }
  friend bool operator==(const TokenSet&, const TokenSet&) = default;

 private:
  std::vector<std::uint64_t> words_;
};

/// The tokens whose raw logit lies in [low, high]; of those that equal `low`, the ones with ids up to `low_last_id`.
/// Refers to the logits of the weights that the token was sampled with, and to no others: bits of logits are the same
/// in actor and learner under the same weights, and differ under others. With `ids` it is those tokens whatever their
/// logits are, and outlives the weights.
struct KeptSet {
  float low = -std::numeric_limits<float>::infinity();
  std::int32_t low_last_id = std::numeric_limits<std::int32_t>::max();
  float high = std::numeric_limits<float>::infinity();
  std::shared_ptr<const TokenSet> ids = nullptr;

  [[nodiscard]] bool keeps(float logit, std::int64_t id) const {
    return ids != nullptr ? ids->contains(static_cast<std::size_t>(id))
                          : (logit > low || (logit == low && id <= low_last_id)) && logit <= high;
  }
  [[nodiscard]] bool keeps_all() const { return *this == KeptSet{}; }
  friend bool operator==(const KeptSet& a, const KeptSet& b) {
    const bool same_ids = a.ids == b.ids || (a.ids != nullptr && b.ids != nullptr && *a.ids == *b.ids);
    return a.low == b.low && a.low_last_id == b.low_last_id && a.high == b.high && same_ids;
  }
};

}  // namespace plumb
