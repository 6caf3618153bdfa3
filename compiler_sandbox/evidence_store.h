#pragma once
// Evidence on disk, for those who judge the same programs on another day: a file each, whole or absent.

#include <memory>
#include <optional>
#include <string>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// Evidence by key, in a folder that several processes may share. Safe to use from many threads.
class EvidenceStore {
 public:
  /// Opens or makes `folder`. `identity` is text that differs wherever evidence on the same submission may (tools,
  /// flags, isolation); each has a folder of its own below, with identity.txt in it. Errors: a folder that cannot be
  /// written.
  static Result<std::unique_ptr<EvidenceStore>> open(const std::string& folder, const std::string& identity);

  /// With `cached` set. What cannot be read counts as absent.
  [[nodiscard]] std::optional<Evidence> find(const std::string& key) const;
  /// Does nothing for SE, which is a fault of ours, and TLE, which a quicker machine might not give. A full disk loses
  /// no more than the evidence's being remembered.
  void store(const std::string& key, const Evidence& evidence) const;

 private:
  explicit EvidenceStore(std::string folder) : folder_(std::move(folder)) {}
  [[nodiscard]] std::string path_of(const std::string& key) const;

  std::string folder_;
};

}  // namespace plumb
