#include "reward/rules/code_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reward/rules/constant_answer.h"
#include "reward/rules/forbidden_names.h"

namespace plumb {
namespace {

bool came_back(Verdict verdict) {
  return verdict == Verdict::kAC || verdict == Verdict::kWA || verdict == Verdict::kPE;
}

class Parts {
 public:
  Parts(const PromptRecord& prompt, std::string_view source, const Evidence& evidence)
      : prompt_(prompt), source_(source), evidence_(evidence) {
    passed_ = evidence.total > 0 ? static_cast<double>(evidence.passed) / evidence.total : 0;
  }

  [[nodiscard]] ScorePart fraction(double weight) const {
    const double constant = constant_share();
    return {"fraction", share_above_constant(passed_, constant), weight,
            fmt::format("{} of {} tests pass; a constant passes {:.0f} %", evidence_.passed, evidence_.total,
                        100 * constant),
            PartKind::kShaping};
  }

  [[nodiscard]] ScorePart ran(double weight) const {
    const std::vector<Verdict>& tests = evidence_.tests;
    const auto other = std::find_if_not(tests.begin(), tests.end(), came_back);
    const bool all = static_cast<int>(tests.size()) == evidence_.total && evidence_.total > 0;
    const bool yes = all && other == tests.end() && evidence_.verdict != Verdict::kCE;
    return {"ran", yes ? 1.0 : 0.0, weight,
            yes ? "compiles, and every call comes back" : "does not compile, or a call does not come back",
            PartKind::kShaping};
  }

  [[nodiscard]] ScorePart near_miss(double weight) const {
    const std::vector<Verdict>& tests = evidence_.tests;
    const bool all_seen = static_cast<int>(tests.size()) == evidence_.total;
    const bool single = evidence_.passed == evidence_.total - 1;
    const bool blanks = std::all_of(tests.begin(), tests.end(),
                                    [](Verdict verdict) { return verdict == Verdict::kAC || verdict == Verdict::kPE; });
    const bool above = share_above_constant(passed_, constant_share()) > 0;
    if (all_pass(evidence_)) {
      return {"near_miss", 1, weight, "all tests pass", PartKind::kShaping};
    }
    const bool near = all_seen && ((single && above) || (blanks && !tests.empty()));
    return {"near_miss", near ? 1.0 : 0.0, weight,
            near ? (single ? "a single test fails" : "nothing but white space is wrong") : "no near miss",
            PartKind::kShaping};
  }

  [[nodiscard]] ScorePart forbidden(double weight, const RewardOptions& options) const {
    std::string name = forbidden_name_in(source_, prompt_.language, options.forbidden);
    name = name.empty() ? forbidden_name_in(source_, prompt_.language, prompt_.forbidden_names) : name;
    return {"forbidden", name.empty() ? 0.0 : -1.0, weight,
            name.empty() ? "uses no forbidden name" : "uses the forbidden name " + name, PartKind::kPenalty};
  }

  [[nodiscard]] ScorePart findings(double weight, const RewardOptions& options) const {
    double sum = 0;
    const StaticFinding* worst = nullptr;
    double most = 0;
    for (const StaticFinding& finding : evidence_.findings) {
      const double penalty = finding_penalty(options.findings, finding.cwe, finding.severity);
      sum += penalty;
      if (penalty > most) {
        worst = &finding;
        most = penalty;
      }
    }
    return {"findings", -std::min(sum, 1.0), weight,
            worst == nullptr ? "no static finding that counts"
                             : fmt::format("{} static findings, the worst in line {}: {} (CWE-{})",
                                           evidence_.findings.size(), worst->line, worst->message, worst->cwe),
            PartKind::kPenalty};
  }

 private:
  [[nodiscard]] double constant_share() const {
    return best_constant_share(prompt_.tests, prompt_.function.name.empty() ? "" : prompt_.function.returns);
  }

  const PromptRecord& prompt_;
  std::string_view source_;
  const Evidence& evidence_;
  double passed_ = 0;
};

}  // namespace

bool all_pass(const Evidence& evidence) {
  return evidence.verdict == Verdict::kAC && evidence.total > 0 && evidence.passed == evidence.total;
}

std::vector<ScorePart> code_parts(const PromptRecord& prompt, std::string_view source, const Evidence& evidence,
                                  const RewardOptions& options, const PartWeights& weights) {
  std::vector<ScorePart> parts = {{"tests", all_pass(evidence) ? 1.0 : 0.0, 1, explain(evidence)}};
  const Parts made(prompt, source, evidence);
  for (const auto& [name, weight] : weights) {
    if (name == "fraction") {
      parts.push_back(made.fraction(weight));
    } else if (name == "ran") {
      parts.push_back(made.ran(weight));
    } else if (name == "near_miss") {
      parts.push_back(made.near_miss(weight));
    } else if (name == "forbidden") {
      parts.push_back(made.forbidden(weight, options));
    } else if (name == "findings") {
      parts.push_back(made.findings(weight, options));
    }
  }
  return parts;
}

std::vector<ScorePart> no_code_parts(const PartWeights& weights, const std::string& reason) {
  std::vector<ScorePart> parts = {{"tests", 0, 1, reason}};
  for (const auto& [name, weight] : weights) {
    if (name == "fraction" || name == "ran" || name == "near_miss") {
      parts.push_back({name, 0, weight, reason, PartKind::kShaping});
    } else if (name == "forbidden" || name == "findings") {
      parts.push_back({name, 0, weight, reason, PartKind::kPenalty});
    }
  }
  return parts;
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

}  // namespace plumb
