#include "core/lent_values.h"

#include <algorithm>

#include "core/check.h"
#include "core/machine.h"

namespace plumb {

void LentValues::add(std::span<const float> values) {
  places_.emplace(values.data(), parts_.size());
  parts_.push_back({values, {}, Stage::kWaiting});
}

std::span<const float> LentValues::begin(std::span<const float> values) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(values.data());
  PLUMB_CHECK(place != places_.end(), "values are written that were not added");
  Part& part = parts_[place->second];
  part.stage = Stage::kReading;
  return part.copy.empty() ? part.values : std::span<const float>(part.copy);
}

void LentValues::end(std::span<const float> values) {
  const std::lock_guard lock(mutex_);
  Part& part = parts_[places_.at(values.data())];
  part.stage = Stage::kDone;
  part.copy = {};
  changed_.notify_all();
}

std::vector<LentValues::Part*> LentValues::copied_parts() {
  std::vector<Part*> parts;
  std::uint64_t bytes = 0;
  for (Part& part : parts_) {
    if (part.stage == Stage::kWaiting && part.is_in_place()) {
      parts.push_back(&part);
      bytes += part.values.size_bytes();
    }
  }
  return bytes + spare_bytes_ <= read_memory_info().available_bytes ? parts : std::vector<Part*>();
}

void LentValues::detach() {
  std::unique_lock lock(mutex_);
  const std::vector<Part*> parts = copied_parts();
  pool_.parallel_for(std::ssize(parts), [&](std::int64_t i, int) {
    Part& part = *parts[static_cast<std::size_t>(i)];
    part.copy.assign(part.values.begin(), part.values.end());
  });
  changed_.wait(lock, [&] { return std::ranges::none_of(parts_, &Part::is_in_place); });
}

void LentValues::finish() {
  const std::lock_guard lock(mutex_);
  for (Part& part : parts_) {
    part.stage = Stage::kDone;
    part.copy = {};
  }
  changed_.notify_all();
}

}  // namespace plumb
