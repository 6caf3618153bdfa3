#pragma once
// A reward of the user's own: a program, or an endpoint, that reads completions and answers with scores.

#include <string>
#include <vector>

#include "core/config.h"
#include "core/result.h"

namespace plumb {

/// What a custom score is for: one shaping part beside the verdict, or the verdict itself, in place of tests, maths
/// and answers.
enum class CustomRole { kShaping, kVerdict };

/// The custom_* keys of [reward]. At most one of `command` and `endpoint` is set; none: there is no custom reward.
struct CustomRewardOptions {
  std::vector<std::string> command;  // program (looked up in PATH) and arguments; started once, kept
  std::string endpoint;              // http://host[:port]/path
  CustomRole role = CustomRole::kShaping;
  double timeout_s = 30;
  int retries = 2;
  int breaker_failures = 5;
  double breaker_s = 30;
  int batch = 64;

  void describe(ConfigSection& section);

  [[nodiscard]] bool used() const { return !command.empty() || !endpoint.empty(); }
  /// Whether it says by itself what a completion is worth.
  [[nodiscard]] bool is_verdict() const { return used() && role == CustomRole::kVerdict; }
  /// Errors: both a command and an endpoint; an endpoint that is no http address.
  [[nodiscard]] Result<void> check() const;
};

}  // namespace plumb
