#include "apps/plumb/verdict_journal.h"

#include "compiler_sandbox/evidence_cache.h"
#include "core/escape.h"

namespace plumb {
namespace {

Result<Verdict> verdict_of(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(Verdict::kSE); ++i) {
    if (to_string(static_cast<Verdict>(i)) == name) {
      return static_cast<Verdict>(i);
    }
  }
  return Error{"unknown verdict '" + name + "'"};
}

nlohmann::json diagnostics_to_json(const std::vector<Diagnostic>& diagnostics) {
  nlohmann::json array = nlohmann::json::array();
  for (const Diagnostic& diagnostic : diagnostics) {
    array.push_back({{"severity", diagnostic.severity},
                     {"message", json_safe(diagnostic.message)},
                     {"line", diagnostic.line},
                     {"column", diagnostic.column}});
  }
  return array;
}

nlohmann::json entry_of(const Evidence& evidence) {
  std::string tests;
  for (const Verdict verdict : evidence.tests) {
    tests += (tests.empty() ? "" : " ") + std::string(to_string(verdict));
  }
  return {{"verdict", to_string(evidence.verdict)},
          {"passed", evidence.passed},
          {"total", evidence.total},
          {"tests", tests},
          {"diagnostics", diagnostics_to_json(evidence.diagnostics)},
          {"output", json_safe(evidence.output)},
          {"cpu_s", evidence.cpu_s},
          {"wall_s", evidence.wall_s},
          {"peak_mib", evidence.peak_mib},
          {"isolation", evidence.isolation}};
}

Result<Evidence> evidence_of(const nlohmann::json& json) {
  try {
    Evidence evidence;
    PLUMB_ASSIGN(evidence.verdict, verdict_of(json.at("verdict").get<std::string>()));
    evidence.passed = json.at("passed").get<int>();
    evidence.total = json.at("total").get<int>();
    const auto tests = json.at("tests").get<std::string>();
    for (std::size_t begin = 0; begin < tests.size();) {
      const std::size_t end = std::min(tests.find(' ', begin), tests.size());
      PLUMB_ASSIGN(const Verdict verdict, verdict_of(tests.substr(begin, end - begin)));
      evidence.tests.push_back(verdict);
      begin = end + 1;
    }
    for (const nlohmann::json& each : json.at("diagnostics")) {
      PLUMB_ASSIGN(std::string message, bytes_from_json(each.at("message")));
      evidence.diagnostics.push_back({each.at("severity").get<std::string>(), std::move(message),
                                      each.at("line").get<int>(), each.at("column").get<int>()});
    }
    PLUMB_ASSIGN(evidence.output, bytes_from_json(json.at("output")));
    evidence.cpu_s = json.at("cpu_s").get<double>();
    evidence.wall_s = json.at("wall_s").get<double>();
    evidence.peak_mib = json.at("peak_mib").get<double>();
    evidence.isolation = json.at("isolation").get<std::string>();
    return evidence;
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("evidence: ") + error.what()};
  }
}

}  // namespace

Result<std::unique_ptr<VerdictJournal>> VerdictJournal::open(const std::string& path, Judge& judge) {
  std::unique_ptr<VerdictJournal> journal(new VerdictJournal(judge));
  PLUMB_ASSIGN(journal->journal_,
               JsonJournal::open(path, "evidence", [&](const std::string& key, const auto& json) -> Result<void> {
                 PLUMB_ASSIGN(journal->known_[key], evidence_of(json));
                 return Result<void>();
               }));
  return journal;
}

Evidence VerdictJournal::judge(const Submission& submission) {
  return judge_all({&submission, 1}).front();
}

std::vector<Evidence> VerdictJournal::judge_all(std::span<const Submission> submissions) {
  std::vector<Evidence> all(submissions.size());
  std::vector<std::string> keys;
  std::vector<Submission> unknown;
  std::vector<std::size_t> where;
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    keys.push_back(submission_key(submissions[i]));
    if (auto found = find(keys[i])) {
      all[i] = std::move(*found);
      all[i].cached = true;
    } else {
      unknown.push_back(submissions[i]);
      where.push_back(i);
    }
  }
  const std::vector<Evidence> fresh = judge_.judge_all(unknown);
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    store(keys[where[i]], fresh[i]);
    all[where[i]] = fresh[i];
  }
  return all;
}

std::optional<Evidence> VerdictJournal::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(key);
  return found == known_.end() ? std::nullopt : std::optional<Evidence>(found->second);
}

void VerdictJournal::store(const std::string& key, const Evidence& evidence) {
  if (evidence.verdict == Verdict::kSE) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (known_.emplace(key, evidence).second) {
    journal_->add(key, entry_of(evidence));
  }
}

Result<void> VerdictJournal::status() const {
  const std::lock_guard lock(mutex_);
  return journal_->status();
}

}  // namespace plumb
