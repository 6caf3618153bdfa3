#pragma once
// HumanEval from a policy in this process: completions of its problems, and which of them pass.

#include <vector>

#include "apps/plumb/workbench.h"
#include "compiler_sandbox/judge.h"
#include "eval/humaneval.h"

namespace plumb {

struct HumanEvalSampling {
  double temperature = 0;  // 0 = greedy
  int samples = 1;         // per problem
  std::int64_t max_new_tokens = 384;
  std::uint64_t seed = 1;
  bool ignores_interrupt = false;  // Ctrl-C is somebody else's matter
};

struct HumanEvalSample {
  std::size_t problem = 0;  // its place
  std::string completion;   // what continues the problem's prompt
};

/// Problem by problem, `samples` each. Errors: stopped by the user.
Result<std::vector<HumanEvalSample>> sample_humaneval(Workbench& bench, const std::vector<HumanEvalProblem>& problems,
                                                      const HumanEvalSampling& options);

/// The verdicts on the samples, in order. SE: a sample that could not be judged; nothing is known of it.
std::vector<Evidence> judge_humaneval(Judge& judge, const std::vector<HumanEvalProblem>& problems,
                                      const std::vector<HumanEvalSample>& samples);

}  // namespace plumb
