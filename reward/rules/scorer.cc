#include "reward/rules/scorer.h"

#include <map>
#include <string>
#include <utility>

#include "reward/rules/code_block.h"

namespace plumb {

namespace {

// A program of one prompt and the completions that wrote it.
struct Program {
  const PromptRecord* prompt = nullptr;
  std::string source;
  std::vector<Score*> scores;
};

Submission make_submission(const Program& program, const std::vector<TestCase>& tests, const char* suite,
                           const ScorerOptions& options) {
  Submission submission;
  submission.id = program.prompt->id + "#" + suite;
  submission.language = program.prompt->language;
  submission.source = program.source;
  submission.function = program.prompt->function;
  for (const TestCase& test : tests) {
    submission.args.push_back(test.args);
    submission.expected.push_back(test.result);
  }
  submission.limits = options.limits;
  submission.stop_at_first_failure = options.stop_at_first_failure;
  return submission;
}

bool all_pass(const Evidence& evidence) {
  return evidence.verdict == Verdict::kAC && evidence.total > 0 && evidence.passed == evidence.total;
}

std::string explain(const Evidence& evidence) {
  const std::string counts = std::to_string(evidence.passed) + " of " + std::to_string(evidence.total) + " tests pass";
  if (evidence.verdict == Verdict::kAC) {
    return counts;
  }
  if (evidence.verdict == Verdict::kCE) {
    for (const Diagnostic& diagnostic : evidence.diagnostics) {
      if (diagnostic.severity == "error") {
        return "does not compile: " + diagnostic.message;
      }
    }
    return "does not compile";
  }
  std::string text(to_string(evidence.verdict));
  for (std::size_t i = 0; i < evidence.tests.size(); ++i) {
    if (evidence.tests[i] != Verdict::kAC) {
      text = std::string(to_string(evidence.tests[i])) + " in test " + std::to_string(i + 1);
      break;
    }
  }
  return text + " (" + counts + ")";
}

void set_single_part(Score& score, const char* name, double value, std::string reason) {
  score.total = value;
  score.parts = {ScorePart{name, value, 1, std::move(reason)}};
}

// The maths completions of a call, judged together: a worker answers batches faster than single questions.
class MathTable {
 public:
  void add(const PromptRecord& prompt, const Completion& completion, Score& score) {
    items_.push_back({prompt.answer, completion.text, true});
    scores_.push_back(&score);
  }

  void judge(MathWorker& worker, const MathOptions& options) {
    if (items_.empty()) {
      return;
    }
    const std::vector<MathResult> results = worker.verify(items_, options);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const MathResult& result = results[i];
      if (!result.fault.empty()) {
        scores_[i]->unscored = result.fault;
        continue;
      }
      const double value = accepted(result, options) ? 1 : 0;
      const std::string shown =
          std::string(to_string(result.verdict)) + " '" + result.extracted.substr(0, 60) + "': " + result.reason;
      set_single_part(*scores_[i], "math", value, result.extracted.empty() ? result.reason : shown);
    }
  }

 private:
  std::vector<MathItem> items_;
  std::vector<Score*> scores_;
};

// Programs in order of first appearance, so that the order of judging repeats.
class ProgramTable {
 public:
  void add(const PromptRecord& prompt, std::string source, Score& score) {
    const auto [place, fresh] = index_.try_emplace({prompt.id, source}, programs_.size());
    if (fresh) {
      programs_.push_back(Program{&prompt, std::move(source), {}});
    }
    programs_[place->second].scores.push_back(&score);
  }
  [[nodiscard]] const std::vector<Program>& programs() const { return programs_; }

 private:
  std::map<std::pair<std::string, std::string>, std::size_t> index_;
  std::vector<Program> programs_;
};

void route(const CompletionGroup& group, std::vector<Score>& scores, bool audit, ProgramTable& table,
           MathTable& maths) {
  const PromptRecord& prompt = *group.prompt;
  const bool audited = audit && !prompt.audit_tests.empty();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    Score& score = scores[i];
    if (group.completions[i].finish_reason == FinishReason::kAborted) {
      score.unscored = "sampling was stopped before this completion ended";
    } else if (prompt.domain == Domain::kMath) {
      maths.add(prompt, group.completions[i], score);
    } else if (prompt.domain != Domain::kCode) {
      score.unscored = "no rule scores the domain " + std::string(to_string(prompt.domain)) + " of " + prompt.id;
    } else if (prompt.tests.empty()) {
      score.unscored = "prompt " + prompt.id + " has no tests";
    } else if (auto block = first_code_block(group.completions[i].text)) {
      table.add(prompt, std::move(block->source), score);
    } else {
      set_single_part(score, "tests", 0, "no closed code block");
      score.audit = audited ? std::optional<double>(0) : std::nullopt;
    }
  }
}

void apply_evidence(const Program& program, const Evidence& evidence, bool audit) {
  const bool audited = audit && !program.prompt->audit_tests.empty();
  for (std::size_t i = 0; i < program.scores.size(); ++i) {
    Score& score = *program.scores[i];
    score.evidence = evidence;
    score.evidence->cached = evidence.cached || i > 0;
    if (evidence.verdict == Verdict::kSE) {
      score.unscored = evidence.fault.empty() ? "the sandbox failed without a reason" : evidence.fault;
      continue;
    }
    const bool pass = all_pass(evidence);
    set_single_part(score, "tests", pass ? 1 : 0, explain(evidence));
    if (audited && !pass) {
      score.audit = 0;
    }
  }
}

void run_audit(Judge& judge, const std::vector<const Program*>& passing, const ScorerOptions& options) {
  std::vector<Submission> submissions;
  for (const Program* program : passing) {
    submissions.push_back(make_submission(*program, program->prompt->audit_tests, "audit", options));
  }
  const std::vector<Evidence> evidence = judge.judge_all(submissions);
  for (std::size_t i = 0; i < passing.size(); ++i) {
    if (evidence[i].verdict == Verdict::kSE) {
      continue;
    }
    for (Score* score : passing[i]->scores) {
      score->audit = all_pass(evidence[i]) ? 1 : 0;
    }
  }
}

}  // namespace

Scorer::Scorer(Judge& judge, ScorerOptions options)
    : judge_(judge), options_(std::move(options)), math_worker_(std::make_unique<MathWorker>(options_.math_worker)) {}

std::vector<ScoredGroup> Scorer::score(std::vector<CompletionGroup> groups) {
  std::vector<ScoredGroup> scored(groups.size());
  ProgramTable table;
  MathTable maths;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    scored[g].group = std::move(groups[g]);
    scored[g].scores.resize(scored[g].group.completions.size());
    route(scored[g].group, scored[g].scores, options_.audit, table, maths);
  }
  maths.judge(*math_worker_, options_.math);
  std::vector<Submission> submissions;
  for (const Program& program : table.programs()) {
    submissions.push_back(make_submission(program, program.prompt->tests, "graded", options_));
  }
  const std::vector<Evidence> evidence = judge_.judge_all(submissions);
  std::vector<const Program*> passing;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const Program& program = table.programs()[i];
    apply_evidence(program, evidence[i], options_.audit);
    if (options_.audit && all_pass(evidence[i]) && !program.prompt->audit_tests.empty()) {
      passing.push_back(&program);
    }
  }
  run_audit(judge_, passing, options_);
  return scored;
}

}  // namespace plumb
