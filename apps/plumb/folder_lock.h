#pragma once
// One process at a time writes to a run folder.

#include <string>

#include "core/result.h"

namespace plumb {

/// An exclusive flock on run.lock of a folder. The kernel lets go of it when the process ends, however that goes, so
/// the file itself says nothing: it stays, with the number of the process that had it last. Processes that this one
/// starts do not inherit it.
class FolderLock {
 public:
  static constexpr const char* kFile = "run.lock";

  FolderLock() = default;
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;

  /// Errors: another process has it ("pid N is at work here"); the file cannot be opened. A file system without locks
  /// lets everybody in.
  static Result<FolderLock> take(const std::string& folder);
  [[nodiscard]] bool held() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

}  // namespace plumb
