#pragma once
// The folder of an actor fleet, and the weights in it. Inside actor/processes.

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>

#include "core/result.h"
#include "policy/weight_set.h"

namespace plumb::internal {

/// Whether `path` has the name that FleetFolder gives.
bool is_fleet_folder(const std::string& path);

/// Owns the folder: it goes with this. A lock on it says that its owner is there, to processes of other namespaces too.
class FleetFolder {
 public:
  /// Makes one that this user alone can read, in /dev/shm if it has room for two sets of `bytes`, else in the temporary
  /// folder. What fleets of processes that are gone have left there is removed. Errors: it cannot be made.
  static Result<FleetFolder> make(std::int64_t bytes);
  FleetFolder(FleetFolder&& other) noexcept;
  FleetFolder& operator=(FleetFolder&& other) noexcept;
  ~FleetFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string weights_file(std::int64_t version) const;
  /// Errors: a full disk.
  Result<void> add(const WeightSet& weights);
  /// Removes what is older than `version`.
  void remove_before(std::int64_t version);

 private:
  FleetFolder() = default;
  std::string path_;
  int lock_ = -1;  // the folder's descriptor
  std::set<std::int64_t> versions_;
};

}  // namespace plumb::internal
