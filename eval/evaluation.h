#pragma once
// One evaluation: a set of prompts, n samples each at one temperature, judged. Saved in the run folder as
// evals/<stage>-<set>-<decoding>.json; the report and the learning benchmark read them back.
//
// A sample succeeds if it passes the graded tests and, where the audit suite was judged, that too. The unit of all
// intervals is the function: the prompts of one task in several languages make one unit.

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/metrics_log.h"
#include "core/records.h"
#include "core/result.h"
#include "eval/intervals.h"

namespace plumb {

/// What the samples of one prompt came to. Samples that a fault of ours left unscored are in `unscored` and nowhere
/// else.
struct PromptResult {
  std::string id;
  std::string unit;  // the function: the id without its language
  std::string family;
  Language language = Language::kNone;
  int n = 0;          // samples scored
  int c = 0;          // that pass the graded tests (maths: equal)
  int c_audit = 0;    // that pass the audit suite too; equals c where none was judged
  int truncated = 0;  // cut off at the token limit
  int ended = 0;      // that ended by themselves
  int unscored = 0;
  int reranked = -1;            // of successes, the one that a reward model likes best; -1 where none was asked
  std::vector<bool> successes;  // [n] in sample order: a smaller k is the first k of them
};

struct Evaluation {
  std::string stage;       // "base", "sft", "grpo"
  std::string set;         // "test", "dev", ...
  double temperature = 0;  // 0 is greedy
  bool audited = false;
  double seconds = 0;  // wall time; printed, never compared
  std::vector<PromptResult> prompts;
};

/// The outcome of a scored group. `id` without a trailing "/cpp", "/python" is the unit.
PromptResult prompt_result(const ScoredGroup& scored);

/// Which prompts; all where nothing is said.
struct Selection {
  std::optional<Language> language;  // only these; kNone: prompts without code
  bool code = false;                 // only prompts in some language
};
/// Means over prompts.
double average_success(const Evaluation& evaluation, int first_k, Selection selection = {});  // avg@k; NaN if empty
double pass_at(const Evaluation& evaluation, int k, Selection selection = {});
double share_truncated(const Evaluation& evaluation, Selection selection = {});
double share_ended(const Evaluation& evaluation, Selection selection = {});
/// Share of all samples that a fault of ours left without a score; 0 if there are none.
double share_unscored(const Evaluation& evaluation, Selection selection = {});
/// Share of prompts with both right and wrong samples: what GRPO could learn from.
double share_mixed(const Evaluation& evaluation, Selection selection = {});
/// The fewest samples that any selected prompt has: the largest k that can be asked for.
int samples_per_prompt(const Evaluation& evaluation, Selection selection = {});

/// The selected prompts that have a scored sample.
int num_prompts(const Evaluation& evaluation, Selection selection = {});

/// Per unit, in order of unit name: the mean of avg@k or pass@k over its selected prompts. `units` gets the names.
enum class Measure {
  kAverage,
  kPass,
  kReranked,  // the sample that a reward model likes best of all n; kAverage where none was asked (chat)
};
/// Whether a reward model was asked about any of the selected prompts.
bool is_reranked(const Evaluation& evaluation, Selection selection = {});
std::vector<double> per_unit(const Evaluation& evaluation, Measure measure, int k, Selection selection = {},
                             std::vector<std::string>* units = nullptr);

/// after - before, paired by unit, with its BCa interval; units that only one of them has are left out.
Interval improvement(const Evaluation& before, const Evaluation& after, Measure measure, int k,
                     Selection selection = {}, std::uint64_t seed = 1);

/// eval/<set>/greedy of a greedy evaluation; eval/<set>/avg@n and pass@k (k = 1, 2, 4, 8, ... up to n) of a sampled
/// one, and rm@n where a reward model chose among the n; the same under eval/<set>/<language>/ where there is more than
/// one language. At another temperature than 1 the set is <set>@T<temperature>.
MetricMap evaluation_metrics(const Evaluation& evaluation);

/// How single prompts changed between two evaluations, by their first sample: meant for greedy ones.
struct FlipTable {
  std::vector<std::string> fail_to_pass;  // ids, in order
  std::vector<std::string> pass_to_fail;
  int stayed_pass = 0;
  int stayed_fail = 0;
};
FlipTable flip_table(const Evaluation& before, const Evaluation& after, Selection selection = {});

nlohmann::json to_json(const Evaluation& evaluation);
/// Errors: absent fields or wrong types, naming the field.
Result<Evaluation> evaluation_from_json(const nlohmann::json& json);

/// "sft-test-greedy.json", "grpo-dev-T0.6.json".
std::string evaluation_file_name(const Evaluation& evaluation);
/// Writes <run_dir>/evals/<evaluation_file_name>, whole or not at all.
Result<void> save_evaluation(const std::filesystem::path& run_dir, const Evaluation& evaluation);
/// All of <run_dir>/evals/*.json in name order; none where the folder is absent.
Result<std::vector<Evaluation>> load_evaluations(const std::filesystem::path& run_dir);

}  // namespace plumb
