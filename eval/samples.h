#pragma once
// samples.jsonl: completions as they were sampled, with everything that was said about them, for people to read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// One line of samples.jsonl. Bytes that are not UTF-8 travel as base64.
struct SampleRecord {
  std::string stage;       // "base", "sft", "grpo", "eval", "profile"
  std::string kind;        // "train": a rollout of step `step`; "eval": of the evaluation `set`; "profile"
  std::int64_t step = 0;   // train only
  std::string set;         // eval only
  double temperature = 1;  // 0 is greedy
  std::string prompt_id;
  std::string family;  // of the task; empty in samples of older versions
  std::string language;
  std::string prompt;     // the user's turn
  std::int64_t draw = 0;  // how often the run had drawn the prompt before
  int sample = 0;         // place in its group
  std::string text;
  int tokens = 0;
  std::vector<int> token_ends;           // of each token in `text`, bytes; empty where they are not known
  std::vector<double> log_probs;         // of each token, of the distribution it was drawn from; rounded to 1e-4
  std::optional<double> advantage;       // train: nothing where it was not in the loss
  std::vector<double> token_advantages;  // of each token, where steps are rewarded; rounded to 1e-4
  std::vector<ScoredStep> steps;         // likewise
  std::string finish;                    // "eos", "stop", "length", "aborted"
  double reward = 0;
  std::vector<ScorePart> parts;
  std::string unscored;  // the fault; empty where scored
  int audit = -1;        // 1 or 0; -1 where not judged
  std::string verdict;   // "AC", "WA", ...; empty without evidence
  int passed = 0;        // graded tests that passed, as far as they were run
  int tests = 0;         // how many there are; 0 without evidence
  std::vector<Diagnostic> diagnostics;
  std::string output;  // what the program printed
};

/// The record of completion `index` of a scored group; stage, kind, step, set and temperature are the caller's.
SampleRecord sample_record(const ScoredGroup& scored, std::size_t index);

nlohmann::json to_json(const SampleRecord& sample);
/// Errors: absent fields or wrong types, naming the field.
Result<SampleRecord> sample_from_json(const nlohmann::json& json);

/// The lines of a samples.jsonl. Errors: the file cannot be read, or a line is no sample (it is named).
Result<std::vector<SampleRecord>> read_samples(const std::string& path);

/// Whether the verdict is that it is right: is_solved (reward/rules/score_parts.h) of a sample read back.
bool is_solved(const SampleRecord& sample);

}  // namespace plumb
