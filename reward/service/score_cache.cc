#include "reward/service/score_cache.h"

#include <utility>

#include "core/hash.h"

namespace plumb {

std::string ScoreCache::key(std::string_view settings, std::string_view question) {
  Sha256 hash;
  hash.update(std::to_string(kRuleVersion) + "\n" + std::to_string(settings.size()) + "\n");
  hash.update(settings);
  hash.update(question);
  return hash.hex();
}

std::shared_ptr<const std::string> ScoreCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second;
}

void ScoreCache::store(const std::string& key, std::string answer) {
  // Of the tables: two copies of the key, nodes, counters of the shared answer.
  const auto size_of = [](const std::string& text) { return text.size() + 350; };
  auto shared = std::make_shared<const std::string>(std::move(answer));
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = entries_.try_emplace(key, std::move(shared));
  if (!is_new) {
    return;
  }
  order_.push_back(key);
  bytes_ += size_of(*place->second);
  while (bytes_ > max_bytes_) {
    const auto oldest = entries_.find(order_.front());
    bytes_ -= size_of(*oldest->second);
    entries_.erase(oldest);
    order_.pop_front();
  }
}

}  // namespace plumb
