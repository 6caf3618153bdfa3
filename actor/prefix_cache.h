#pragma once
// Prompts that are in the cache already: a later prompt with the same beginning shares its pages.

#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <vector>

#include "policy/kv_cache.h"

namespace plumb {

/// Holds cached sequences under their tokens, for one KvCache and thus for one weight version: a new version gets a new
/// cache and a new PrefixCache. Least recently used first out.
class PrefixCache {
 public:
  explicit PrefixCache(KvCache& cache) : cache_(cache) {}

  struct Match {
    SequenceId sequence = 0;
    std::int64_t num_tokens = 0;
  };

  /// The sequence with the longest common beginning, in full pages, so that a fork of it costs none; at most
  /// tokens.size() - 1 tokens (the last one is computed again: its logits are wanted). Counts as a use.
  std::optional<Match> find(std::span<const std::int32_t> tokens);
  /// Takes over `sequence`, whose tokens these are; one that is held under the same tokens already is removed.
  void add(std::span<const std::int32_t> tokens, SequenceId sequence);
  /// Removes the sequence that was not used for longest. False: there is none.
  bool evict();

 private:
  struct Entry {
    std::vector<std::int32_t> tokens;
    SequenceId sequence = 0;
  };

  KvCache& cache_;
  std::list<Entry> entries_;  // last used first
};

}  // namespace plumb
