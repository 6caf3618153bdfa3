#include "apps/plumb/reward_model_signal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/atomic_file.h"
#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

Result<JudgeTokens> read_tokens(const std::string& folder, const Tokenizer& policy, const Tokenizer& model) {
  const std::string path = folder + "/reward_model.json";
  PLUMB_ASSIGN(const std::string text, read_file(path));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  JudgeTokens tokens;
  for (const auto& [key, id] : {std::pair("good", &tokens.good), std::pair("bad", &tokens.bad)}) {
    const std::string id_key = std::string(key) + "_id";
    const bool named = json.is_object() && json.contains(key) && json[key].is_string() && json.contains(id_key) &&
                       json[id_key].is_number_integer();
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

void add_part(Score& score, double share, double reward) {
  const double probability = 1 / (1 + std::exp(-reward));
  for (ScorePart& part : score.parts) {
    part.weight *= 1 - share;
  }
  score.parts.push_back({.name = "rm",
                         .value = probability,
                         .weight = share,
                         .reason = fmt::format("log-odds {:.3f}", reward),
                         .kind = PartKind::kShaping});
  score.total = (1 - share) * score.total + share * probability;
}

}  // namespace

std::string reward_model_weights(const std::string& folder) {
  return folder + "/policy";
}

Result<std::unique_ptr<RewardModelSignal>> RewardModelSignal::open(const std::string& folder,
                                                                   const ModelSettings& settings,
                                                                   const Workbench& policy) {
  std::unique_ptr<RewardModelSignal> signal(new RewardModelSignal());
  ModelSettings of_model = settings;
  of_model.path = reward_model_weights(folder);
  of_model.exact = true;  // it samples nothing, and need not be packed for it
  auto source = open_model(of_model.path);
  if (!source) {
    return source.error().with_context("reward.reward_model");
  }
  PLUMB_ASSIGN(signal->bench_, Workbench::open(std::move(*source), of_model, false));
  auto tokens = read_tokens(folder, policy.tokenizer(), signal->bench_->tokenizer());
  if (!tokens) {
    return tokens.error().with_context("reward.reward_model");
  }
  signal->tokens_ = *tokens;
  return signal;
}

std::vector<double> RewardModelSignal::rewards(const CompletionGroup& group) {
  const std::vector<std::int32_t>& ends = bench_->tokenizer().end_ids();
  std::vector<std::vector<std::int32_t>> completions;
  for (const Completion& completion : group.completions) {
    completions.push_back(completion.token_ids);
    std::vector<std::int32_t>& ids = completions.back();
    if (!ids.empty() && std::ranges::find(ends, ids.back()) != ends.end()) {
      ids.pop_back();
    }
    ids.push_back(bench_->tokenizer().eos_id());  // as in the pairs that it learned from
  }
  return rewards_of_prompt(bench_->policy(), group.prompt_token_ids, completions, tokens_);
}

void RewardModelSignal::apply(double share, std::vector<ScoredGroup>& groups) {
  for (ScoredGroup& group : groups) {
    if (group.group.prompt->domain != Domain::kCode) {
      continue;
    }
    const std::vector<double> all = rewards(group.group);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!group.scores[i].unscored) {
        add_part(group.scores[i], share, all[i]);
      }
    }
  }
}

std::vector<int> RewardModelSignal::best_of(const std::vector<ScoredGroup>& groups) {
  std::vector<int> best;
  for (const ScoredGroup& group : groups) {
    best.push_back(-1);
    if (group.group.prompt->domain != Domain::kCode) {
      continue;
    }
    double highest = 0;
    int place = 0;
    const std::vector<double> all = rewards(group.group);
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

MetricMap proxy_metrics(const std::vector<ScoredGroup>& groups) {
  double proxy = 0;
  double gold = 0;
  double count = 0;
  for (const ScoredGroup& group : groups) {
    for (const Score& score : group.scores) {
      if (group.group.prompt->domain == Domain::kCode && !score.unscored) {
        proxy += score.total;
        gold += is_solved(score) ? 1 : 0;
        ++count;
      }
    }
  }
  return count == 0 ? MetricMap() : MetricMap{{"reward/proxy", proxy / count}, {"reward/gold", gold / count}};
}

}  // namespace plumb
