#include "apps/plumb/reward_families.h"

#include "core/rng.h"

namespace plumb {
namespace {

std::string without_last_part(const std::string& prompt_id) {
  return prompt_id.substr(0, prompt_id.rfind('/'));
}

bool ends_in_language(const std::string& prompt_id) {
  return prompt_id.ends_with("/python") || prompt_id.ends_with("/cpp");
}

}  // namespace

void RewardFamilies::add(const std::string& prompt_id, const std::string& family) {
  if (!family.empty()) {
    named_[prompt_id] = family;
  } else if (!ends_in_language(prompt_id)) {
    unnamed_.insert(prompt_id);
    shortened_.insert(without_last_part(prompt_id));
  }
}

std::string RewardFamilies::of(const std::string& prompt_id) const {
  if (const auto named = named_.find(prompt_id); named != named_.end()) {
    return named->second;
  }
  const std::string shorter = without_last_part(prompt_id);
  const bool of_all = unnamed_.size() > 1 && shortened_.size() == 1 && shortened_.contains(shorter);
  return of_all && !ends_in_language(prompt_id) ? prompt_id : shorter;
}

bool is_held_out(const std::string& family, double share) {
  // Through a stream: names that differ in their last letter alone have hashes that are near each other.
  return RngStream(RngPurpose::kData, 0, stable_hash("held out " + family)).uniform(0) < static_cast<float>(share);
}

}  // namespace plumb
