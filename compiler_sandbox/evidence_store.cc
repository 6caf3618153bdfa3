#include "compiler_sandbox/evidence_store.h"

#include <filesystem>
#include <utility>

#include "compiler_sandbox/evidence_json.h"
#include "core/atomic_file.h"
#include "core/hash.h"

namespace plumb {

Result<std::unique_ptr<EvidenceStore>> EvidenceStore::open(const std::string& folder, const std::string& identity) {
  const std::string own = folder + "/" + sha256_hex(identity).substr(0, 16);
  PLUMB_TRY(ensure_writable_folder(own));
  PLUMB_TRY(write_file_atomic(own + "/identity.txt", identity));
  return std::unique_ptr<EvidenceStore>(new EvidenceStore(own));
}

// Keys are hexadecimal digits; 256 folders keep each small.
std::string EvidenceStore::path_of(const std::string& key) const {
  return folder_ + "/" + key.substr(0, 2) + "/" + key.substr(2) + ".json";
}

std::optional<Evidence> EvidenceStore::find(const std::string& key) const {
  const auto text = read_file(path_of(key), std::uint64_t{16} << 20);
  if (!text) {
    return std::nullopt;
  }
  auto evidence = evidence_from_stored_json(nlohmann::json::parse(*text, nullptr, false));
  if (!evidence) {
    return std::nullopt;
  }
  evidence->cached = true;
  return std::move(*evidence);
}

void EvidenceStore::store(const std::string& key, const Evidence& evidence) const {
  if (evidence.verdict == Verdict::kSE || evidence.verdict == Verdict::kTLE) {
    return;
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_of(key)).parent_path(), error);
  static_cast<void>(write_file_atomic(path_of(key), stored_json(evidence).dump()).ok());
}

}  // namespace plumb
