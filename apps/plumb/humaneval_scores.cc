#include "apps/plumb/humaneval_scores.h"

#include <memory>

#include "actor/generator.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/rollout.h"
#include "core/progress.h"

namespace plumb {
namespace {

constexpr double kCpuSeconds = 5;  // the package allows 3 s of wall time
constexpr int kMemoryMib = 512;

Submission submission_of(const HumanEvalProblem& problem, const HumanEvalSample& sample) {
  Submission submission;
  submission.id = problem.task_id;
  submission.language = Language::kPython;
  submission.source = humaneval_program(problem, sample.completion);
  submission.suite = {humaneval_tests(problem), problem.prompt, {problem.entry_point}};
  submission.limits.cpu_s = kCpuSeconds;
  submission.limits.wall_s = 4 * kCpuSeconds;
  submission.limits.memory_mib = kMemoryMib;
  return submission;
}

}  // namespace

Result<std::vector<HumanEvalSample>> sample_humaneval(Workbench& bench, const std::vector<HumanEvalProblem>& problems,
                                                      const HumanEvalSampling& options) {
  std::vector<GenerationRequest> requests;
  for (const HumanEvalProblem& problem : problems) {
    auto prompt = std::make_shared<PromptRecord>(humaneval_prompt(problem));
    PLUMB_ASSIGN(auto ids, prompt_token_ids(*prompt, bench.tokenizer(), bench.chat_template()));
    requests.push_back({std::move(prompt), std::move(ids), 0, options.samples, {}});
  }
  GeneratorOptions generation;
  generation.purpose = RngPurpose::kEvaluation;
  generation.seed = options.seed;
  generation.sampling.temperature = static_cast<float>(options.temperature);
  generation.sampling.max_new_tokens = options.max_new_tokens;
  Generator generator(bench.policy(), bench.tokenizer(), bench.pool());
  Progress progress("humaneval: sampling", static_cast<std::int64_t>(problems.size()) * options.samples,
                    progress_in("sample"));
  const auto goes_on = [&] { return options.ignores_interrupt || !interrupted(); };
  PLUMB_ASSIGN(const auto groups, generator.generate(requests, generation, [&](const GenerationProgress& done) {
    progress.update(done.finished);
    return goes_on();
  }));
  progress.finish();
  if (!goes_on()) {
    return Error{"humaneval: stopped by the user before it was complete; nothing was written"};
  }
  std::vector<HumanEvalSample> samples;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const Completion& completion : groups[i].completions) {
      samples.push_back({i, humaneval_completion(problems[i], completion.text)});
    }
  }
  return samples;
}

std::vector<Evidence> judge_humaneval(Judge& judge, const std::vector<HumanEvalProblem>& problems,
                                      const std::vector<HumanEvalSample>& samples) {
  std::vector<Submission> submissions;
  for (const HumanEvalSample& sample : samples) {
    submissions.push_back(submission_of(problems[sample.problem], sample));
  }
  return judge.judge_all(submissions);
}

}  // namespace plumb
