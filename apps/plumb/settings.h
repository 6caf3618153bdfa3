#pragma once
// Everything a run can be told, as plain structs with their defaults. settings.cc says each key's range and meaning.

#include <cstdint>
#include <string>
#include <vector>

#include "apps/plumb/grpo_algorithm.h"
#include "apps/plumb/optimizer_settings.h"
#include "core/config.h"
#include "datasets/sampler.h"
#include "learner/advantages.h"
#include "learner/router_loss.h"
#include "policy/policy.h"
#include "reward/rules/reward_options.h"

namespace plumb {

struct RunSettings {
  std::uint64_t seed = 1;
  bool layer_norms = false;
  void describe(ConfigSection& section);
};

struct ModelSettings {
  std::string path;
  ComputeDtype dtype = ComputeDtype::kBf16;
  int threads = 0;
  bool activation_checkpointing = false;
  bool exact = true;
  bool talks = true;  // no key: false where no message is ever put into the model's template
  void describe(ConfigSection& section);
};

struct DataSettings {
  std::vector<std::string> tasks = {"datasets/primer/functions.jsonl", "datasets/primer/math.jsonl"};
  std::vector<std::string> languages = {"python", "cpp"};
  std::vector<std::string> train_splits = {"rl"};
  bool any_split = false;
  void describe(ConfigSection& section);
};

struct SamplingSettings {
  double temperature = 1.0;
  int top_k = 0;
  double top_p = 1.0;
  double min_p = 0.0;
  double typical_p = 1.0;
  double repetition_penalty = 1.0;
  double presence_penalty = 0.0;
  double frequency_penalty = 0.0;
  std::vector<std::string> stop;
  std::vector<std::int64_t> stop_token_ids;
  std::int64_t min_new_tokens = 0;
  std::int64_t max_new_tokens = 96;
  int max_batch = 64;
  std::int64_t cache_mib = 1024;
  void describe(ConfigSection& section);
};

/// Which tokens of a demonstration its loss is on.
enum class SftLossOn : std::uint8_t { kCompletions, kAll };

struct SftSettings {
  OptimizerSettings optimizer{.learning_rate = 2e-5};  // keys of the same section
  int batch_size = 16;
  std::int64_t batch_tokens = 0;
  int max_epochs = 3;
  int patience = 1;
  std::int64_t warmup_steps = 2;
  SftLossOn loss_on = SftLossOn::kCompletions;
  double fim_rate = 0.0;
  double fim_spm_rate = 0.0;
  std::vector<std::string> mixture;
  bool loss_by_source = true;
  std::int64_t micro_batch_tokens = 1024;
  std::int64_t checkpoint_every = 0;
  double z_loss = 0.0;
  RouterLossOptions router;
  void describe(ConfigSection& section);
};

/// What the group's rewards are made of: the verdicts, or the controls that a claim of learning has to beat.
enum class RewardArm { kVerdict, kPermuted, kNegated };

/// When rollouts are sampled: rollout_source.h.
enum class RolloutSchedule : std::uint8_t { kSynchronous, kOneStepOff, kAsynchronous };

struct GrpoSettings {
  std::int64_t steps = 60;
  RolloutSchedule schedule = RolloutSchedule::kSynchronous;
  std::int64_t max_staleness = 4;
  int actor_threads = 0;
  int actor_processes = 0;
  double actor_timeout_s = 300;
  int prompts_per_step = 8;
  int group_size = 8;
  int min_code_prompts = 6;
  PromptOrder prompt_order = PromptOrder::kEpochs;
  OptimizerSettings optimizer{.learning_rate = 1e-5, .decay = Decay::kLinear};  // keys of the same section
  std::int64_t warmup_steps = 3;
  double clip_low = -1;
  double clip_high = -1;
  AdvantageKind advantage = AdvantageKind::kGroupStd;
  double std_epsilon = 1e-4;
  double std_floor = 1e-3;
  double min_spread = -1;
  std::int64_t micro_batch_tokens = 1024;
  std::int64_t checkpoint_every = 0;
  int keep_checkpoints = 2;
  int saved_groups = 2;
  std::int64_t dev_every = 0;
  std::string dev_split = "dev";
  int dev_prompts = 0;
  int dev_patience = 0;
  RewardArm reward_arm = RewardArm::kVerdict;
  GrpoAlgorithm algorithm;  // keys of the same section
  void describe(ConfigSection& section);
};

struct EvalSettings {
  std::vector<std::string> splits = {"test"};
  int samples = 4;
  std::vector<double> temperatures = {1.0};
  bool greedy = true;
  bool audit = true;
  int max_prompts = 0;
  int max_math = 0;
  std::string guard_text;
  std::string guard_humaneval;
  std::string guard_overlap = "datasets/primer/overlap.json";
  int guard_problems = 0;
  std::int64_t guard_tokens = 384;
  void describe(ConfigSection& section);
};

struct JudgeSettings {
  int slots = 0;
  double cpu_s = 2.0;
  double wall_s = 10.0;
  int memory_mib = 256;
  std::string cpp_compiler;
  int cpp_optimization = 1;
  std::string cache_dir;
  int evidence_mib = 64;
  std::string evidence_dir;
  std::vector<std::string> allow;
  void describe(ConfigSection& section);
};

/// How a training run tries to cheat its own reward before it starts (plumb audit-reward says more).
struct RewardAuditSettings {
  int prompts = 1;
  void describe(ConfigSection& section);
};

/// All sections of a run's config file, and the Config that reads and prints them.
struct Settings {
  RunSettings run;
  ModelSettings model;
  DataSettings data;
  SamplingSettings sampling;
  SftSettings sft;
  GrpoSettings grpo;
  EvalSettings eval;
  JudgeSettings judge;
  RewardOptions reward;  // of training; an evaluation counts verdicts alone
  RewardAuditSettings reward_audit;

  /// Registers every section with `config`; this object must outlive it.
  void add_to(Config& config);
};

}  // namespace plumb
