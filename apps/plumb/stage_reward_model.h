#pragma once
// The training of a reward model: its settings, and a run that can be stopped, killed and gone on with.

#include <cstdint>
#include <string>
#include <vector>

#include "apps/plumb/optimizer_settings.h"
#include "apps/plumb/run_folder.h"
#include "apps/plumb/settings.h"
#include "apps/plumb/workbench.h"
#include "core/config.h"
#include "learner/reward_model.h"

namespace plumb {

struct RewardModelSettings {
  std::vector<std::string> pairs;
  std::vector<std::string> eval_pairs;
  RewardObjective objective = RewardObjective::kPairs;
  std::string good = "Yes";
  std::string bad = "No";
  OptimizerSettings optimizer{.learning_rate = 1e-5, .decay = Decay::kCosine};  // keys here
  int batch_size = 16;
  int max_epochs = 1;
  double warmup_share = 0.05;
  double margin_scale = 0.0;
  double centring = 0.01;
  double dev_share = 0.2;
  std::int64_t micro_batch_tokens = 1024;
  std::int64_t checkpoint_every = 0;

  void describe(ConfigSection& section);
};

struct RewardModelSections {
  RunSettings run;
  ModelSettings model;
  RewardModelSettings rm;
};

/// Updates that a training on `num_examples` is.
std::int64_t num_reward_model_steps(const RewardModelSettings& rm, std::size_t num_examples);

/// Trains the bench's policy on `examples`, which are what rm.objective learns from, from the newest checkpoint with
/// `resume`: the weights and metrics.jsonl have the bytes of a run that was left alone. False: the user stopped it, and
/// it was saved. Errors: a loss that is not finite, a folder that cannot be written, damaged checkpoints alone.
Result<bool> train_reward_model_run(Workbench& bench, RunFolder& folder, const RewardExamples& examples,
                                    JudgeTokens tokens, const RewardModelSections& sections, bool resume);

/// The line of metrics.jsonl that says what the model does on held-out rows after `steps` updates; a resume forgets it.
Result<void> log_held_out(RunFolder& folder, std::int64_t steps, const MetricMap& metrics);

/// Whether the folder holds all that plumb reward-model leaves: the figures, and no state to go on from.
bool is_complete_reward_model(const RunFolder& folder);

/// Removes its checkpoints, once the result is in its place.
void forget_reward_model_progress(const RunFolder& folder);

}  // namespace plumb
