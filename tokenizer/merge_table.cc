#include "tokenizer/merge_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <iterator>
#include <limits>
#include <queue>
#include <tuple>
#include <utility>

namespace plumb {
namespace {

// Up to this length scanning for the best pair beats keeping a heap.
constexpr std::size_t kShort = 64;
constexpr std::int32_t kNoRank = std::numeric_limits<std::int32_t>::max();

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

void MergeTable::reserve(std::size_t count) {
  const std::size_t wanted = std::bit_ceil(2 * count + 2);
  if (wanted <= slots_.size()) {
    return;
  }
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(wanted));
  for (const Slot& slot : old) {
    if (slot.pair != kEmpty) {
      slots_[place(slot.pair)] = slot;
    }
  }
}

// Where `pair` stands or would stand.
std::size_t MergeTable::place(std::uint64_t pair) const {
  const std::size_t mask = slots_.size() - 1;
  std::uint64_t mixed = pair * 0x9E3779B97F4A7C15U;
  mixed ^= mixed >> 32;
  std::size_t at = mixed & mask;
  while (slots_[at].pair != pair && slots_[at].pair != kEmpty) {
    at = (at + 1) & mask;
  }
  return at;
}

void MergeTable::add(std::int32_t left, std::int32_t right, std::int32_t merged) {
  reserve(size_ + 1);
  Slot& slot = slots_[place(pair_key(left, right))];
  size_ += slot.pair == kEmpty ? 1 : 0;
  slot = {pair_key(left, right), next_rank_++, merged};
}

const MergeTable::Slot* MergeTable::find(std::int32_t left, std::int32_t right) const {
  const Slot& slot = slots_[place(pair_key(left, right))];
  return slot.pair == kEmpty ? nullptr : &slot;
}

void MergeTable::apply(std::vector<std::int32_t>& ids, std::size_t first) const {
  const std::size_t count = ids.size() - first;
  if (count > kShort) {
    apply_long(ids, first);
  } else if (count > 1) {
    apply_short(ids, first);
  }
}

// Each pair's rank and result are kept, so that a merge asks the table for the two pairs beside it only.
void MergeTable::apply_short(std::vector<std::int32_t>& ids, std::size_t first) const {
  std::int32_t* const id = ids.data() + first;
  std::size_t count = ids.size() - first;
  std::array<std::int32_t, kShort> rank;    // of the pair that begins here
  std::array<std::int32_t, kShort> merged;  // and what it becomes
  const auto ask = [&](std::size_t i) {
    const Slot* slot = i + 1 < count ? find(id[i], id[i + 1]) : nullptr;
    rank[i] = slot == nullptr ? kNoRank : slot->rank;
    merged[i] = slot == nullptr ? 0 : slot->merged;
  };
  for (std::size_t i = 0; i < count; ++i) {
    ask(i);
  }
  while (true) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      best = rank[i] < rank[best] ? i : best;
    }
    if (rank[best] == kNoRank) {
      break;
    }
    id[best] = merged[best];
    --count;
    for (std::size_t i = best + 1; i < count; ++i) {
      id[i] = id[i + 1];
      rank[i] = rank[i + 1];
      merged[i] = merged[i + 1];
    }
    ask(best);
    if (best > 0) {
      ask(best - 1);
    }
  }
  ids.resize(first + count);
}

// The symbols are a doubly linked list in place; a candidate in the heap is stale once either of its symbols changed.
void MergeTable::apply_long(std::vector<std::int32_t>& all, std::size_t first) const {
  constexpr std::int32_t kGone = -1;
  std::vector<std::int32_t> ids(all.begin() + static_cast<std::ptrdiff_t>(first), all.end());
  const auto size = static_cast<std::ptrdiff_t>(ids.size());
  std::vector<std::ptrdiff_t> next(ids.size());
  std::vector<std::ptrdiff_t> previous(ids.size());
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    next[static_cast<std::size_t>(i)] = i + 1;
    previous[static_cast<std::size_t>(i)] = i - 1;
  }
  const auto id_at = [&](std::ptrdiff_t at) -> std::int32_t& { return ids[static_cast<std::size_t>(at)]; };
  using Candidate = std::tuple<std::int32_t, std::ptrdiff_t, std::int32_t, std::int32_t>;  // rank, place, left, right
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap;
  const auto consider = [&](std::ptrdiff_t at) {
    const std::ptrdiff_t after = at < 0 ? size : next[static_cast<std::size_t>(at)];
    if (after < size) {
      if (const Slot* merge = find(id_at(at), id_at(after))) {
        heap.emplace(merge->rank, at, id_at(at), id_at(after));
      }
    }
  };
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    consider(i);
  }
  while (!heap.empty()) {
    const auto [rank, at, left, right] = heap.top();
    heap.pop();
    const std::ptrdiff_t after = next[static_cast<std::size_t>(at)];
    if (id_at(at) != left || after >= size || id_at(after) != right) {
      continue;
    }
    id_at(at) = find(left, right)->merged;
    id_at(after) = kGone;
    const std::ptrdiff_t following = next[static_cast<std::size_t>(after)];
    next[static_cast<std::size_t>(at)] = following;
    if (following < size) {
      previous[static_cast<std::size_t>(following)] = at;
    }
    consider(previous[static_cast<std::size_t>(at)]);
    consider(at);
  }
  all.resize(first);
  std::ranges::copy_if(ids, std::back_inserter(all), [](std::int32_t id) { return id != kGone; });
}

}  // namespace plumb
