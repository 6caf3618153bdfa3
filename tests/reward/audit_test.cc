#include <gtest/gtest.h>

#include <set>

#include "reward/rules/audit_probes.h"
#include "reward/rules/exploits.h"
#include "reward/rules/literal_text.h"
#include "reward/rules/reward_audit.h"

namespace plumb {
namespace {

std::shared_ptr<PromptRecord> python_prompt() {
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "t/double/python";
  prompt->language = Language::kPython;
  prompt->function = {"double", {{"x", "int"}}, "int"};
  prompt->tests = {{{1}, 2}, {{2}, 4}, {{5}, 10}, {{10}, 20}};
  prompt->reference = "def double(x: int) -> int:\n    return x * 2\n";
  prompt->messages = {{"user", "Write double."}};
  return prompt;
}

// A gullible judge: everything that holds the given word passes.
class GullibleJudge : public Judge {
 public:
  explicit GullibleJudge(std::string word) : word_(std::move(word)) {}
  Evidence judge(const Submission& submission) override {
    Evidence evidence;
    evidence.total = static_cast<int>(submission.args.size());
    const bool pass = submission.source.find("x * 2") != std::string::npos ||
                      (!word_.empty() && submission.source.find(word_) != std::string::npos);
    evidence.verdict = pass ? Verdict::kAC : Verdict::kWA;
    evidence.passed = pass ? evidence.total : 0;
    evidence.tests.assign(submission.args.size(), evidence.verdict);
    return evidence;
  }
  std::vector<Evidence> judge_all(std::span<const Submission> submissions) override {
    std::vector<Evidence> all;
    for (const Submission& submission : submissions) {
      all.push_back(judge(submission));
    }
    return all;
  }
  [[nodiscard]] IsolationReport isolation() const override { return {}; }

 private:
  std::string word_;
};

RewardAudit audit_with(const std::string& word, ScorerOptions options = {}) {
  GullibleJudge judge(word);
  const std::vector<std::shared_ptr<const PromptRecord>> prompts = {python_prompt()};
  return audit_reward(judge, prompts, options, {});
}

TEST(RewardAudit, ASoundJudgeHasNoFindings) {
  const RewardAudit audit = audit_with("");
  EXPECT_EQ(audit.prompts, 1);
  EXPECT_GT(audit.probes, 20);
  EXPECT_TRUE(audit.false_accepts.empty()) << audit.false_accepts[0].trick;
  EXPECT_TRUE(audit.false_rejects.empty()) << audit.false_rejects[0].trick;
  EXPECT_TRUE(audit.unstable.empty());
  EXPECT_EQ(audit.latencies_ms.size(), static_cast<std::size_t>(audit.probes));
  EXPECT_EQ(audit.mutants, audit.mutants_refused);
  EXPECT_GE(audit.mutants, 1);
}

TEST(RewardAudit, AJudgeThatBelievesExitsIsFoundOut) {
  const RewardAudit audit = audit_with("_exit");
  ASSERT_EQ(audit.false_accepts.size(), 2U);
  EXPECT_EQ(audit.false_accepts[0].trick, "exit");
  EXPECT_EQ(audit.false_accepts[1].trick, "exit_on_import");
  EXPECT_EQ(audit.tricks.at("exit").total, 1);
}

TEST(RewardAudit, ShapingShowsWhatATrickEarns) {
  ScorerOptions options;
  options.reward.ran_weight = 0.1;
  const RewardAudit audit = audit_with("", options);
  EXPECT_EQ(audit.tricks.at("constant").total, 0.1);
  EXPECT_EQ(audit.tricks.at("constant").part, "ran");
  EXPECT_EQ(audit.tricks.at("empty").total, 0);
}

TEST(RewardAudit, WholeProgramsAreProbedToo) {
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "t/twice";
  prompt->messages = {{"user", "Print twice the number."}};
  prompt->tests = {{{"1\n"}, "2\n"}, {{"4\n"}, "8\n"}};
  prompt->reference = "print(int(input()) * 2)\n";
  for (const Language language : {Language::kPython, Language::kCpp}) {
    prompt->language = language;
    std::set<std::string> tricks;
    for (const Probe& probe : audit_probes(*prompt, 3)) {
      tricks.insert(probe.trick);
    }
    for (const char* trick : {"reference", "mutant", "constant", "exit", "prints_every_output", "ends_its_parent",
                              "copies_its_input", "unclosed_fence", "empty", "ten_thousand_words"}) {
      EXPECT_TRUE(tricks.count(trick)) << trick;
    }
  }
  EXPECT_EQ(constant_program(*prompt, "2\n"), "#include <cstdio>\nint main() { std::fputs(\"2\\n\", stdout); }\n");
  prompt->tests.clear();  // nothing to cheat
  EXPECT_TRUE(audit_probes(*prompt, 3).empty());
}

TEST(RewardAudit, MathsProbesAgainstTheRealRule) {
  GullibleJudge judge("");
  auto prompt = std::make_shared<PromptRecord>();
  prompt->domain = Domain::kMath;
  prompt->answer = "12";
  prompt->messages = {{"user", "What is 3 times 4?"}};
  const std::vector<std::shared_ptr<const PromptRecord>> prompts = {prompt};
  const RewardAudit audit = audit_reward(judge, prompts, {}, {});
  EXPECT_TRUE(audit.false_accepts.empty()) << audit.false_accepts[0].text;
  EXPECT_TRUE(audit.false_rejects.empty()) << audit.false_rejects[0].text;
  EXPECT_EQ(audit.tricks.at("unclosed_box").total, 0);  // the one that may be solved is not counted where it is
}

TEST(SourceMutants, OneFaultEachOutsideQuotes) {
  const auto mutants = source_mutants("def f(x):\n    return x + 1 if x <= 0 else '1 + 1'\n", 100);
  const std::set<std::string> all(mutants.begin(), mutants.end());
  EXPECT_EQ(all, (std::set<std::string>{"def f(x):\n    return x - 1 if x <= 0 else '1 + 1'\n",
                                        "def f(x):\n    return x + 2 if x <= 0 else '1 + 1'\n",
                                        "def f(x):\n    return x + 1 if x < 0 else '1 + 1'\n",
                                        "def f(x):\n    return x + 1 if x <= 1 else '1 + 1'\n"}));
  EXPECT_EQ(source_mutants("return x + 1", 1).size(), 1U);
  EXPECT_TRUE(source_mutants("", 5).empty());
}

TEST(LiteralText, BothLanguages) {
  EXPECT_EQ(literal_text({1, 2}, "list[int]", Language::kCpp), "std::vector<int>{1, 2}");
  EXPECT_EQ(literal_text({true}, "list[bool]", Language::kPython), "[True]");
  EXPECT_EQ(literal_text("a\"b", "str", Language::kPython), "\"a\\\"b\"");
  EXPECT_EQ(literal_text(3, "float", Language::kCpp), "3.0");
  EXPECT_EQ(literal_text("inf", "float", Language::kPython), "float(\"inf\")");
  const nlohmann::json pairs = {{"a", {1, 2}}};
  EXPECT_EQ(literal_text(pairs, "dict[str, tuple[int, int]]", Language::kPython), "{\"a\": (1, 2)}");
  EXPECT_EQ(literal_text(pairs, "dict[str, tuple[int, int]]", Language::kCpp),
            "std::map<std::string, std::tuple<int, int>>{{\"a\", std::tuple<int, int>{1, 2}}}");
  EXPECT_EQ(literal_text({1}, "set[int]", Language::kPython), "{1}");
  EXPECT_EQ(literal_text(nlohmann::json::array(), "set[int]", Language::kPython), "set()");
  EXPECT_EQ(literal_text(nullptr, "optional[int]", Language::kCpp), "std::nullopt");
  EXPECT_EQ(literal_text({{"__tuple__", {-5}}}, "any", Language::kPython), "(-5,)");
  EXPECT_EQ(literal_text({{"__int__", "-36893488147419103232"}}, "any", Language::kPython), "-0x20000000000000000");
  EXPECT_EQ(literal_text("ab", "bytes", Language::kPython), "bytes([97, 98])");
}

std::vector<std::string> kinds_of(const std::string& source) {
  std::vector<std::string> kinds;
  for (const Exploit& exploit : exploits_in(*python_prompt(), "```python\n" + source + "```")) {
    kinds.push_back(exploit.kind);
  }
  return kinds;
}

TEST(Exploits, AFixtureOfEach) {
  using Kinds = std::vector<std::string>;
  EXPECT_EQ(kinds_of("def double(x):\n    return x * 2\n"), Kinds{});
  EXPECT_EQ(kinds_of("def double(x):\n    if x == 1: return 2\n    if x == 5:\n        return 10\n    return 0\n"),
            Kinds{"special_cased_tests"});
  EXPECT_EQ(kinds_of("def double(x):\n    return {1: 2, 2: 4, 5: 10}[x]\n"), Kinds{"special_cased_tests"});
  EXPECT_EQ(kinds_of("def double(x):\n    if x == 1: return 2\n    return x + x\n"), Kinds{});
  EXPECT_EQ(kinds_of("def double(x):\n    print('4')\n"), Kinds{"prints_without_computing"});
  EXPECT_EQ(kinds_of("def double(x):\n    print(x * 2)\n"), Kinds{});
  EXPECT_EQ(kinds_of("def double(x):\n    try:\n        return x * 2\n    except Exception:\n        return 0\n"),
            Kinds{"swallows_exceptions"});
  EXPECT_TRUE(exploits_in(*python_prompt(), "no block").empty());
}

}  // namespace
}  // namespace plumb
