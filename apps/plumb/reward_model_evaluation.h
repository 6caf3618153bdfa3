#pragma once
// How well a reward model tells what passes from what does not, beside what needs no model for that.

#include <nlohmann/json.hpp>
#include <span>

#include "apps/plumb/reward_pairs.h"
#include "core/metrics_log.h"
#include "policy/policy.h"

namespace plumb {

/// Accuracy over all pairs but ties, over the hard ones (is_hard) and by the verdict of what was rejected; those of
/// preferring what is shorter, what its sampler found likelier (mean log_prob of a token), and what compiles; each with
/// a 95 % interval that resamples families. The margins chosen - rejected (mean, 5, 50 and 95 % quantiles) and the
/// calibration error. Printed, and the same as JSON for reward_model.json.
nlohmann::json evaluate_reward_model(Policy& policy, std::span<const PairRecord> records, JudgeTokens tokens);

/// The same of all pairs of completions of one prompt whose pass rates differ; beside them the mean squared error of
/// sigmoid(reward) to the pass rate ("mse"), that of always saying the records' mean ("mse_of_mean"), and the
/// calibration error of sigmoid(reward) against the pass rates in place of the pairs'.
nlohmann::json evaluate_reward_model(Policy& policy, std::span<const RatedRecord> records, JudgeTokens tokens);

/// Of steps: their accuracy ("steps", labels of 1/2 apart) beside that of always saying the side of most of them
/// ("steps of most"), and squared error and calibration as above, of labels. Of completions by their least step: the
/// pairs of a prompt of which one is right and one wrong, as above, and the area under the ROC curve over all of them
/// ("auc").
nlohmann::json evaluate_reward_model(Policy& policy, std::span<const SteppedRecord> records, JudgeTokens tokens);

/// What metrics.jsonl says of such figures: rm/accuracy, rm/ece, rm/margin_*, rm/mse, rm/step_accuracy, rm/auc. Empty
/// where nothing was held out.
MetricMap held_out_metrics(const nlohmann::json& figures);

}  // namespace plumb
