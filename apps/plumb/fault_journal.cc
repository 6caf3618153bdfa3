#include "apps/plumb/fault_journal.h"

#include <vector>

#include "compiler_sandbox/evidence_json.h"
#include "core/escape.h"
#include "core/hash.h"

namespace plumb {
namespace {

FaultPlace place_of(const std::string& visit, const CompletionGroup& group, std::size_t index) {
  return {visit, group.prompt->id, group.draw, index, group.completions[index].text};
}

std::string key_of(const FaultPlace& place) {
  const nlohmann::json all{place.visit, place.prompt_id, place.draw, place.sample, place.text};
  const std::vector<std::uint8_t> bytes = nlohmann::json::to_cbor(all);  // takes texts that are not UTF-8 as they are
  return sha256_hex(std::string(bytes.begin(), bytes.end()));
}

nlohmann::json to_json(const FaultPlace& place, const ScoringFault& fault) {
  return {{"visit", place.visit},
          {"prompt_id", place.prompt_id},
          {"draw", place.draw},
          {"sample", place.sample},
          {"unscored", json_safe(fault.unscored)},
          {"audit", fault.audit ? nlohmann::json(*fault.audit) : nlohmann::json()},
          {"evidence", fault.evidence ? stored_json(*fault.evidence) : nlohmann::json()}};
}

Result<ScoringFault> fault_from_json(const nlohmann::json& json) {
  ScoringFault fault;
  PLUMB_ASSIGN(fault.unscored, bytes_from_json(json.at("unscored")));
  if (const auto& audit = json.at("audit"); !audit.is_null()) {
    fault.audit = audit.get<double>();
  }
  if (const auto& evidence = json.at("evidence"); !evidence.is_null()) {
    PLUMB_ASSIGN(fault.evidence, evidence_from_stored_json(evidence));
  }
  return fault;
}

}  // namespace

Result<std::unique_ptr<FaultJournal>> FaultJournal::open(const std::string& path) {
  JournalKind kind{
      "fault", "then what could not be scored is asked about again, and steps that are done again have other numbers",
      [](const nlohmann::json& json) -> Result<void> {
        PLUMB_TRY(fault_from_json(json));
        return {};
      }};
  PLUMB_ASSIGN(auto journal, JsonJournal::open(path, std::move(kind)));
  return std::unique_ptr<FaultJournal>(new FaultJournal(std::move(journal)));
}

std::optional<ScoringFault> FaultJournal::find(const FaultPlace& place) const {
  const auto json = journal_->find(key_of(place));
  if (!json) {
    return std::nullopt;
  }
  auto fault = fault_from_json(*json);
  return fault ? std::optional<ScoringFault>(std::move(*fault)) : std::nullopt;
}

void FaultJournal::add(const FaultPlace& place, const ScoringFault& fault) {
  journal_->add(key_of(place), to_json(place, fault));
}

KnownFaults FaultJournal::of(const std::string& visit) const {
  return [this, visit](const CompletionGroup& group, std::size_t index) { return find(place_of(visit, group, index)); };
}

void FaultJournal::add_all(const std::string& visit, std::span<const ScoredGroup> groups, bool audited) {
  for (const ScoredGroup& scored : groups) {
    for (std::size_t i = 0; i < scored.scores.size(); ++i) {
      if (const auto fault = fault_of(scored, i, audited)) {
        add(place_of(visit, scored.group, i), *fault);
      }
    }
  }
}

}  // namespace plumb
