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

/// Sentences on what a run came to, as HTML without a paragraph around them; empty where it has nothing of the kind.
std::string evaluation_verdict(const RunData& run);    // the last stage on the first set, beside the stage before it
std::string reward_model_verdict(const RunData& run);  // what it got right of what was held out
std::string profile_verdict(const RunData& run);       // how much of the data a policy could learn from
std::string dev_verdict(const RunData& run);           // evaluations within SFT and GRPO, and whose weights are kept
std::string training_verdict(const RunData& run);      // that; of a training without any what its own numbers did
/// The first of these that a run has, in this order.
std::string run_verdict(const RunData& run);

/// A whole page around `body`; the title is escaped.
std::string page(const std::string& title, const std::string& body);

std::string header_section(const RunData& run);        // title, verdict in a sentence, three tiles
std::string results_section(const RunData& run);       // before/after table and flips of each set
std::string decoding_section(const RunData& run);      // pass@k curves, accuracy against temperature
std::string reward_model_section(const RunData& run);  // accuracies beside baselines, reliability
std::string profile_section(const RunData& run);       // pass@k of a data profile, by source
std::string guard_section(const RunData& run);         // perplexity, divergence, HumanEval by stage
std::string health_section(const RunData& run);
std::string curves_section(const RunData& run);
std::string outcomes_section(const RunData& run);  // cut off, not compiled, failed, passed
std::string time_section(const RunData& run);
std::string samples_section(const RunData& run);
std::string run_section(const RunData& run);  // manifest and config

}  // namespace plumb
