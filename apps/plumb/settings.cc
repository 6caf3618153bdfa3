#include "apps/plumb/settings.h"

#include "apps/plumb/router_settings.h"

namespace plumb {
void RunSettings::describe(ConfigSection& section) {
  section.field("seed", seed, {.help = "names all random numbers of the run; same seed and config, same bits"});
  section.field("layer_norms", layer_norms, {.help = "also log the gradient norm of each layer, grad_norm/<layer>"});
}

void ModelSettings::describe(ConfigSection& section) {
  section.field("path", path, {.help = "a GGUF file or a Hugging Face folder"});
  section.choice("dtype", dtype,
                 {{"f32", ComputeDtype::kF32}, {"bf16", ComputeDtype::kBf16}, {"bf16_split", ComputeDtype::kBf16Split}},
                 {.help = "of matrix products; master weights are always f32 (docs/precision.md)"});
  section.field("threads", threads, {.help = "0 = one per processor; changes speed, never bits", .min = 0, .max = 256});
  section.field("activation_checkpointing", activation_checkpointing,
                {.help = "training keeps each layer's input alone and computes the rest again: less memory for a third "
                         "more products; never changes bits"});
  section.field("exact", exact,
                {.help = "the sampler's log-probs are the learner's, bit for bit; false: models with latent attention "
                         "sample among latents, in less memory, and the difference is reported"});
}

void DataSettings::describe(ConfigSection& section) {
  section.field("tasks", tasks, {.help = "JSON Lines files of tasks (docs/records.md)"});
  section.field("languages", languages, {.help = "of code tasks: python, cpp"});
  section.field("train_splits", train_splits,
                {.help = "splits that GRPO draws its prompts from; empty = all but grpo.dev_split"});
  section.field(
      "any_split", any_split,
      {.help = "sft trains on every split but dev, not on sft alone, and eval takes all rows as one set, data; "
               "--data sets it"});
}

void SamplingSettings::describe(ConfigSection& section) {
  section.field("temperature", temperature, {.help = "of training rollouts", .min = 0.01, .max = 10});
  section.field("top_k", top_k, {.help = "the k most probable tokens only; 0 = all", .min = 0, .max = 1 << 30});
  section.field("top_p", top_p, {.help = "the fewest most probable tokens that have this mass", .min = 1e-6, .max = 1});
  section.field("min_p", min_p,
                {.help = "tokens of at least this share of the largest probability", .min = 0, .max = 0.999});
  section.field("typical_p", typical_p,
                {.help = "tokens of typical surprisal that have this mass", .min = 1e-6, .max = 1});
  section.field("repetition_penalty", repetition_penalty,
                {.help = "divides the logits of what was said; evaluation only", .min = 1e-3, .max = 1e3});
  section.field("presence_penalty", presence_penalty,
                {.help = "taken from what was said in the completion; evaluation only", .min = -1e6, .max = 1e6});
  section.field("frequency_penalty", frequency_penalty,
                {.help = "the same, for each time; evaluation only", .min = -1e6, .max = 1e6});
  section.field("stop", stop, {.help = "texts that end a completion, and are not part of it"});
  section.field("stop_token_ids", stop_token_ids, {.help = "token ids that end a completion"});
  section.field("min_new_tokens", min_new_tokens,
                {.help = "no end before; evaluation only", .unit = "tokens", .min = 0, .max = 1 << 20});
  section.field("max_new_tokens", max_new_tokens,
                {.help = "longer completions are truncated", .unit = "tokens", .min = 1, .max = 1 << 20});
  section.field("max_batch", max_batch,
                {.help = "completions decoded together; changes speed, never bits", .min = 1, .max = 4096});
  section.field("cache_mib", cache_mib, {.help = "keys and values", .unit = "MiB", .min = 1, .max = 1 << 20});
}

void SftSettings::describe(ConfigSection& section) {
  optimizer.describe(section);
  section.field("batch_size", batch_size, {.help = "per update", .unit = "demonstrations", .min = 1, .max = 65536});
  section.field(
      "batch_tokens", batch_tokens,
      {.help = "per update instead of batch_size: whole demonstrations until they have so many trained tokens; "
               "0 = batch_size",
       .unit = "tokens",
       .min = 0,
       .max = 1e12});
  section.field("max_epochs", max_epochs, {.help = "passes over the demonstrations at most", .min = 1, .max = 1000});
  section.field(
      "patience", patience,
      {.help = "epochs without a better dev loss before it stops; the best weights are kept", .min = 1, .max = 1000});
  section.field("warmup_steps", warmup_steps, {.help = "linear warm-up", .unit = "updates", .min = 0, .max = 1e9});
  section.field(
      "micro_batch_tokens", micro_batch_tokens,
      {.help = "rows per forward and backward; changes memory and speed", .unit = "tokens", .min = 1, .max = 1 << 20});
  section.field("checkpoint_every", checkpoint_every,
                {.help = "0 = on Ctrl-C only", .unit = "steps", .min = 0, .max = 1e9});
  section.choice("loss_on", loss_on, {{"completions", SftLossOn::kCompletions}, {"all", SftLossOn::kAll}},
                 {.help = "of a demonstration; plain text is trained on as a whole"});
  section.field(
      "fim_rate", fim_rate,
      {.help = "share of the plain texts that an epoch cuts into prefix, suffix and middle, to be filled in; the "
               "tokenizer needs the special tokens for it",
       .min = 0,
       .max = 1});
  section.field("fim_spm_rate", fim_spm_rate, {.help = "share of these whose suffix comes first", .min = 0, .max = 1});
  section.field("loss_by_source", loss_by_source,
                {.help = "report loss/<source>, and at each evaluation eval_loss/<source> and perplexity/<source>"});
  section.field(
      "mixture", mixture,
      {.help = "source=share of the trained tokens, e.g. primer/math=0.6; an epoch then is as many draws as there are "
               "examples of all sources, so that a small source with a large share is passed over many times; empty = "
               "every example once an epoch"});
  section.field("z_loss", z_loss,
                {.help = "of the mean squared log sum exp of the logits, beside the cross-entropy (PaLM: 1e-4)",
                 .min = 0,
                 .max = 100});
  describe_router_loss(section, router);
}

void GrpoSettings::describe(ConfigSection& section) {
  section.field("steps", steps, {.help = "updates", .min = 1, .max = 1e9});
  section.choice(
      "schedule", schedule,
      {{"synchronous", RolloutSchedule::kSynchronous},
       {"one_step_off", RolloutSchedule::kOneStepOff},
       {"asynchronous", RolloutSchedule::kAsynchronous}},
      {.help = "a step samples, then learns; or the next rollout is sampled meanwhile with the weights of the "
               "step before; or an actor goes on by itself and takes new weights between two tokens"});
  section.field("max_staleness", max_staleness,
                {.help = "with asynchronous: how far the learner may be ahead of the weights that a rollout began with",
                 .unit = "steps",
                 .min = 1,
                 .max = 1000});
  section.field("actor_threads", actor_threads,
                {.help = "of each actor; 0 = as many as model.threads, or an equal share of them for each of "
                         "actor_processes; a synchronous actor in this process has model.threads",
                 .min = 0,
                 .max = 1024});
  section.field(
      "actor_processes", actor_processes,
      {.help = "that sample, on this machine; 0 = this process; changes speed, never bits (of an asynchronous "
               "schedule: which weights a token meets)",
       .min = 0,
       .max = 64});
  section.field("actor_timeout_s", actor_timeout_s,
                {.help = "an actor process that is silent for so long is ended, and its work done again",
                 .unit = "s",
                 .min = 5,
                 .max = 1e6});
  section.field("prompts_per_step", prompts_per_step, {.help = "groups per rollout", .min = 1, .max = 4096});
  section.field("group_size", group_size, {.help = "completions per prompt", .min = 1, .max = 1024});
  section.field("min_code_prompts", min_code_prompts,
                {.help = "code prompts per rollout at least, where the data has them", .min = 0, .max = 4096});
  section.choice("prompt_order", prompt_order, {{"epochs", PromptOrder::kEpochs}, {"spread", PromptOrder::kSpread}},
                 {.help = "every prompt once an epoch; or more often where some completions succeed and some fail"});
  optimizer.describe(section);
  section.field("warmup_steps", warmup_steps, {.help = "linear warm-up", .unit = "steps", .min = 0, .max = 1e9});
  section.field("clip_low", clip_low,
                {.help = "ratio clip below 1; -1 = the ratio's own: token 0.2, sequence 3e-4", .min = -1, .max = 1});
  section.field(
      "clip_high", clip_high,
      {.help = "ratio clip above 1; -1 = the ratio's own: token 0.2, sequence 4e-4, cispo 4", .min = -1, .max = 100});
  section.choice(
      "advantage", advantage,
      {{"group_std", AdvantageKind::kGroupStd},
       {"no_std", AdvantageKind::kNoStd},
       {"leave_one_out", AdvantageKind::kLeaveOneOut},
       {"batch_std", AdvantageKind::kBatchStd},
       {"reinforce_pp", AdvantageKind::kReinforcePp},
       {"reinforce_pp_baseline", AdvantageKind::kReinforcePpBaseline}},
      {.help = "a reward beside the group's others, over their standard deviation (GRPO), as it is (Dr. GRPO), "
               "...: docs/learner.md"});
  section.field("std_epsilon", std_epsilon, {.help = "added to a standard deviation that divides", .min = 0, .max = 1});
  section.field("std_floor", std_floor,
                {.help = "a smaller standard deviation counts as this one", .min = 0, .max = 1e6});
  section.field("min_spread", min_spread,
                {.help = "a group whose scores differ by no more than this has no spread; -1 = 0 for verdicts "
                         "alone, 0.05 with shaping or a reward model",
                 .min = -1,
                 .max = 1e6});
  section.field(
      "micro_batch_tokens", micro_batch_tokens,
      {.help = "rows per forward and backward; changes memory and speed", .unit = "tokens", .min = 1, .max = 1 << 20});
  section.field("checkpoint_every", checkpoint_every,
                {.help = "0 = at the end and on Ctrl-C only", .unit = "steps", .min = 0, .max = 1e9});
  section.field("keep_checkpoints", keep_checkpoints, {.help = "older ones are removed", .min = 1, .max = 1000});
  section.field("saved_groups", saved_groups, {.help = "groups per step kept in samples.jsonl", .min = 0, .max = 4096});
  section.field(
      "dev_every", dev_every,
      {.help = "evaluate on dev (as [eval] says) so often, and end with the weights that were best there; 0 = "
               "never",
       .unit = "steps",
       .min = 0,
       .max = 1e9});
  section.field("dev_split", dev_split, {.help = "the split that is dev"});
  section.field("dev_prompts", dev_prompts, {.help = "the first ones of it; 0 = all", .min = 0, .max = 1e9});
  section.field("dev_patience", dev_patience,
                {.help = "evaluations in a row that are no better than the best, after which the run ends; 0 = go on",
                 .min = 0,
                 .max = 1e6});
  section.choice(
      "reward_arm", reward_arm,
      {{"verdict", RewardArm::kVerdict}, {"permuted", RewardArm::kPermuted}, {"negated", RewardArm::kNegated}},
      {.help = "verdict; or a control: rewards permuted within each group, or negated"});
  algorithm.describe(section);
}

void EvalSettings::describe(ConfigSection& section) {
  section.field("splits", splits, {.help = "splits to evaluate"});
  section.field("samples", samples, {.help = "completions per prompt and temperature", .min = 1, .max = 1024});
  section.field("temperatures", temperatures, {.help = "of the sampled completions", .min = 0.01, .max = 10});
  section.field("greedy", greedy, {.help = "one completion at temperature 0 as well"});
  section.field("audit", audit, {.help = "a code completion counts only if it passes the audit suite too"});
  section.field(
      "guard_text", guard_text,
      {.help = "a text file that no training sees: its perplexity stands beside every evaluation, for what is "
               "unlearned, and while training the KL divergence of the policy from model.path on it"});
  section.field("guard_humaneval", guard_humaneval,
                {.help = "HumanEval.jsonl.gz: the greedy pass rate on its problems stands beside every evaluation"});
  section.field("guard_overlap", guard_overlap, {.help = "which problems are left out; empty: none"});
  section.field("guard_problems", guard_problems, {.help = "the first ones that stay; 0 = all", .min = 0, .max = 1e6});
  section.field("guard_tokens", guard_tokens,
                {.help = "of a completion there", .unit = "tokens", .min = 1, .max = 1 << 20});
  section.field("max_prompts", max_prompts, {.help = "per split, the first ones; 0 = all", .min = 0, .max = 1e9});
  section.field("max_math", max_math,
                {.help = "maths prompts per split, the first ones; 0 = all", .min = 0, .max = 1e9});
}

void JudgeSettings::describe(ConfigSection& section) {
  section.field("slots", slots, {.help = "programs judged at once; 0 = one per processor", .min = 0, .max = 256});
  section.field("cpu_s", cpu_s, {.help = "per program", .unit = "s of CPU time", .min = 0.01, .max = 3600});
  section.field("wall_s", wall_s, {.help = "per program", .unit = "s", .min = 0.1, .max = 36000});
  section.field("memory_mib", memory_mib, {.help = "per program", .unit = "MiB", .min = 16, .max = 1 << 20});
  section.field("cpp_compiler", cpp_compiler,
                {.help = "of C++ candidates: gcc or clang; empty = clang where it is installed, else gcc"});
  section.field("cpp_optimization", cpp_optimization, {.help = "level of -O of C++ candidates", .min = 0, .max = 3});
  section.field("cache_dir", cache_dir, {.help = "precompiled headers; empty = a folder below the user's cache"});
  section.field("evidence_mib", evidence_mib,
                {.help = "verdicts kept in memory, for equal submissions", .unit = "MiB", .min = 1, .max = 1 << 20});
  section.field("evidence_dir", evidence_dir,
                {.help = "verdicts are kept in this folder, for all runs with the same tools; empty = nowhere"});
  section.field("allow", allow, {.help = "isolation layers that may be missing, by name (docs/sandbox.md)"});
}

void RewardAuditSettings::describe(ConfigSection& section) {
  section.field("prompts", prompts,
                {.help = "of each language and of maths that grpo tries to cheat before it starts; if that works it "
                         "refuses; 0 = do not try",
                 .min = 0,
                 .max = 1e6});
}

void Settings::add_to(Config& config) {
  config.add("run", run);
  config.add("model", model);
  config.add("data", data);
  config.add("sampling", sampling);
  config.add("sft", sft);
  config.add("grpo", grpo);
  config.add("eval", eval);
  config.add("judge", judge);
  config.add("reward", reward);
  config.add("reward_audit", reward_audit);
}

}  // namespace plumb
