#pragma once
// A whole program in a session of its own: built once, run as often as there are tests.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler_sandbox/examine.h"
#include "compiler_sandbox/languages.h"
#include "compiler_sandbox/running_step.h"
#include "compiler_sandbox/toolchain.h"

namespace plumb {

/// What one run of a program left behind.
struct ProgramRun {
  StepReport report;
  std::string output;
  std::string errors;
  bool flooded = false;
};

class ProgramSession {
 public:
  ProgramSession(Worker& worker, Toolchain& tools, const LanguageFile& language, const Limits& limits, bool alone)
      : worker_(worker), tools_(tools), language_(language), limits_(limits), alone_(alone) {}

  /// Begins the session with `files` beside the source (`more_mib` of room for them) and builds. Nothing where the
  /// program can be run now.
  std::optional<Finding> build(const std::string& source, std::map<std::string, std::string> files, int more_mib);

  /// build() again where the last run took the session with it.
  std::optional<Finding> renew(const std::string& source, const std::map<std::string, std::string>& files,
                               int more_mib);

  /// One run; `error` says what of ours broke, if anything did.
  ProgramRun run(const std::string& input, const std::vector<std::string>& arguments, std::string& error);

  /// The step of a run, for who moves its bytes himself.
  [[nodiscard]] Step step(const std::vector<std::string>& arguments) const;

  [[nodiscard]] const Evidence& build_usage() const { return usage_; }                 // times and memory alone
  [[nodiscard]] const std::vector<Diagnostic>& warnings() const { return warnings_; }  // of the compiler

 private:
  Worker& worker_;
  Toolchain& tools_;
  const LanguageFile& language_;
  const Limits& limits_;
  bool alone_;
  Evidence usage_;
  std::vector<Diagnostic> warnings_;
};

/// The end of `text`, where an interpreter says what went wrong.
std::string tail(const std::string& text);

/// How a run that broke no limit fails by itself: a signal or an exit code. Empty where it did not.
std::string failure_of(const StepReport& report, const std::string& errors);

/// The verdict on such a run: MLE where its last words are those of a runtime that was refused memory, else RE. Neither
/// is a pass, so a program gains nothing by saying them.
Verdict verdict_of_failure(const std::string& errors);

/// Why `languages` cannot run a program in `name`; empty where they can.
std::string obstacle_in(const Languages& languages, const std::string& name);

}  // namespace plumb
