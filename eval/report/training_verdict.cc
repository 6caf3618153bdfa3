// What a training came to by the evaluations within it, in a sentence: whoever trained with a dev split wants to know
// whether it helped, and whose weights lie in policy/.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/escape.h"
#include "eval/report/sections.h"

namespace plumb {

namespace {

using Points = std::vector<std::pair<double, double>>;  // step, value

// The set that a metric's name is of: "eval/dev/avg@4" is of "dev".
std::string set_of(const std::string& metric) {
  const std::size_t begin = std::string_view("eval/").size();
  return metric.substr(begin, metric.rfind('/') - begin);
}

// As the learner chooses: of equal ones the first.
Points::const_iterator best_of(const Points& points, bool lowest) {
  const auto by_value = [](const auto& a, const auto& b) { return a.second < b.second; };
  return lowest ? std::min_element(points.begin(), points.end(), by_value)
                : std::max_element(points.begin(), points.end(), by_value);
}

std::string grpo_dev(const RunData& run) {
  const std::vector<StepRow> steps = rows_of_grpo_steps(run.metrics);
  const std::string metric = dev_metric(steps);
  const Points points = series_of(steps, "grpo", metric);
  if (metric.empty() || points.empty()) {
    return "";
  }
  const auto best = best_of(points, false);
  const auto& last = points.back();
  const std::string answers = metric.ends_with("/greedy") ? "greedy answers" : "sampled answers";
  const bool rose = best != points.begin();
  std::string html =
      fmt::format("Of {} evaluation{} on “{}” during GRPO the first, at step {:.0f}, found {} of the {} right",
                  points.size(), points.size() == 1 ? "" : "s", escape_html(set_of(metric)), points.front().first,
                  rose ? percent(points.front().second) : "<b>" + percent(best->second) + "</b>", answers);
  if (rose) {
    html += fmt::format(", the best, at step {:.0f}, <b>{}</b>", best->first, percent(best->second));
  } else if (points.size() > 1) {
    html += ", and none after it more";
  }
  if (std::next(best) != points.end()) {
    html += fmt::format("{} the last, at step {:.0f}, {}", rose ? ", and" : ";", last.first, percent(last.second));
  }
  html +=
      fmt::format(". The weights of step {:.0f} are the {}", best->first, run.has_weights ? "result" : "best so far");
  return html + (points.size() > 1 ? " (chosen by this number, which therefore flatters them)." : ".");
}

// "epoch 3" of a step of SFT; "step 7" where no line says.
std::string epoch_of(const RunData& run, double step) {
  const auto row = std::ranges::find_if(run.metrics, [&](const StepRow& one) {
    return one.stage == "sft" && static_cast<double>(one.step) == step && one.values.contains("epoch");
  });
  return row == run.metrics.end() ? fmt::format("step {:.0f}", step)
                                  : fmt::format("epoch {:.0f}", row->values.at("epoch"));
}

std::string when(const RunData& run, double step) {
  return step == 0 ? "before training" : "after " + epoch_of(run, step);
}

std::string sft_dev(const RunData& run) {
  const Points points = series_of(run.metrics, "sft", "eval_loss");
  if (points.empty()) {
    return "";
  }
  const auto& first = points.front();
  const auto& last = points.back();
  const auto best = best_of(points, true);
  std::string html;
  if (best == points.begin()) {
    html = fmt::format("The loss of SFT on dev was <b>{}</b> nats per token {}{}", short_number(first.second),
                       when(run, first.first), points.size() > 1 ? ", and lower after no epoch since" : "");
  } else {
    html =
        fmt::format("SFT brought the loss on dev from {} nats per token {} to <b>{}</b> {} (perplexity {} to {})",
                    short_number(first.second), when(run, first.first), short_number(best->second),
                    when(run, best->first), short_number(std::exp(first.second)), short_number(std::exp(best->second)));
  }
  if (std::next(best) != points.end()) {
    html += fmt::format("; {}, the last, it was {}", when(run, last.first), short_number(last.second));
  }
  const std::string whose = best->first == 0 ? "before training" : "of " + epoch_of(run, best->first);
  const bool goes_on = std::ranges::any_of(run.metrics, [](const StepRow& row) { return row.stage == "grpo"; });
  return html + (goes_on
                     ? fmt::format(". GRPO began with the weights {}.", whose)
                     : fmt::format(". The weights {} are the {}.", whose, run.has_weights ? "result" : "best so far"));
}

// Means of the first and the last steps, as many as a tenth of a long run and half of a short one.
struct Ends {
  std::size_t steps = 0;  // that each is a mean of
  double first = 0;
  double last = 0;
};

Ends ends_of(const Points& points) {
  constexpr std::size_t kMost = 10;
  Ends ends{std::min(kMost, points.size() / 2)};
  for (std::size_t i = 0; i < ends.steps; ++i) {
    ends.first += points[i].second / static_cast<double>(ends.steps);
    ends.last += points[points.size() - 1 - i].second / static_cast<double>(ends.steps);
  }
  return ends;
}

std::string unevaluated_sft(const RunData& run) {
  const Ends ends = ends_of(series_of(run.metrics, "sft", "loss"));
  return ends.steps == 0
             ? ""
             : fmt::format(
                   "Nothing was in the split dev, so SFT was evaluated on nothing: on what it trains on, the "
                   "loss went from {} nats per token in the first {} steps to {} in the last {}.",
                   short_number(ends.first), ends.steps, short_number(ends.last), ends.steps);
}

std::string unevaluated_grpo(const RunData& run) {
  const Ends ends = ends_of(series_of(run.metrics, "grpo", "reward"));
  return ends.steps == 0
             ? ""
             : fmt::format(
                   "Nothing has been evaluated in this run: on the prompts that it trained on, the mean reward went "
                   "from {} in the first {} steps to {} in the last {}.",
                   percent(ends.first), ends.steps, percent(ends.last), ends.steps);
}

// What no other number should be read without.
std::string idle_grpo(const RunData& run) {
  const Points norms = series_of(run.metrics, "grpo", "grad_norm");
  const bool idle = !norms.empty() && std::ranges::all_of(norms, [](const auto& point) { return point.second == 0; });
  return idle ? fmt::format(
                    "<b>None of the {} steps of GRPO made an update</b>: the weights are those it began with (see "
                    "Health).",
                    norms.size())
              : "";
}

std::string joined(std::initializer_list<std::string> sentences) {
  std::string all;
  for (const std::string& sentence : sentences) {
    all += (all.empty() || sentence.empty() ? "" : " ") + sentence;
  }
  return all;
}

}  // namespace

std::string dev_verdict(const RunData& run) {
  return joined({idle_grpo(run), sft_dev(run), grpo_dev(run)});
}

std::string training_verdict(const RunData& run) {
  const std::string sft = sft_dev(run);
  const std::string grpo = grpo_dev(run);
  return joined(
      {idle_grpo(run), sft.empty() ? unevaluated_sft(run) : sft, grpo.empty() ? unevaluated_grpo(run) : grpo});
}

std::string run_verdict(const RunData& run) {
  for (const auto verdict : {evaluation_verdict, reward_model_verdict, profile_verdict, training_verdict}) {
    if (std::string sentence = verdict(run); !sentence.empty()) {
      return sentence;
    }
  }
  return "";
}

}  // namespace plumb
