#include "tokenizer/merge_table.h"

#include <cstddef>
#include <queue>
#include <tuple>

namespace plumb {
namespace {

// Up to this length scanning for the best pair beats keeping a heap.
constexpr std::size_t kShort = 32;

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

void MergeTable::add(std::int32_t left, std::int32_t right, std::int32_t merged) {
  const auto rank = static_cast<std::int32_t>(merges_.size());
  merges_.emplace(pair_key(left, right), Merge{rank, merged});
}

const MergeTable::Merge* MergeTable::find(std::int32_t left, std::int32_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void MergeTable::apply(std::vector<std::int32_t>& ids) const {
  if (ids.size() <= kShort) {
    apply_short(ids);
  } else {
    apply_long(ids);
  }
}

void MergeTable::apply_short(std::vector<std::int32_t>& ids) const {
  while (ids.size() > 1) {
    const Merge* best = nullptr;
    std::size_t best_at = 0;
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const Merge* merge = find(ids[i], ids[i + 1]);
      if (merge != nullptr && (best == nullptr || merge->rank < best->rank)) {
        best = merge;
        best_at = i;
      }
    }
    if (best == nullptr) {
      return;
    }
    ids[best_at] = best->merged;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

// The symbols are a doubly linked list in place; a candidate in the heap is stale once either of its symbols changed.
void MergeTable::apply_long(std::vector<std::int32_t>& ids) const {
  constexpr std::int32_t kGone = -1;
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
      if (const Merge* merge = find(id_at(at), id_at(after))) {
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
  std::erase(ids, kGone);
}

}  // namespace plumb
