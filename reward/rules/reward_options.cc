#include "reward/rules/reward_options.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/nearest.h"

namespace plumb {
namespace {

constexpr double kMaxShaping = 0.5;
constexpr double kMostWeight = 0.499;
const std::vector<std::string> kParts = {"fraction", "ran",    "near_miss",  "forbidden", "findings",
                                         "format",   "length", "repetition", "custom"};

struct SourceLine {
  std::string source;
  PartWeights weights;
};

Result<double> weight_of(const std::string& text) {
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc() || end != text.data() + text.size() || !(weight >= 0 && weight < kMaxShaping)) {
    return Error{"expected a weight from 0 to below 0.5, found '" + text + "'"};
  }
  return weight;
}

Result<SourceLine> parse(const std::string& line) {
  const std::size_t colon = line.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return Error{"expected 'data_source: part=weight ...'"};
  }
  SourceLine parsed;
  parsed.source = line.substr(0, colon);
  std::istringstream words(line.substr(colon + 1));
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      return Error{"expected part=weight, found '" + word + "'"};
    }
    const std::string part = word.substr(0, equals);
    if (std::find(kParts.begin(), kParts.end(), part) == kParts.end()) {
      return Error{"unknown part '" + part + "'; did you mean '" + nearest_name(part, kParts) + "'?"};
    }
    PLUMB_ASSIGN(parsed.weights[part], weight_of(word.substr(equals + 1)));
  }
  return parsed;
}

Result<void> check_sum(const PartWeights& weights, const std::string& whose) {
  double sum = 0;
  std::string terms;
  for (const auto& [part, weight] : weights) {
    sum += weight;
    terms += (terms.empty() ? "" : " + ") + part + " " + to_toml_value(weight);
  }
  if (sum >= kMaxShaping) {
    return Error{"reward: shaping" + whose +
                 " must weigh less than 0.5 in all, so that an unsolved task never outscores a " +
                 "solved one; found " + terms + "; lower some of them"};
  }
  return {};
}

}  // namespace

void RewardOptions::describe(ConfigSection& section) {
  section.choice("code", code, {{"all_or_nothing", CodeScoring::kAllOrNothing}, {"fraction", CodeScoring::kFraction}},
                 {.help = "all tests or nothing; or also a part for the share of tests passed, above what the best "
                          "constant answer passes"});
  const auto weight = [&](const char* name, double& value, const char* help) {
    section.field(name, value, {.help = help, .min = 0, .max = kMostWeight});
  };
  weight("fraction_weight", fraction_weight, "of that share; all tests passed is still 1");
  weight("ran_weight", ran_weight, "for a program that compiles and ends every call by itself, e.g. 0.1");
  weight("near_miss_weight", near_miss_weight, "for failing a single test, or failing by white space alone");
  section.field("forbidden", forbidden, {.help = "names that code must not use, e.g. eval, os.system, std::system"});
  weight("forbidden_weight", forbidden_weight, "taken off where one is used");
  weight("findings_weight", findings_weight,
         "taken off, times what the static findings of the code add up to, 1 at most (docs/sandbox.md)");
  section.field("findings", findings,
                {.help = "what one counts, by severity or, before that, by weakness, e.g. \"CWE-78=1\""});
  weight("format_weight", format_weight, "for a response in the form asked for: one code block, one box");
  weight("length_weight", length_weight, "taken off, growing over the last length_buffer tokens below length_limit");
  section.field("length_limit", length_limit,
                {.help = "where the length penalty is full", .unit = "tokens", .min = 0, .max = 1 << 24});
  section.field("length_buffer", length_buffer,
                {.help = "over which it grows, DAPO's soft overlong zone", .unit = "tokens", .min = 0, .max = 1 << 24});
  weight("repetition_weight", repetition_weight, "taken off, times the share of repeated four-word phrases");
  weight("custom_weight", custom_weight, "of a reward of one's own, where custom_role = shaping");
  custom.describe(section);
  section.choice("combine", combine,
                 {{"sum_then_normalise", PartCombination::kSumThenNormalise},
                  {"normalise_then_sum", PartCombination::kNormaliseThenSum}},
                 {.help = "of the parts of a score: before or after the group's mean and spread are taken out"});
  section.choice(
      "code_signal", code_signal,
      {{"tests", CodeSignal::kTests}, {"rm", CodeSignal::kRewardModel}, {"mix", CodeSignal::kMix}},
      {.help = "what code is rewarded by: its tests, a reward model's probability that they pass, or a mix"});
  section.field(
      "reward_model", reward_model,
      {.help = "the folder of a `plumb reward-model` run, for rm and mix; of rm.objective = steps for process"});
  section.field("reward_model_weight", reward_model_weight, {.help = "its share of the mix", .min = 0, .max = 1});
  section.choice("process", process, {{"none", ProcessSignal::kNone}, {"rm", ProcessSignal::kRewardModel}},
                 {.help = "process supervision of maths and code: each step of a completion is rewarded by the reward "
                          "model, and a token by the steps that end at it or after it"});
  section.field("outcome_weight", outcome_weight,
                {.help = "of the whole completion's advantage, added to its steps', with process; 0 = steps alone",
                 .min = 0,
                 .max = 1e3});
  section.field("source_weights", source_weights,
                {.help = "other weights for some data sources, e.g. \"primer/code: fraction=0.2 ran=0.1\""});
}

namespace {

// "high=1", "CWE-78=0.5".
Result<std::pair<std::string, double>> finding_rule(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::string number = equals == std::string::npos ? "" : text.substr(equals + 1);
  const bool weakness = name.starts_with("CWE-") && name.size() > 4 &&
                        std::all_of(name.begin() + 4, name.end(), [](char c) { return c >= '0' && c <= '9'; });
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  const bool fits = error == std::errc() && end == number.data() + number.size() && value >= 0 && value <= 1;
  if (!fits || (!weakness && name != "high" && name != "medium" && name != "low")) {
    return Error{"reward.findings: expected high, medium, low or CWE-<number>, '=' and a number from 0 to 1, found '" +
                 text + "'"};
  }
  return std::pair(name, value);
}

bool weighs_custom(const RewardOptions& options) {
  const auto line_does = [](const std::string& line) {
    const auto parsed = parse(line);
    return parsed && parsed->weights.contains("custom");
  };
  return options.custom_weight > 0 ||
         std::any_of(options.source_weights.begin(), options.source_weights.end(), line_does);
}

Result<void> check_custom(const RewardOptions& options) {
  PLUMB_TRY(options.custom.check());
  const bool weighed = weighs_custom(options);
  if (weighed && !options.custom.used()) {
    return Error{"reward.custom_weight: set reward.custom_command or reward.custom_endpoint too"};
  }
  if (weighed && options.custom.is_verdict()) {
    return Error{"reward.custom_weight: with custom_role = verdict the weight is what shaping leaves; take it away"};
  }
  if (!weighed && options.custom.used() && !options.custom.is_verdict()) {
    return Error{"reward.custom_command, custom_endpoint: nothing would ask it; set reward.custom_weight, or " +
                 std::string("reward.custom_role = \"verdict\"")};
  }
  if (options.custom.is_verdict() && options.code_signal != CodeSignal::kTests) {
    return Error{"reward.custom_role: verdict goes with code_signal = tests alone"};
  }
  return {};
}

}  // namespace

double finding_penalty(const std::vector<std::string>& findings, int cwe, std::string_view severity) {
  const std::string weakness = "CWE-" + std::to_string(cwe);
  double by_severity = 0;
  for (const std::string& text : findings) {
    const auto rule = finding_rule(text);
    if (rule && rule->first == weakness) {
      return rule->second;
    }
    by_severity = rule && rule->first == severity ? rule->second : by_severity;
  }
  return by_severity;
}

Result<void> RewardOptions::check() const {
  for (const std::string& text : findings) {
    PLUMB_TRY(finding_rule(text));
  }
  if (length_weight > 0 && (length_limit == 0 || length_buffer > length_limit)) {
    return Error{"reward.length_weight: set reward.length_limit, and reward.length_buffer to no more than that"};
  }
  if (code_signal != CodeSignal::kTests && reward_model.empty()) {
    return Error{"reward.code_signal: rm and mix need reward.reward_model, the folder of a `plumb reward-model` run"};
  }
  if (process != ProcessSignal::kNone && reward_model.empty()) {
    return Error{
        "reward.process: rm needs reward.reward_model, the folder of a `plumb reward-model` run with rm.objective = "
        "steps"};
  }
  if (code_signal != CodeSignal::kTests && combine == PartCombination::kNormaliseThenSum) {
    return Error{"reward.combine: normalise_then_sum goes with code_signal = tests alone"};
  }
  PLUMB_TRY(check_custom(*this));
  PLUMB_TRY(check_sum(weights(""), ""));
  for (const std::string& line : source_weights) {
    auto parsed = parse(line);
    if (!parsed) {
      return parsed.error().with_context("reward.source_weights: '" + line + "'");
    }
    PLUMB_TRY(check_sum(weights(parsed->source), " of " + parsed->source));
  }
  return {};
}

RewardOptions RewardOptions::verdicts() const {
  RewardOptions options;
  if (custom.is_verdict()) {
    options.custom = custom;
  }
  return options;
}

double RewardOptions::reward_model_share() const {
  return code_signal == CodeSignal::kTests ? 0 : code_signal == CodeSignal::kMix ? reward_model_weight : 1;
}

bool RewardOptions::uses_reward_model() const {
  return code_signal != CodeSignal::kTests || process != ProcessSignal::kNone;
}

bool RewardOptions::is_graded() const {
  const auto grades = [](const PartWeights& weights) {
    return std::any_of(weights.begin(), weights.end(), [](const auto& entry) { return entry.first != "forbidden"; });
  };
  const auto source_grades = [&](const std::string& line) {
    const auto parsed = parse(line);
    return parsed && grades(weights(parsed->source));
  };
  return reward_model_share() > 0 || custom.is_verdict() || process != ProcessSignal::kNone || grades(weights("")) ||
         std::any_of(source_weights.begin(), source_weights.end(), source_grades);
}

PartWeights RewardOptions::weights(const PromptRecord& prompt) const {
  PartWeights chosen = weights(prompt.data_source);
  const auto names_it = [&](const std::string& line) {
    const auto parsed = parse(line);
    return parsed && parsed->source == prompt.data_source && parsed->weights.contains("forbidden");
  };
  const bool decided = !forbidden.empty() || std::any_of(source_weights.begin(), source_weights.end(), names_it);
  if (!decided && !prompt.forbidden_names.empty() && forbidden_weight > 0) {
    double others = 0;
    for (const auto& [part, weight] : chosen) {
      others += weight;
    }
    const double left = std::min(forbidden_weight, kMostWeight - others);
    if (left > 0) {
      chosen.emplace("forbidden", left);
    }
  }
  return chosen;
}

PartWeights RewardOptions::weights(std::string_view data_source) const {
  PartWeights chosen = {{"ran", ran_weight},       {"near_miss", near_miss_weight}, {"findings", findings_weight},
                        {"format", format_weight}, {"length", length_weight},       {"repetition", repetition_weight},
                        {"custom", custom_weight}};
  if (code == CodeScoring::kFraction) {
    chosen["fraction"] = fraction_weight;
  }
  if (!forbidden.empty()) {
    chosen["forbidden"] = forbidden_weight;
  }
  for (const std::string& line : source_weights) {
    const auto parsed = parse(line);
    if (parsed && parsed->source == data_source) {
      for (const auto& [part, weight] : parsed->weights) {
        chosen[part] = weight;
      }
    }
  }
  std::erase_if(chosen, [](const auto& entry) { return entry.second == 0; });
  return chosen;
}

bool needs_all_tests(const PartWeights& weights) {
  return weights.contains("fraction") || weights.contains("ran") || weights.contains("near_miss");
}

}  // namespace plumb
