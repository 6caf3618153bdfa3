#include "apps/plumb/reward_model_signal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/plumb/roof.h"
#include "core/atomic_file.h"
#include "learner/calibration.h"
#include "reward/rules/score_parts.h"
#include "tokenizer/step_tokens.h"

namespace plumb {
namespace {

std::string objective_of(const nlohmann::json& report) {
  return report.contains("objective") && report["objective"].is_string() ? report["objective"].get<std::string>()
                                                                         : std::string("none");
}

Result<nlohmann::json> read_report(const RewardOptions& reward) {
  const std::string path = reward_model_report(reward.reward_model);
  PLUMB_ASSIGN(const std::string text, read_file(path));
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return Error{path + ": expected an object, as plumb reward-model writes it"};
  }
  const std::string objective = objective_of(json);
  if (reward.process != ProcessSignal::kNone && objective != "steps") {
    return Error{
        fmt::format("{}: reward.process needs a model that learned from labels of steps, found the objective \"{}\"; "
                    "train one with "
                    "rm.objective = \"steps\" (plumb data rm-from-rollouts --steps), or set reward.process = \"none\"",
                    path, objective)};
  }
  return json;
}

Result<JudgeTokens> judge_tokens(const std::string& path, const nlohmann::json& json, const Tokenizer& policy,
                                 const Tokenizer& model) {
  JudgeTokens tokens;
  for (const auto& [key, id] : {std::pair("good", &tokens.good), std::pair("bad", &tokens.bad)}) {
    const std::string id_key = std::string(key) + "_id";
    const bool named =
        json.contains(key) && json[key].is_string() && json.contains(id_key) && json[id_key].is_number_integer();
    if (!named) {
      return Error{fmt::format("{}: expected \"{}\" and \"{}\", as plumb reward-model writes them", path, key, id_key)};
    }
    *id = json[id_key].get<std::int32_t>();
    const std::vector<std::int32_t> expected = {*id};
    const auto word = json[key].get<std::string>();
    if (policy.encode(word, false) != expected || model.encode(word, false) != expected) {
      return Error{
          fmt::format("{}: \"{}\" is not token {} of both the policy and the reward model; train the reward "
                      "model from the same base model",
                      path, word, *id)};
    }
  }
  return tokens;
}

// The model takes its share of the verdicts' weight; what else is rewarded or punished stays.
void add_part(Score& score, double share, double reward) {
  const double probability = sigmoid(reward);
  double weight = 0;
  for (ScorePart& part : score.parts) {
    if (part.kind == PartKind::kVerdict) {
      weight += share * part.weight;
      score.total += share * part.weight * (probability - part.value);
      part.weight *= 1 - share;
    }
  }
  score.parts.push_back({.name = "rm",
                         .value = probability,
                         .weight = weight,
                         .reason = fmt::format("log-odds {:.3f}", reward),
                         .kind = PartKind::kModel});
}

}  // namespace

Result<void> check_reward_model(const RewardOptions& reward) {
  const auto report = read_report(reward);
  return report ? Result<void>() : report.error().with_context("reward.reward_model");
}

std::string reward_model_report(const std::string& folder) {
  return folder + "/reward_model.json";
}

std::string reward_model_weights(const std::string& folder) {
  return folder + "/policy";
}

Result<std::unique_ptr<RewardModelSignal>> RewardModelSignal::open(const RewardOptions& reward,
                                                                   const ModelSettings& settings, Workbench& policy) {
  std::unique_ptr<RewardModelSignal> signal(new RewardModelSignal());
  ModelSettings of_model = settings;
  of_model.path = reward_model_weights(reward.reward_model);
  of_model.exact = true;  // it samples nothing, and need not be packed for it
  auto source = open_model(of_model.path);
  if (!source) {
    return source.error().with_context("reward.reward_model");
  }
  auto report = read_report(reward);
  if (!report) {
    return report.error().with_context("reward.reward_model");
  }
  signal->head_flop_ = head_flop_per_token((*source)->hyperparameters);
  signal->body_flop_ = forward_flop_per_token((*source)->hyperparameters) - signal->head_flop_;
  PLUMB_ASSIGN(signal->bench_, Workbench::open(std::move(*source), of_model, false));
  auto tokens =
      judge_tokens(reward_model_report(reward.reward_model), *report, policy.tokenizer(), signal->bench_->tokenizer());
  if (!tokens) {
    return tokens.error().with_context("reward.reward_model");
  }
  const std::int64_t context = signal->bench_->policy().config().max_positions;
  const std::int64_t needed = policy.policy().config().max_positions;
  if (context < needed) {
    return Error{
        fmt::format("reward.reward_model: its context of {} tokens is shorter than the policy's {}; train it from the "
                    "same base model",
                    context, needed)};
  }
  signal->tokens_ = *tokens;
  signal->learned_from_steps_ = objective_of(*report) == "steps";
  signal->share_ = reward.reward_model_share();
  signal->scores_steps_ = reward.process == ProcessSignal::kRewardModel;
  return signal;
}

std::vector<std::int32_t> RewardModelSignal::read_tokens_of(const Completion& completion,
                                                            std::size_t prompt_tokens) const {
  const std::vector<std::int32_t>& ends = bench_->tokenizer().end_ids();
  std::vector<std::int32_t> ids = completion.token_ids;
  if (!ids.empty() && std::ranges::find(ends, ids.back()) != ends.end()) {
    ids.pop_back();
  }
  if (static_cast<std::int64_t>(prompt_tokens + ids.size()) < bench_->policy().config().max_positions) {
    ids.push_back(bench_->tokenizer().eos_id());
  }
  return ids;
}

std::vector<double> RewardModelSignal::rewards(const CompletionGroup& group) {
  std::vector<std::vector<std::int32_t>> completions;
  for (const Completion& completion : group.completions) {
    completions.push_back(read_tokens_of(completion, group.prompt_token_ids.size()));
  }
  count_products(group.prompt_token_ids.size(), completions, completions.size());
  return rewards_of_prompt(bench_->policy(), group.prompt_token_ids, completions, tokens_);
}

// A group's prompt is one, whatever follows it.
void RewardModelSignal::count_products(std::size_t prompt_tokens,
                                       std::span<const std::vector<std::int32_t>> completions, std::size_t readings) {
  std::size_t rows = prompt_tokens;
  for (const std::vector<std::int32_t>& completion : completions) {
    rows += completion.size();
  }
  flop_ += body_flop_ * static_cast<double>(rows) + head_flop_ * static_cast<double>(readings);
}

std::vector<std::vector<RewardModelSignal::StepReward>> RewardModelSignal::step_rewards(const CompletionGroup& group) {
  std::vector<std::vector<StepReward>> all(group.completions.size());
  std::vector<std::size_t> read;
  std::vector<std::vector<std::int32_t>> completions;
  std::vector<std::vector<std::int64_t>> ends;
  std::size_t readings = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Completion& completion = group.completions[i];
    if (completion.token_ids.empty()) {
      continue;
    }
    read.push_back(i);
    completions.push_back(read_tokens_of(completion, group.prompt_token_ids.size()));
    ends.emplace_back();
    for (const StepInTokens& step : steps_of(completion, bench_->tokenizer())) {
      all[i].push_back({step.end, 0});
      ends.back().push_back(step.end);
    }
    ends.back().back() =
        std::ssize(completions.back());  // the last is read at the end-of-sequence token, where there is one
    readings += ends.back().size();
  }
  count_products(group.prompt_token_ids.size(), completions, readings);
  const auto rewards = step_rewards_of_prompt(bench_->policy(), group.prompt_token_ids, completions, ends, tokens_);
  for (std::size_t i = 0; i < read.size(); ++i) {
    for (std::size_t step = 0; step < rewards[i].size(); ++step) {
      all[read[i]][step].reward = rewards[i][step];
    }
  }
  return all;
}

void RewardModelSignal::score_steps(const std::vector<std::vector<StepReward>>& steps, ScoredGroup& group) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const StepReward& step : steps[i]) {
      if (!group.scores[i].unscored) {
        group.scores[i].steps.push_back({step.end, sigmoid(step.reward)});
      }
    }
  }
}

std::vector<double> RewardModelSignal::preferences(const CompletionGroup& group) {
  if (!learned_from_steps_) {
    return rewards(group);
  }
  std::vector<double> least;
  for (const std::vector<StepReward>& steps : step_rewards(group)) {
    least.push_back(steps.empty() ? std::numeric_limits<double>::lowest()
                                  : std::ranges::min(steps, {}, &StepReward::reward).reward);
  }
  return least;
}

double RewardModelSignal::apply(std::vector<ScoredGroup>& groups) {
  flop_ = 0;
  for (ScoredGroup& group : groups) {
    const bool whole = share_ > 0 && group.group.prompt->domain == Domain::kCode;
    const bool by_steps = scores_steps_ && group.group.prompt->domain != Domain::kChat;
    std::vector<std::vector<StepReward>> steps;
    if (by_steps) {
      steps = step_rewards(group.group);
    }
    if (whole) {
      // The last step is read where the whole completion is: one forward says both.
      std::vector<double> all;
      if (!by_steps || std::ranges::any_of(steps, &std::vector<StepReward>::empty)) {
        all = rewards(group.group);
      } else {
        std::ranges::transform(steps, std::back_inserter(all), [](const auto& one) { return one.back().reward; });
      }
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!group.scores[i].unscored) {
          add_part(group.scores[i], share_, all[i]);
        }
      }
    }
    score_steps(steps, group);
  }
  return flop_;
}

std::vector<int> RewardModelSignal::best_of(const std::vector<ScoredGroup>& groups) {
  std::vector<int> best;
  for (const ScoredGroup& group : groups) {
    best.push_back(-1);
    if (group.group.prompt->domain == Domain::kChat) {
      continue;
    }
    double highest = 0;
    int place = 0;
    const std::vector<double> all = preferences(group.group);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (group.scores[i].unscored) {
        continue;
      }
      if (best.back() < 0 || all[i] > highest) {
        best.back() = place;
        highest = all[i];
      }
      ++place;
    }
  }
  return best;
}

namespace {

double mean_of(const std::vector<ScoredStep>& steps) {
  double sum = 0;
  for (const ScoredStep& step : steps) {
    sum += step.score;
  }
  return sum / static_cast<double>(steps.size());
}

}  // namespace

MetricMap proxy_metrics(const std::vector<ScoredGroup>& groups, const RewardOptions& reward) {
  const bool by_steps = reward.reward_model_share() == 0 && reward.process != ProcessSignal::kNone;
  double proxy = 0;
  double gold = 0;
  double count = 0;
  for (const ScoredGroup& group : groups) {
    for (const Score& score : group.scores) {
      const bool climbed = by_steps ? !score.steps.empty() : group.group.prompt->domain == Domain::kCode;
      if (climbed && !score.unscored) {
        proxy += by_steps ? mean_of(score.steps) : score.total;
        gold += is_solved(score) ? 1 : 0;
        ++count;
      }
    }
  }
  return count == 0 ? MetricMap() : MetricMap{{"reward/proxy", proxy / count}, {"reward/gold", gold / count}};
}

MetricMap step_metrics(const std::vector<ScoredGroup>& groups) {
  double sum = 0;
  double steps = 0;
  double completions = 0;
  for (const ScoredGroup& group : groups) {
    for (const Score& score : group.scores) {
      for (const ScoredStep& step : score.steps) {
        sum += step.score;
        ++steps;
      }
      completions += score.steps.empty() ? 0 : 1;
    }
  }
  return steps == 0 ? MetricMap()
                    : MetricMap{{"reward/process/mean", sum / steps}, {"process/steps", steps / completions}};
}

}  // namespace plumb
