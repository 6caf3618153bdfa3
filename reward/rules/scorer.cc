#include "reward/rules/scorer.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "compiler_sandbox/findings.h"
#include "reward/rules/answer_match.h"
#include "reward/rules/code_block.h"
#include "reward/rules/code_parts.h"
#include "reward/rules/score_parts.h"
#include "reward/rules/text_parts.h"

namespace plumb {

namespace {

// A program of one prompt and the completions that wrote it.
struct Program {
  const PromptRecord* prompt = nullptr;
  std::string source;
  PartWeights weights;
  std::vector<std::pair<Score*, const Completion*>> scores;
};

// Of code without a function's name: its tests hold one text each, for standard input and output.
bool is_whole_program(const PromptRecord& prompt) {
  return prompt.function.name.empty();
}

Submission submission_of(const Program& program, const std::vector<TestCase>& tests, const char* suite,
                         const Limits& limits, bool stop_at_first_failure) {
  Submission submission;
  submission.id = program.prompt->id + "#" + suite;
  submission.source = program.source;
  if (const TestCode& tests_of = program.prompt->test_code; !tests_of.code.empty()) {
    submission.language = program.prompt->language;
    submission.suite = {tests_of.code, tests_of.helpers, tests_of.functions};
  } else if (is_whole_program(*program.prompt)) {
    submission.program_language = to_string(program.prompt->language);
    for (const TestCase& test : tests) {
      submission.program_tests.push_back({test.args.at(0).get<std::string>(), test.result.get<std::string>()});
    }
  } else {
    submission.language = program.prompt->language;
    submission.function = program.prompt->function;
    for (const TestCase& test : tests) {
      submission.args.push_back(test.args);
      submission.expected.push_back(test.result);
    }
  }
  submission.limits = limits;
  submission.stop_at_first_failure = stop_at_first_failure;
  return submission;
}

// The maths completions of a call, judged together: a worker answers batches faster than single questions.
class MathTable {
 public:
  void add(const PromptRecord& prompt, const Completion& completion, const PartWeights& weights, Score& score) {
    items_.push_back({prompt.answer, completion.text, true});
    asked_.push_back({&prompt, &completion, weights, &score});
  }

  void judge(MathWorker& worker, const ScorerOptions& options) {
    if (items_.empty()) {
      return;
    }
    const std::vector<MathResult> results = worker.verify(items_, options.math);
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Asked& asked = asked_[i];
      if (!results[i].fault.empty()) {
        asked.score->unscored = results[i].fault;
        continue;
      }
      std::vector<ScorePart> parts{math_part(results[i], options.math)};
      add_text_parts(*asked.prompt, *asked.completion, options.reward, asked.weights, parts);
      set_score(*asked.score, std::move(parts));
    }
  }

 private:
  struct Asked {
    const PromptRecord* prompt = nullptr;
    const Completion* completion = nullptr;
    PartWeights weights;
    Score* score = nullptr;
  };

  static ScorePart math_part(const MathResult& result, const MathOptions& options) {
    const std::string shown =
        std::string(to_string(result.verdict)) + " '" + result.extracted.substr(0, 60) + "': " + result.reason;
    return {"math", accepted(result, options) ? 1.0 : 0.0, 1, result.extracted.empty() ? result.reason : shown};
  }

  std::vector<MathItem> items_;
  std::vector<Asked> asked_;
};

// Programs in order of first appearance, so that the order of judging repeats.
class ProgramTable {
 public:
  void add(const PromptRecord& prompt, std::string source, const PartWeights& weights, Score& score,
           const Completion& completion) {
    const auto [place, fresh] = index_.try_emplace({prompt.id, source}, programs_.size());
    if (fresh) {
      programs_.push_back(Program{&prompt, std::move(source), weights, {}});
    }
    programs_[place->second].scores.emplace_back(&score, &completion);
  }
  [[nodiscard]] const std::vector<Program>& programs() const { return programs_; }

 private:
  std::map<std::pair<std::string, std::string>, std::size_t> index_;
  std::vector<Program> programs_;
};

// Makes `score` what it was when this completion could not be scored. Whether it could not.
bool had_fault(const ScorerOptions& options, const CompletionGroup& group, std::size_t index, Score& score) {
  const auto known = options.known_faults ? options.known_faults(group, index) : std::nullopt;
  if (!known || known->unscored.empty()) {
    return false;
  }
  score.unscored = known->unscored;
  score.audit = known->audit;
  score.evidence = known->evidence;
  return true;
}

// Takes back what the audit suite says of completions whose audit was lost when they were scored.
void lose_audits(const ScorerOptions& options, std::vector<ScoredGroup>& groups) {
  for (ScoredGroup& group : groups) {
    for (std::size_t i = 0; i < group.scores.size(); ++i) {
      if (group.scores[i].audit && !group.scores[i].unscored && options.known_faults(group.group, i)) {
        group.scores[i].audit = std::nullopt;
      }
    }
  }
}

void route(const CompletionGroup& group, std::vector<Score>& scores, const ScorerOptions& options, ProgramTable& table,
           MathTable& maths) {
  const PromptRecord& prompt = *group.prompt;
  const bool audited = options.audit && !prompt.audit_tests.empty();
  const PartWeights weights = options.reward.weights(prompt);
  const auto finish = [&](std::vector<ScorePart> parts, const Completion& completion, Score& score) {
    add_text_parts(prompt, completion, options.reward, weights, parts);
    set_score(score, std::move(parts));
  };
  for (std::size_t i = 0; i < scores.size(); ++i) {
    Score& score = scores[i];
    const Completion& completion = group.completions[i];
    if (had_fault(options, group, i, score)) {
      continue;
    }
    if (completion.finish_reason == FinishReason::kAborted) {
      score.unscored = "sampling was stopped before this completion ended";
    } else if (options.reward.custom.is_verdict()) {
      finish({}, completion, score);  // and what add_custom_parts() finds out
    } else if (prompt.domain == Domain::kMath && prompt.answer.find_first_not_of(" \t\r\n") == std::string::npos) {
      score.unscored = "prompt " + prompt.id + " has no answer to compare with";
    } else if (prompt.domain == Domain::kMath) {
      maths.add(prompt, completion, weights, score);
    } else if (prompt.domain != Domain::kCode) {
      auto part = answer_part(prompt, completion.text);
      if (part) {
        finish({std::move(*part)}, completion, score);
      } else {
        score.unscored = part.error().message;
      }
    } else if (prompt.tests.empty() && prompt.test_code.code.empty()) {
      score.unscored = "prompt " + prompt.id + " has no tests";
    } else if (auto block = first_code_block(completion.text)) {
      table.add(prompt, std::move(block->source), weights, score, completion);
    } else {
      finish(no_code_parts(weights, "no closed code block"), completion, score);
      score.audit = audited ? std::optional<double>(0) : std::nullopt;
    }
  }
}

// The static findings of the programs whose prompts count them; a program's error where they could not be had.
std::map<std::size_t, Result<std::vector<StaticFinding>>> look_for_findings(Judge& judge,
                                                                            const std::vector<Program>& programs) {
  std::vector<std::size_t> places;
  std::vector<SourceText> texts;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    if (programs[i].weights.contains("findings")) {
      places.push_back(i);
      texts.push_back({std::string(to_string(programs[i].prompt->language)), programs[i].source});
    }
  }
  std::map<std::size_t, Result<std::vector<StaticFinding>>> found;
  std::vector<Result<std::vector<StaticFinding>>> all = static_findings(judge, texts);
  for (std::size_t n = 0; n < places.size(); ++n) {
    found.emplace(places[n], std::move(all[n]));
  }
  return found;
}

void apply_evidence(const Program& program, const Evidence& evidence, const ScorerOptions& options) {
  const bool audited = options.audit && !program.prompt->audit_tests.empty();
  for (std::size_t i = 0; i < program.scores.size(); ++i) {
    Score& score = *program.scores[i].first;
    score.evidence = evidence;
    score.evidence->cached = evidence.cached || i > 0;
    if (evidence.verdict == Verdict::kSE) {
      score.unscored = evidence.fault.empty() ? "the sandbox failed without a reason" : evidence.fault;
      continue;
    }
    auto parts = code_parts(*program.prompt, program.source, evidence, options.reward, program.weights);
    add_text_parts(*program.prompt, *program.scores[i].second, options.reward, program.weights, parts);
    set_score(score, std::move(parts));
    if (audited && !all_pass(evidence)) {
      score.audit = 0;
    }
  }
}

// Asks the custom reward for its part of every completion that has a score and is to have that part.
void add_custom_parts(CustomReward& custom, const RewardOptions& options, std::vector<ScoredGroup>& groups) {
  std::vector<CustomItem> items;
  std::vector<std::pair<Score*, double>> weighed;
  for (ScoredGroup& group : groups) {
    const PartWeights weights = options.weights(*group.group.prompt);
    const auto weight = weights.find("custom");
    for (std::size_t i = 0; i < group.scores.size(); ++i) {
      if (!group.scores[i].unscored && (options.custom.is_verdict() || weight != weights.end())) {
        items.push_back({group.group.prompt.get(), &group.group.completions[i]});
        weighed.emplace_back(&group.scores[i], weight == weights.end() ? 1 : weight->second);
      }
    }
  }
  const std::vector<CustomScore> found = custom.score(items);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [score, weight] = weighed[i];
    std::vector<ScorePart> parts = std::move(score->parts);
    score->parts.clear();
    if (!found[i].fault.empty()) {
      score->total = 0;
      score->unscored = found[i].fault;
      continue;
    }
    const PartKind kind = options.custom.is_verdict() ? PartKind::kVerdict : PartKind::kShaping;
    ScorePart part{"custom", found[i].value, weight, found[i].reason, kind};
    parts.insert(kind == PartKind::kVerdict ? parts.begin() : parts.end(), std::move(part));
    set_score(*score, std::move(parts));
  }
}

void run_audit(Judge& judge, const std::vector<const Program*>& passing, const ScorerOptions& options) {
  std::vector<Submission> submissions;
  for (const Program* program : passing) {
    submissions.push_back(
        submission_of(*program, program->prompt->audit_tests, "audit", options.limits, options.stop_at_first_failure));
  }
  const std::vector<Evidence> evidence = judge.judge_all(submissions);
  for (std::size_t i = 0; i < passing.size(); ++i) {
    if (evidence[i].verdict == Verdict::kSE) {
      continue;
    }
    for (const auto& [score, completion] : passing[i]->scores) {
      score->audit = all_pass(evidence[i]) ? 1 : 0;
    }
  }
}

}  // namespace

Submission make_submission(const PromptRecord& prompt, const std::string& source, const Limits& limits) {
  return submission_of(Program{&prompt, source, {}, {}}, prompt.tests, "graded", limits, false);
}

Scorer::Scorer(Judge& judge, ScorerOptions options)
    : judge_(judge), options_(std::move(options)), math_worker_(std::make_unique<MathWorker>(options_.math_worker)) {
  if (options_.reward.custom.used()) {
    custom_ = std::make_unique<CustomReward>(options_.reward.custom, options_.custom_scores);
  }
}

std::vector<ScoredGroup> Scorer::score(std::vector<CompletionGroup> groups) {
  std::vector<ScoredGroup> scored(groups.size());
  ProgramTable table;
  MathTable maths;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    scored[g].group = std::move(groups[g]);
    scored[g].scores.resize(scored[g].group.completions.size());
    route(scored[g].group, scored[g].scores, options_, table, maths);
  }
  maths.judge(*math_worker_, options_);
  std::vector<Submission> submissions;
  for (const Program& program : table.programs()) {
    const bool may_stop = options_.stop_at_first_failure && !needs_all_tests(program.weights);
    submissions.push_back(submission_of(program, program.prompt->tests, "graded", options_.limits, may_stop));
  }
  std::vector<Evidence> evidence = judge_.judge_all(submissions);
  for (auto& [place, findings] : look_for_findings(judge_, table.programs())) {
    if (findings) {
      std::ranges::move(*findings, std::back_inserter(evidence[place].findings));
    } else if (evidence[place].verdict != Verdict::kSE) {  // our own fault, so that it must not be a reward
      evidence[place].verdict = Verdict::kSE;
      evidence[place].fault = findings.error().message;
    }
  }
  std::vector<const Program*> passing;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const Program& program = table.programs()[i];
    apply_evidence(program, evidence[i], options_);
    if (options_.audit && all_pass(evidence[i]) && !program.prompt->audit_tests.empty()) {
      passing.push_back(&program);
    }
  }
  run_audit(judge_, passing, options_);
  if (options_.audit && options_.known_faults) {
    lose_audits(options_, scored);
  }
  if (custom_) {
    add_custom_parts(*custom_, options_.reward, scored);
  }
  return scored;
}

}  // namespace plumb
