#include "actor/prefix_cache.h"

#include <algorithm>

namespace plumb {

std::optional<PrefixCache::Match> PrefixCache::find(std::span<const std::int32_t> tokens) {
  auto best = entries_.end();
  std::int64_t longest = 0;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const auto differs = std::mismatch(tokens.begin(), tokens.end(), entry->tokens.begin(), entry->tokens.end()).first;
    const auto common = std::min<std::int64_t>(differs - tokens.begin(), static_cast<std::int64_t>(tokens.size()) - 1);
    if (common > longest) {
      longest = common;
      best = entry;
    }
  }
  longest -= longest % cache_.page_tokens();
  if (best == entries_.end() || longest == 0) {
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, best);
  return Match{best->sequence, longest};
}

void PrefixCache::add(std::span<const std::int32_t> tokens, SequenceId sequence) {
  const auto same = std::find_if(entries_.begin(), entries_.end(),
                                 [&](const Entry& entry) { return std::ranges::equal(entry.tokens, tokens); });
  if (same != entries_.end()) {
    cache_.remove(same->sequence);
    entries_.erase(same);
  }
  entries_.push_front({{tokens.begin(), tokens.end()}, sequence});
}

bool PrefixCache::evict() {
  if (entries_.empty()) {
    return false;
  }
  cache_.remove(entries_.back().sequence);
  entries_.pop_back();
  return true;
}

}  // namespace plumb
