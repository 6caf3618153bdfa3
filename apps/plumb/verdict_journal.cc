#include "apps/plumb/verdict_journal.h"

#include "compiler_sandbox/evidence_cache.h"
#include "compiler_sandbox/evidence_json.h"

namespace plumb {

Result<std::unique_ptr<VerdictJournal>> VerdictJournal::open(const std::string& path, Judge& judge) {
  std::unique_ptr<VerdictJournal> journal(new VerdictJournal(judge));
  PLUMB_ASSIGN(journal->journal_,
               JsonJournal::open(path, "evidence", [&](const std::string& key, const auto& json) -> Result<void> {
                 PLUMB_ASSIGN(journal->known_[key], evidence_from_stored_json(json));
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
    journal_->add(key, stored_json(evidence));
  }
}

Result<void> VerdictJournal::status() const {
  const std::lock_guard lock(mutex_);
  return journal_->status();
}

}  // namespace plumb
