#pragma once
// The plain structs that rooms pass to each other (docs/records.md maps them to JSON). datasets, actor, reward and
// learner never include one another: they meet here. Every record carries ids and provenance, so that one score can be
// replayed alone.

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/kept_set.h"

namespace plumb {

enum class Domain { kCode, kMath, kChat };
enum class Language { kNone, kCpp, kPython };

std::string_view to_string(Domain domain);
std::string_view to_string(Language language);  // "none", "cpp", "python"

/// One turn of a conversation. `role` is "system", "user" or "assistant".
struct Message {
  std::string role;
  std::string content;
};

/// A parameter or result type of a judged function: "int", "float", "bool", "str", "list[T]" (T one of the former or
/// again a list). Values travel as JSON; the judge compares them type-strictly (true is not 1, 1 is not 1.0).
struct Parameter {
  std::string name;
  std::string type;
};

/// What a task asks for: a function of this name, these parameters and this result.
struct FunctionSignature {
  std::string name;
  std::vector<Parameter> parameters;
  std::string returns;
};

/// One call of the judged function: `args` is a JSON array in parameter order, `result` the expected value. Results
/// never enter the sandbox.
struct TestCase {
  nlohmann::json args;
  nlohmann::json result;
};

/// Tests that are Python code themselves and call the candidate's functions (compiler_sandbox/judge.h, TestSuite).
struct TestCode {
  std::string code;                    // empty: there is none
  std::string helpers;                 // run before it, on the tests' side
  std::vector<std::string> functions;  // the candidate's, although `helpers` defines them
};

/// A task as the policy sees it: one prompt, and what its completions are judged by.
struct PromptRecord {
  std::string id;           // unique in a data set, e.g. "primer/sum_even/cpp"
  std::string family;       // tasks whose solutions resemble each other; splits go by family
  std::string split;        // "sft", "rl", "dev", "test"
  std::string data_source;  // e.g. "primer/code"; selects the weights of reward.source_weights
  std::string license;      // SPDX id
  Domain domain = Domain::kCode;
  Language language = Language::kNone;
  std::vector<Message> messages;      // without the chat template's default system turn; empty: no task, plain text
  FunctionSignature function;         // code only
  std::vector<TestCase> tests;        // code only: the graded calls
  std::vector<TestCase> audit_tests;  // code only: never used as reward
  std::string answer;                 // maths only: ground truth
  std::string reference;              // a solution (source text or worked answer); empty where none is known; or the
                                      // plain text
  nlohmann::json extra_info = {};     // the row's own "extra_info", for custom rewards; null where there is none
  TestCode test_code = {};            // code only: graded instead of `tests`, which are empty then
  bool trains_every_turn = false;     // SftRecord::every_turn of its demonstration
  std::vector<std::string> forbidden_names = {};  // code only: beside those of reward.forbidden
};

/// One demonstration: loss is on `completion`, end token included. Without messages `completion` is plain text.
struct SftRecord {
  std::string id;
  std::string source;
  std::vector<Message> messages;
  std::string completion;
  bool every_turn = false;  // loss is on the assistant turns among `messages` as well
};

enum class FinishReason { kEndOfSequence, kStop, kLength, kAborted };
std::string_view to_string(FinishReason reason);  // "eos", "stop", "length", "aborted"

/// Names the random numbers of a completion; with the weights it determines every token (core/rng.h).
struct RandomStreamId {
  std::uint32_t purpose = 0;
  std::uint64_t seed = 0;
  std::uint32_t draw = 0;
  std::uint32_t sample = 0;
};

/// One sampled continuation of a prompt.
struct Completion {
  std::vector<std::int32_t> token_ids;        // [T] the end-of-sequence token included when it was sampled
  std::vector<float> log_probs;               // [T] natural; of the distribution each token was sampled from
  std::vector<std::int64_t> weight_versions;  // [T] of the weights each token was sampled with
  std::vector<KeptSet> kept;                  // [T] what truncation left to draw from; empty where nothing truncates
  RandomStreamId stream;
  FinishReason finish_reason = FinishReason::kLength;
  std::string text;  // decoded, without special tokens; may hold invalid UTF-8 at a cut
};

/// G completions of one prompt: the unit that advantages are computed over.
struct CompletionGroup {
  std::shared_ptr<const PromptRecord> prompt;
  std::vector<std::int32_t> prompt_token_ids;  // [P]
  std::uint32_t draw = 0;                      // how often this prompt had been drawn in the run
  std::vector<Completion> completions;         // [G]
};

/// What a judge found. SE is our own fault (retried, then the sample is masked): it is never a property of a program.
enum class Verdict { kAC, kWA, kPE, kCE, kRE, kTLE, kMLE, kOLE, kSV, kSE };
std::string_view to_string(Verdict verdict);  // "AC", "WA", ...

/// One message of a compiler or interpreter.
struct Diagnostic {
  std::string severity;  // "error", "warning", "note"
  std::string message;
  int line = 0;           // 1-based, of the candidate's source; 0 = unknown, or of another file
  int column = 0;         // likewise
  std::string file = "";  // "solution.cpp"; of another file with its place: "/usr/include/c++/12/vector:37"; or empty
  std::string flag = "";  // of the rule that it is by: "-Wreturn-type"; or empty
};

/// A weakness that a program's text shows (compiler_sandbox/findings.h).
struct StaticFinding {
  std::string rule;      // e.g. "unsafe-deserialisation", "core.NullDereference"
  int cwe = 0;           // its number in the Common Weakness Enumeration (cwe.mitre.org)
  std::string severity;  // "low", "medium", "high"
  int line = 0;          // 1-based
  int column = 0;        // 1-based
  std::string message;
};

/// What was observed when a program was compiled and run: facts, no score.
struct Evidence {
  Verdict verdict = Verdict::kSE;
  int passed = 0;
  int total = 0;
  std::vector<Verdict> tests;           // per test, in order; short when judging stopped early
  std::vector<Diagnostic> diagnostics;  // why it failed, then a compiler's warnings; at most 64 KiB of text
  std::vector<StaticFinding> findings;  // only where they were asked for
  std::string output;                   // what the program printed, truncated; bytes, not necessarily UTF-8
  std::string errors;                   // of a whole program: its standard error, likewise, of the same run
  int exit_code = -1;                   // of a whole program: of the same run; -1 = it did not end by itself
  int signal = 0;                       // of a whole program: what ended that run, if a signal did
  double cpu_s = 0;
  double wall_s = 0;
  double peak_mib = 0;
  std::string isolation;      // the layers in force, e.g. "user,pid,mount,net,ipc,seccomp,cgroup_v1"
  std::string tool_versions;  // of what built and ran it: "Debian clang version 16.0.6 (15~deb12u1); mold 1.10.1"
  std::string fault;          // SE only: what of ours broke
  bool cached = false;
};

/// What a part of a score is for. Verdicts say whether the task was solved; shaping (values in [0, 1]) and penalties
/// (values in [-1, 0]) only make one completion better than another. A model (values in [0, 1]) stands in for verdicts,
/// in part or altogether, and says nothing of whether the task was solved.
enum class PartKind { kVerdict, kShaping, kPenalty, kModel };

/// One named part of a score.
struct ScorePart {
  std::string name;  // "tests", "math", "format", ...
  double value = 0;
  double weight = 1;
  std::string reason;
  PartKind kind = PartKind::kVerdict;
};

/// What a reward model thinks of a completion up to the end of one of its steps (core/steps.h).
struct ScoredStep {
  std::int64_t end = 0;  // one past its last token
  double score = 0;      // in (0, 1)
};

/// A completion's score. `unscored` holds the fault when our own infrastructure failed: such a sample is out of the
/// loss and out of the group's baseline, never a 0.
struct Score {
  double total = 0;
  std::vector<ScorePart> parts;
  std::optional<std::string> unscored;
  std::optional<double> audit;  // what the audit suite says (1 or 0), where it was asked; never a reward
  std::optional<Evidence> evidence;
  std::vector<ScoredStep> steps = {};  // where steps are rewarded (reward.process); ends rise to the completion's
};

/// A group with its scores, in completion order.
struct ScoredGroup {
  CompletionGroup group;
  std::vector<Score> scores;  // [G]
};

}  // namespace plumb
