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
  auto shared = std::make_shared<const std::string>(std::move(answer));
  const std::lock_guard lock(mutex_);
  if (!entries_.try_emplace(key, std::move(shared)).second) {
    return;
  }
  order_.push_back(key);
  if (order_.size() > capacity_) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
}

}  // namespace plumb
