#include "core/key_places.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

#include "core/rng.h"

namespace plumb {

void KeyPlaces::add(std::string_view key, std::uint64_t place) {
  // At most 4/5 full, so that a search ends after a few slots; half as many again when it grows.
  if (5 * (size_ + 1) > 4 * slots_.size()) {
    const std::vector<Slot> before =
        std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(64, size_ * 15 / 8)));
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i].place_and_one != 0) {
        put(before[i]);
      }
    }
  }
  put({stable_hash(key), place + 1});
  ++size_;
}

void KeyPlaces::put(const Slot& entry) {
  std::size_t at = entry.hash % slots_.size();
  while (slots_[at].place_and_one != 0) {
    at = (at + 1) % slots_.size();
  }
  slots_[at] = entry;
}

std::vector<std::uint64_t> KeyPlaces::find(std::string_view key) const {
  std::vector<std::uint64_t> places;
  if (slots_.empty()) {
    return places;
  }
  const std::uint64_t hash = stable_hash(key);
  for (std::size_t at = hash % slots_.size(); slots_[at].place_and_one != 0; at = (at + 1) % slots_.size()) {
    if (slots_[at].hash == hash) {
      places.push_back(slots_[at].place_and_one - 1);
    }
  }
  std::ranges::sort(places, std::greater<>());  // a file only grows: later is further on
  return places;
}

}  // namespace plumb
