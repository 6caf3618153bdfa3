#pragma once
// The parts of the report, each a function of the run's data that returns HTML; an empty string where the run has
// nothing to show for it.

#include <span>
#include <string>
#include <vector>

#include "eval/evaluation.h"
#include "eval/report/chart.h"
#include "eval/report/run_data.h"

namespace plumb {

/// What one stage scored on one set.
struct StageResults {
  std::string stage;
  const Evaluation* greedy = nullptr;
  std::vector<const Evaluation*> sampled;  // ascending temperature, 0 excluded

  /// The sampled evaluation at temperature 1, else the one nearest to it; null where there is none.
  [[nodiscard]] const Evaluation* at_one() const;
};

/// The sets that were evaluated: test (or heldout) first, then by name.
std::vector<std::string> evaluated_sets(const RunData& run);
/// The stages that were evaluated on `set`: base, sft, grpo, then others by name.
std::vector<StageResults> results_of(const RunData& run, const std::string& set);
/// A part of an evaluation with its name.
struct NamedSelection {
  std::string name;  // "Code", "C++", "Python", "Maths"
  Selection selection;
};
/// The parts that an evaluation has. The first is what the run is judged by: code, where there is any.
std::vector<NamedSelection> selections_of(const Evaluation& evaluation);

std::string stage_label(const std::string& stage);   // "Base", "SFT", "GRPO"; escaped
std::string stage_class(const std::string& stage);   // a colour class of the style sheet
std::string points(double difference);               // "+8.3 pts"
std::string legend(std::span<const Series> series);  // faint series are left out

/// A verdict in words, for readers who never met a programming contest: "does not compile"; escaped.
std::string verdict_words(const std::string& verdict);

/// A whole page around `body`; the title is escaped.
std::string page(const std::string& title, const std::string& body);

std::string header_section(const RunData& run);        // title, verdict in a sentence, three tiles
std::string results_section(const RunData& run);       // before/after table and flips of each set
std::string decoding_section(const RunData& run);      // pass@k curves, accuracy against temperature
std::string reward_model_verdict(const RunData& run);  // what it got right, in a sentence
std::string reward_model_section(const RunData& run);  // accuracies beside baselines, reliability
std::string guard_section(const RunData& run);         // perplexity, divergence, HumanEval by stage
std::string health_section(const RunData& run);
std::string curves_section(const RunData& run);
std::string outcomes_section(const RunData& run);  // cut off, not compiled, failed, passed
std::string time_section(const RunData& run);
std::string samples_section(const RunData& run);
std::string run_section(const RunData& run);  // manifest and config

}  // namespace plumb
