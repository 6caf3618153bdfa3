#include "eval/report/panels.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace plumb {

namespace {

constexpr std::array<const char*, 6> kColours = {"a", "b", "c", "d", "e", "f"};

std::vector<Panel> reward_panels() {
  return {
      {.title = "Reward",
       .stage = "grpo",
       .curves = {{"reward", "all", "a"}, {"reward/tests/mean", "code", "b"}, {"reward/math/mean", "maths", "c"}},
       .percent = true},
      {.title = "Reward model beside the verdicts (code)",
       .stage = "grpo",
       .curves = {{"reward/proxy", "reward, with the model’s score", "b"}, {"reward/gold", "solved", "a"}},
       .percent = true},
  };
}

std::vector<Panel> grpo_panels() {
  const std::string grpo = "grpo";
  return {
      {.title = "Groups without spread, and spread",
       .stage = grpo,
       .curves = {{"frac_reward_zero_std", "groups with equal rewards", "b"},
                  {"reward_std", "standard deviation in a group", "a"}},
       .percent = true},
      {.title = "Shaping’s share of the advantages",
       .stage = grpo,
       .curves = {{"reward/shaping_only_gain", "shaping", "c"}},
       .percent = true},
      {.title = "Audit gap",
       .stage = grpo,
       .curves = {{"reward/audit_gap", "pass the tests, fail the audit", "c"}},
       .percent = true},
      {.title = "Groups that lost a completion to a fault",
       .stage = grpo,
       .curves = {{"groups/unscored", "groups", "c"}},
       .only_if_moved = true},
      {.title = "Entropy (nats per token)", .stage = grpo, .curves = {{"entropy", "entropy", "a"}}},
      {.title = "Entropy coefficient",
       .stage = grpo,
       .curves = {{"entropy_coefficient", "coefficient", "b"}},
       .smooth = false},
      {.title = "KL divergence (nats per token)", .stage = grpo, .curves = {{"kl", "KL", "b"}}, .only_if_moved = true},
      {.title = "Completion length (tokens)",
       .stage = grpo,
       .curves = {{"completions/mean_length", "mean", "a"}, {"completions/max_length", "longest", "b"}}},
      {.title = "How completions end",
       .stage = grpo,
       .curves = {{"completions/eos_ratio", "by themselves", "a"},
                  {"completions/clipped_ratio", "cut off", "c"},
                  {"completions/duplicates", "duplicates", "b"}},
       .percent = true},
      {.title = "Advantage",
       .stage = grpo,
       .curves = {{"advantage/mean", "mean", "a"}, {"advantage/std", "standard deviation", "b"}}},
      {.title = "Clipped tokens (share)",
       .stage = grpo,
       .curves = {{"clip_ratio/low_mean", "ratio too low", "b"}, {"clip_ratio/high_mean", "ratio too high", "c"}},
       .only_if_moved = true},
      {.title = "Largest deviation of a ratio from 1",
       .stage = grpo,
       .curves = {{"ratio/max_abs_dev", "of the first update", "c"}},
       .only_if_moved = true},
      {.title = "Sampler’s log-probs from the learner’s (nats)",
       .stage = grpo,
       .curves = {{"sampling/sampling_logp_difference/mean", "mean", "a"},
                  {"sampling/sampling_logp_difference/max", "largest", "c"}}},
      {.title = "Staleness (versions of weights)",
       .stage = grpo,
       .curves = {{"staleness/mean", "mean", "a"}, {"staleness/max", "oldest token", "b"}},
       .smooth = false,
       .only_if_moved = true},
      {.title = "Perplexity of the guard text",
       .stage = grpo,
       .curves = {{"guard/perplexity", "perplexity", "c"}},
       .smooth = false,
       .from_zero = false},
      {.title = "KL from the base on the guard text (nats per token)",
       .stage = grpo,
       .curves = {{"guard/kl", "KL(base || policy)", "b"}},
       .smooth = false},
      {.title = "HumanEval as a guard, greedy",
       .stage = grpo,
       .curves = {{"guard/humaneval", "pass rate", "a"}},
       .percent = true,
       .smooth = false},
      {.title = "Evenness of the routers (1 is even)",
       .stage = grpo,
       .curves = {{"router/load_entropy", "entropy of the loads", "a"},
                  {"router/max_violation", "largest violation", "c"}}},
      {.title = "Gradient norm", .stage = grpo, .curves = {{"grad_norm", "before clipping", "a"}}},
      {.title = "Learning rate", .stage = grpo, .curves = {{"learning_rate", "learning rate", "a"}}, .smooth = false},
      {.title = "Policy loss (near 0 is normal)",
       .stage = grpo,
       .curves = {{"policy_loss", "policy loss", "a"}},
       .smooth = false,
       .from_zero = false},
  };
}

// What the steps of a reward model's training count, by what it learns from.
struct RewardModelWords {
  const char* loss;  // its unit
  const char* accuracy;
  const char* things;
};

RewardModelWords reward_model_words(const std::string& objective) {
  const char* completions = "completions on the right side";
  return objective == "steps"            ? RewardModelWords{"nats per step", "steps on the right side", "steps"}
         : objective == "regression"     ? RewardModelWords{"squared error", completions, "completions"}
         : objective == "classification" ? RewardModelWords{"nats per completion", completions, "completions"}
                                         : RewardModelWords{"nats per pair", "the better one ahead", "pairs"};
}

std::vector<Panel> supervised_panels(const RunData& run) {
  const std::string sft = "sft";
  const std::string rm = "reward_model";
  const RewardModelWords words = reward_model_words(reward_objective(run));
  return {
      {.title = "SFT loss (nats per token)",
       .stage = sft,
       .curves = {{"loss", "training", "a"}, {"eval_loss", "dev", "b"}},
       .smooth = false,
       .from_zero = false},
      {.title = "SFT gradient norm", .stage = sft, .curves = {{"grad_norm", "before clipping", "a"}}, .smooth = false},
      {.title = "SFT learning rate", .stage = sft, .curves = {{"learning_rate", "rate", "a"}}, .smooth = false},
      {.title = "Reward model: loss (" + std::string(words.loss) + ")", .stage = rm, .curves = {{"loss", "loss", "a"}}},
      {.title = "Reward model: " + std::string(words.accuracy),
       .stage = rm,
       .curves = {{"accuracy", std::string(words.things) + " of the batch", "a"}},
       .percent = true},
      {.title = "Reward model: margin (better − worse)", .stage = rm, .curves = {{"margin", "margin", "b"}}},
      {.title = "Reward model: gradient norm", .stage = rm, .curves = {{"grad_norm", "before clipping", "a"}}},
      {.title = "Reward model: learning rate",
       .stage = rm,
       .curves = {{"learning_rate", "rate", "a"}},
       .smooth = false},
  };
}

// The names prefix<x>suffix of a stage, x without a slash, as panels of so many curves as there are colours.
std::vector<Panel> family_panels(const RunData& run, const Panel& like, std::string_view prefix,
                                 std::string_view suffix) {
  std::vector<Panel> all;
  for (const std::string& name : names_in_stage(run.metrics, like.stage)) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size()) {
      continue;
    }
    if (all.empty() || all.back().curves.size() == kColours.size()) {
      all.push_back(like);
      all.back().title += all.size() > 1 ? ", more" : "";
    }
    std::vector<Curve>& curves = all.back().curves;
    const std::string label = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    curves.push_back({name, label, kColours.at(curves.size())});
  }
  return all;
}

// A run whose reward is the verdict alone has it in the panel "Reward".
bool is_only_verdicts(const std::vector<Panel>& parts) {
  return parts.size() == 1 && std::ranges::all_of(parts.front().curves, [](const Curve& curve) {
           return curve.label == "tests" || curve.label == "math";
         });
}

}  // namespace

std::vector<std::string> names_in_stage(const std::vector<StepRow>& rows, const std::string& stage) {
  std::set<std::string> names;
  for (const StepRow& row : rows) {
    if (row.stage == stage) {
      for (const auto& [name, value] : row.values) {
        names.insert(name);
      }
    }
  }
  return {names.begin(), names.end()};
}

std::vector<Panel> panels_of(const RunData& run) {
  std::vector<Panel> all = reward_panels();
  const auto add = [&all](const std::vector<Panel>& more) { all.insert(all.end(), more.begin(), more.end()); };
  const auto parts = family_panels(run, {.title = "Parts of the reward (mean value)", .stage = "grpo", .curves = {}},
                                   "reward/", "/mean");
  if (!is_only_verdicts(parts)) {
    add(parts);
    add(family_panels(run, {.title = "Parts of the reward (deviation in a group)", .stage = "grpo", .curves = {}},
                      "reward/", "/std"));
  }
  add(grpo_panels());
  add(supervised_panels(run));
  add(family_panels(run,
                    {.title = "SFT loss by source (nats per token)", .stage = "sft", .curves = {}, .from_zero = false},
                    "loss/", ""));
  for (const auto& [stage, name] : {std::pair{"grpo", "Gradient norm"}, std::pair{"sft", "SFT gradient norm"},
                                    std::pair{"reward_model", "Reward model: gradient norm"}}) {
    add(family_panels(run, {.title = std::string(name) + " by layer", .stage = stage, .curves = {}}, "grad_norm/", ""));
  }
  return all;
}

}  // namespace plumb
