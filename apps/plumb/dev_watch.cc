#include "apps/plumb/dev_watch.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "apps/plumb/guards.h"
#include "apps/plumb/stage_eval.h"
#include "core/check.h"

namespace plumb {

DevWatch DevWatch::create(RunContext& context) {
  DevWatch watch(context);
  const GrpoSettings& grpo = context.settings().grpo;
  if (grpo.dev_every > 0) {
    watch.prompts_ = context.prompts({grpo.dev_split});
    if (grpo.dev_prompts > 0 && watch.prompts_.size() > static_cast<std::size_t>(grpo.dev_prompts)) {
      watch.prompts_.resize(static_cast<std::size_t>(grpo.dev_prompts));
    }
    PLUMB_CHECK(!watch.prompts_.empty(), "DevWatch: the run was opened without prompts of dev");
  }
  return watch;
}

Result<MetricMap> DevWatch::after_step(std::int64_t step) {
  const Settings& settings = context_->settings();
  seconds_ = 0;
  const bool last = step == settings.grpo.steps;  // or its weights could not be the best
  if (settings.grpo.dev_every == 0 || (step % settings.grpo.dev_every != 0 && !last)) {
    return MetricMap();
  }
  const std::string visit = "dev " + std::to_string(step);
  EvalLoad load{.set = {settings.grpo.dev_split, prompts_},
                .stage = "grpo",
                .visit = visit,
                .temperature = settings.eval.temperatures.empty() ? 1.0 : settings.eval.temperatures.front(),
                .samples = settings.eval.samples,
                .ignores_interrupt = true};
  PLUMB_ASSIGN(const EvalOutcome outcome, evaluate_once(*context_, load));
  seconds_ = outcome.evaluation.seconds;
  const double score = average_success(outcome.evaluation, load.samples);
  // Else the weights are neither better nor worse.
  const bool judged = std::isfinite(score) && share_unscored(outcome.evaluation) <= kMostLost;
  remember_faults(*context_, outcome);
  if (const std::string lost = lost_words(outcome); !lost.empty()) {
    std::fprintf(stderr, "plumb: warning: evaluation on %s after step %lld: %s; %s\n", load.set.name.c_str(),
                 static_cast<long long>(step), lost.c_str(),
                 judged ? "the shares are of the others" : "it does not choose the best weights");
  }
  since_best_ += judged ? 1 : 0;
  if (judged && (best_.empty() || score > best_score_)) {
    best_score_ = score;
    best_step_ = step;
    since_best_ = 0;
    best_.clear();
    for (const ParameterView& parameter : context_->bench().policy().parameters()) {
      best_.emplace_back(parameter.value.begin(), parameter.value.end());
    }
  }
  MetricMap metrics = evaluation_metrics(outcome.evaluation);
  const auto guards_start = std::chrono::steady_clock::now();
  PLUMB_TRY(add_guards(*context_, visit, true, metrics));
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - guards_start).count();
  return metrics;
}

bool DevWatch::exhausted() const {
  const int patience = context_->settings().grpo.dev_patience;
  return patience > 0 && since_best_ >= patience;
}

std::int64_t DevWatch::restore_best() {
  if (best_.empty()) {
    return 0;
  }
  Policy& policy = context_->bench().policy();
  for (std::size_t i = 0; i < best_.size(); ++i) {
    std::ranges::copy(best_[i], policy.parameters()[i].value.begin());
  }
  policy.commit_update();
  return best_step_;
}

nlohmann::json DevWatch::state() const {
  return {{"best_step", best_step_}, {"best_score", best_score_}, {"since_best", since_best_}};
}

Result<void> DevWatch::restore(const nlohmann::json& state) {
  try {
    best_step_ = state.at("best_step").get<std::int64_t>();
    best_score_ = state.at("best_score").get<double>();
    since_best_ = state.at("since_best").get<int>();
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("the checkpoint's dev evaluation cannot be read: ") + error.what()};
  }
  return {};
}

}  // namespace plumb
