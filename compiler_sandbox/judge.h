#pragma once
// The judge: source text and typed calls in, evidence out. Start here. Candidates run in a sandbox of their own
// (docs/sandbox.md); arguments go in one call at a time, values come back, and they are compared in this process:
// expected values never enter a sandbox. Exit codes and printed text never mean success.

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "compiler_sandbox/checkers.h"
#include "compiler_sandbox/isolation.h"
#include "compiler_sandbox/languages.h"
#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// So many times the CPU limit is the wall limit where nobody says another.
constexpr double kWallOfCpu = 5;

/// What a submission may use. Compile limits hold for compiler and linker together; the others for all calls of a
/// function together, and for each test of a whole program.
struct Limits {
  double cpu_s = 2;
  double wall_s = kWallOfCpu * 2;
  int memory_mib = 256;
  int processes = 16;        // processes and threads of the program, its first included
  int output_bytes = 65536;  // standard output and error together; more is OLE
  int file_mib = 16;         // size of the private work folder
  double compile_cpu_s = 5;
  double compile_wall_s = 30;
  int compile_memory_mib = 1024;
};

/// One run of a whole program: what it reads, and what it should print.
struct ProgramTest {
  std::string input;
  std::string output;  // for a checker of kind "program" the answer it is given, which may be empty
};

/// Tests that are Python code themselves (HumanEval, MBPP, unittest). They run in a sandbox of their own; what they
/// call of the candidate is called across its border, with plain values. A test is each assert and each call at the top
/// level, each function test_... and each method test... of a unittest.TestCase; where there is none, the whole code.
struct TestSuite {
  std::string code;     // empty: none. Names that it does not define are the candidate's, `solution` is its module
  std::string helpers;  // run before `code`, on the same, trusted side
  std::vector<std::string> functions;  // that the candidate defines though `helpers` does too
};

/// One program, and the calls or the tests that it is judged by.
struct Submission {
  std::string id;  // for messages only; not part of the evidence's key
  Language language = Language::kNone;
  std::string source;  // compiled or loaded unchanged
  FunctionSignature function;
  std::vector<nlohmann::json> args;      // one JSON array per call, in parameter order
  std::vector<nlohmann::json> expected;  // as many as args; floats may be "nan", "inf", "-inf"
  Limits limits;
  bool stop_at_first_failure = true;
  /// C++: the types of `function` are guesses. Where the program gave the function others, those count
  /// (own_signature.h); the type "auto" is a guess at nothing.
  bool guessed_types = false;
  /// Python: instead of calls, where its code is not empty. Then `function`, `args` and `expected` are not looked at.
  TestSuite suite;
  /// A whole program instead of a function where this is not empty: the name of its language (languages/). Then
  /// `language`, `function`, `args` and `expected` are not looked at. Each test is a process of its own, all in one
  /// sandbox: a file that one leaves in the work folder is there for the next.
  std::string program_language;
  std::vector<ProgramTest> program_tests;
  Checker checker;
  int shown_output_bytes = 4096;  // of a whole program: of Evidence::output and Evidence::errors, each
  /// Names that it must not use ("eval", "os.system", "std::sort"): each use becomes one of Evidence::findings
  /// (forbidden_api.h). Of Python, C and C++. The verdict does not depend on them.
  std::vector<std::string> forbidden;
};

/// How a judge is set up.
struct JudgeOptions {
  int slots = 0;             // programs that run at once; 0 = as many as cores. Up to 16 that sleep come on top
  std::string cache_dir;     // precompiled header and drivers; empty = $XDG_CACHE_HOME/plumb/sandbox
  std::string launcher;      // path of plumb-sandbox; empty = $PLUMB_SANDBOX_LAUNCHER, else beside this program
  std::string cpp_compiler;  // "clang", "gcc", or empty: clang 16 where it is installed, else gcc
  int cpp_optimization = 1;  // the level of -O that C++ candidates are compiled with
  // C++ candidates with <bits/stdc++.h> that a slot compiles before it loads a compiler that has read it, if the build
  // has one: 3 to 4 s and 300 MiB a slot, then 0.3 s less a candidate. -1: never. Never where memory is scarce, either.
  int cold_starts = 3;
  int evidence_mib = 64;           // of evidence kept in memory; the oldest goes
  std::string evidence_dir;        // evidence is kept here too, for later judges with the same tools; empty = nowhere
  std::vector<std::string> allow;  // named loosenings: "no_cgroup", "no_namespaces"; a layer missing otherwise refuses
};

/// Judges programs. All members may be called from any thread at once.
class Judge {
 public:
  Judge() = default;
  virtual ~Judge() = default;
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;

  /// The evidence on one submission. Blocks until a slot is free. A fault of ours (a launcher that died, a starved
  /// machine) is retried on a fresh worker, then reported as SE with `fault`. A time limit is CPU time; a run near it
  /// is repeated alone before it counts. Equal submissions are judged once per judge (`cached`).
  virtual Evidence judge(const Submission& submission) = 0;

  /// judge() of each, over all slots; the result is in the order of `submissions`.
  virtual std::vector<Evidence> judge_all(std::span<const Submission> submissions) = 0;

  /// So many threads that call judge() keep it busy even where some programs sleep.
  [[nodiscard]] virtual int concurrency() const { return 1; }

  /// The languages of whole programs, those included that this machine lacks the tools of.
  [[nodiscard]] virtual const Languages& languages() const {
    static const Languages none;
    return none;
  }

  /// The command that reads the C or C++ program `source` inside a sandbox of this judge, as it is compiled
  /// (clang_reader.h). Empty where plumb was built without clang's libraries.
  [[nodiscard]] virtual std::vector<std::string> clang_reader(const std::string& /*language*/,
                                                              const std::string& /*source*/) const {
    return {};
  }

  /// The layers that hold for every submission of this judge.
  [[nodiscard]] virtual IsolationReport isolation() const = 0;
};

/// Starts the launchers and builds what the cache lacks (a few seconds the first time). Call it before the program
/// holds secrets in its environment or many threads: launchers start with an empty environment and only their socket.
/// Errors: launcher not found, a layer missing that `allow` does not name (the first sentence says which, and the
/// remedies), no interpreter or compiler, an unwritable cache folder, a language file that is wrong (a folder of them
/// that is absent only means that no whole programs are judged).
Result<std::unique_ptr<Judge>> start_judge(const JudgeOptions& options);

}  // namespace plumb
