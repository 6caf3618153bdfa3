#pragma once
// Completions that try to get a reward without solving the task, and some that solve it. What a reward gives them says
// whether a policy may be trained on it.

#include <string>
#include <vector>

#include "core/records.h"

namespace plumb {

/// What a sound reward does with a probe. kEither: both are right (a mutant may be equal to the reference).
enum class Expected { kSolved, kUnsolved, kEither };

struct Probe {
  std::string trick;  // "reference", "constant", "exit", ...; the same for all prompts
  std::string text;   // the whole completion
  Expected expected = Expected::kUnsolved;
};

/// The probes for a prompt: its reference if it has one (in several dresses), mutants of it (trick "mutant"), empty
/// text, constants, the prompt's echo, wrong blocks before right ones, exits, objects that equal everything, macros,
/// printing, swallowed exceptions, an unclosed fence, 10,000 tokens; for maths boxes that are empty, unclosed,
/// superseded or many; for whole programs those of program_tricks.h. Deterministic. `mutants`: how many at most.
std::vector<Probe> audit_probes(const PromptRecord& prompt, std::size_t mutants);

/// `source` with one small fault each: another operator, a number off by one, a turned comparison, True for False. At
/// most `limit`, evenly spread over the places where one can be put. Text inside quotes is left alone.
std::vector<std::string> source_mutants(const std::string& source, std::size_t limit);

/// A program in the prompt's language that always returns `value`, or for whole programs prints it.
std::string constant_program(const PromptRecord& prompt, const nlohmann::json& value);

}  // namespace plumb
