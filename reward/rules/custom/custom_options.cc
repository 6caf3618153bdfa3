#include "reward/rules/custom/custom_options.h"

#include "reward/rules/custom/line_exchange.h"

namespace plumb {

void CustomRewardOptions::describe(ConfigSection& section) {
  section.field("custom_command", command,
                {.help = "a reward of one's own: program and arguments; reads completions as JSON Lines on standard "
                         "input, answers scores on standard output (docs/reward.md)"});
  section.field("custom_endpoint", endpoint,
                {.help = "the same over HTTP, http://host:port/path: JSON Lines are posted, JSON Lines come back"});
  section.choice("custom_role", role, {{"shaping", CustomRole::kShaping}, {"verdict", CustomRole::kVerdict}},
                 {.help = "a part beside the verdict, of weight custom_weight; or the verdict, in place of tests, "
                          "maths and answers"});
  section.field("custom_timeout_s", timeout_s,
                {.help = "of silence while answers are due", .unit = "seconds", .min = 0.01, .max = 3600});
  section.field("custom_retries", retries, {.help = "of a request that failed", .min = 0, .max = 100});
  section.field("custom_breaker_failures", breaker_failures,
                {.help = "in a row, after which it is left alone for a while", .min = 1, .max = 1000});
  section.field("custom_breaker_s", breaker_s, {.help = "that while", .unit = "seconds", .min = 0, .max = 86400});
  section.field("custom_batch", batch, {.help = "completions a request, at most", .min = 1, .max = 4096});
}

Result<void> CustomRewardOptions::check() const {
  if (!command.empty() && !endpoint.empty()) {
    return Error{"reward: custom_command and custom_endpoint are both set; take one of them away"};
  }
  if (!endpoint.empty()) {
    if (const auto address = parse_endpoint(endpoint); !address) {
      return address.error().with_context("reward.custom_endpoint");
    }
  }
  return {};
}

}  // namespace plumb
