#include "compiler_sandbox/evidence_cache.h"

#include <algorithm>

#include "core/hash.h"

namespace plumb {

std::string submission_key(const Submission& submission) {
  nlohmann::json types = nlohmann::json::array();
  for (const Parameter& parameter : submission.function.parameters) {
    types.push_back(parameter.type);
  }
  const Limits& limits = submission.limits;
  nlohmann::json all{to_string(submission.language),
                     submission.source,
                     submission.function.name,
                     types,
                     submission.function.returns,
                     submission.args,
                     submission.expected,
                     submission.stop_at_first_failure,
                     {limits.cpu_s, limits.wall_s, limits.memory_mib, limits.processes, limits.output_bytes,
                      limits.file_mib, limits.compile_cpu_s, limits.compile_wall_s, limits.compile_memory_mib}};
  if (!submission.program_language.empty()) {
    const Checker& checker = submission.checker;
    all.push_back({submission.program_language, checker.kind, checker.absolute, checker.relative, checker.language,
                   checker.source, submission.shown_output_bytes});
    for (const ProgramTest& test : submission.program_tests) {
      all.push_back({test.input, test.output});
    }
  }
  const std::vector<std::uint8_t> bytes = nlohmann::json::to_cbor(all);  // CBOR takes invalid UTF-8 as it is
  return sha256_hex(std::string(bytes.begin(), bytes.end()));
}

Evidence EvidenceCache::get(const std::string& key, const std::function<Evidence()>& examine) {
  std::promise<Evidence> promise;
  std::shared_future<Evidence> known;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = entries_.try_emplace(key);
    if (is_new) {
      place->second = promise.get_future().share();
      order_.push_back(key);
    } else {
      known = place->second;
    }
    if (order_.size() > capacity_) {
      entries_.erase(order_.front());
      order_.pop_front();
    }
  }
  if (known.valid()) {
    Evidence evidence = known.get();
    evidence.cached = true;
    return evidence;
  }
  Evidence evidence = examine();
  if (evidence.verdict == Verdict::kSE) {
    forget(key);
  }
  promise.set_value(evidence);
  return evidence;
}

void EvidenceCache::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  entries_.erase(key);
  std::erase(order_, key);
}

}  // namespace plumb
