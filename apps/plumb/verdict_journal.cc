#include "apps/plumb/verdict_journal.h"

#include "compiler_sandbox/evidence_cache.h"
#include "compiler_sandbox/evidence_json.h"

namespace plumb {

Result<std::unique_ptr<VerdictJournal>> VerdictJournal::open(const std::string& path, Judge& judge) {
  JournalKind kind{"evidence",
                   "then all that it holds is judged again, and a program that behaves differently on another day gets "
                   "another verdict",
                   [](const nlohmann::json& json) -> Result<void> {
                     PLUMB_TRY(evidence_from_stored_json(json));
                     return {};
                   }};
  PLUMB_ASSIGN(auto journal, JsonJournal::open(path, std::move(kind)));
  return std::unique_ptr<VerdictJournal>(new VerdictJournal(judge, std::move(journal)));
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
    if (fresh[i].verdict != Verdict::kSE) {
      journal_->add(keys[where[i]], stored_json(fresh[i]));
    }
    all[where[i]] = fresh[i];
  }
  return all;
}

std::optional<Evidence> VerdictJournal::find(const std::string& key) const {
  const auto json = journal_->find(key);
  if (!json) {
    return std::nullopt;
  }
  auto evidence = evidence_from_stored_json(*json);
  return evidence ? std::optional<Evidence>(std::move(*evidence)) : std::nullopt;
}

}  // namespace plumb
