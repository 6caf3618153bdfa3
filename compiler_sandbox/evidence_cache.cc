#include "compiler_sandbox/evidence_cache.h"

#include <optional>
#include <unordered_map>
#include <utility>

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
  if (!submission.suite.code.empty()) {
    all.push_back({submission.suite.code, submission.suite.helpers, submission.suite.functions});
  }
  if (submission.guessed_types) {
    all.push_back("guessed types");
  }
  if (!submission.program_language.empty()) {
    const Checker& checker = submission.checker;
    all.push_back({submission.program_language, checker.kind, checker.absolute, checker.relative, checker.language,
                   checker.source, submission.shown_output_bytes});
    for (const ProgramTest& test : submission.program_tests) {
      all.push_back({test.input, test.output});
    }
  }
  if (!submission.forbidden.empty()) {
    all.push_back({"forbidden", submission.forbidden});
  }
  const std::vector<std::uint8_t> bytes = nlohmann::json::to_cbor(all);  // CBOR takes invalid UTF-8 as it is
  return sha256_hex(std::string(bytes.begin(), bytes.end()));
}

namespace {

std::size_t size_of(const Evidence& evidence) {
  std::size_t bytes = sizeof(Evidence) + evidence.output.size() + evidence.errors.size() + evidence.isolation.size() +
                      evidence.tool_versions.size() + evidence.tests.size() * sizeof(Verdict);
  for (const Diagnostic& diagnostic : evidence.diagnostics) {
    bytes += sizeof(Diagnostic) + diagnostic.message.size() + diagnostic.file.size() + diagnostic.flag.size();
  }
  for (const StaticFinding& finding : evidence.findings) {
    bytes += sizeof(StaticFinding) + finding.rule.size() + finding.severity.size() + finding.message.size();
  }
  return bytes + 400;  // of the tables: two copies of the key, nodes, the future's shared state
}

}  // namespace

EqualSubmissions find_equal(std::span<const Submission> submissions) {
  EqualSubmissions equal;
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    const auto [place, is_new] = first.emplace(submission_key(submissions[i]), i);
    equal.same_as.push_back(place->second);
    if (is_new) {
      equal.different.push_back(i);
    }
  }
  return equal;
}

Evidence EvidenceCache::get(const std::string& key, const std::function<Evidence()>& examine,
                            const std::function<bool(const Evidence&)>& keeps) {
  std::promise<Evidence> promise;
  std::shared_future<Evidence> known;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = entries_.try_emplace(key);
    if (is_new) {
      place->second.evidence = promise.get_future().share();
    } else {
      known = place->second.evidence;
    }
  }
  if (known.valid()) {
    Evidence evidence = known.get();
    evidence.cached = true;
    return evidence;
  }
  std::optional<Evidence> stored = store_ != nullptr ? store_->find(key) : std::nullopt;
  Evidence evidence = stored ? std::move(*stored) : examine();
  if (evidence.verdict == Verdict::kSE || (keeps && !keeps(evidence))) {
    forget(key);
  } else {
    keep(key, size_of(evidence));
    if (store_ != nullptr && !evidence.cached) {
      store_->store(key, evidence);
    }
  }
  promise.set_value(evidence);
  return evidence;
}

void EvidenceCache::keep(const std::string& key, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  entries_[key].bytes = bytes;
  order_.push_back(key);
  bytes_ += bytes;
  while (bytes_ > max_bytes_) {
    const auto oldest = entries_.find(order_.front());
    bytes_ -= oldest->second.bytes;
    entries_.erase(oldest);
    order_.pop_front();
  }
}

void EvidenceCache::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  entries_.erase(key);
}

}  // namespace plumb
