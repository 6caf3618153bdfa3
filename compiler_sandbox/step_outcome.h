#pragma once
// What one step of a session says about a program: shared by functions (examine.cc) and whole programs
// (examine_program.cc).

#include <optional>
#include <string>
#include <vector>

#include "compiler_sandbox/examine.h"

namespace plumb {

/// A finding that something of ours broke.
Finding faulty(const std::string& what, Doubt doubt = Doubt::kFault);

/// Adds the times of a step and takes the larger peak.
void add_usage(Evidence& evidence, const StepReport& report);
void add_usage(Evidence& evidence, const Evidence& steps);

/// Adds what a compiler warned of, behind the reason why the program failed, if it did.
void add_warnings(Evidence& evidence, const std::vector<Diagnostic>& warnings);

/// What the limits say about a step, if they say anything: TLE, MLE, or a doubt. `limit_s` is of CPU time. `alone`: see
/// examine().
std::optional<Finding> broken_limit(const StepReport& report, double limit_s, bool alone);

/// How a program that nobody stopped ended, in words.
std::string ending(const StepReport& report);

/// A path below the cache folder as `worker`'s sandbox sees it.
std::string cache_inside(const Worker& worker, const std::string& cache_dir);
std::string cache_inside(const IsolationReport& isolation, const std::string& cache_dir);

/// What became of building a program.
struct BuildOutcome {
  std::optional<Finding> refused;    // nothing where it was built; its evidence holds the usage
  Evidence usage;                    // times and memory alone
  std::vector<Diagnostic> warnings;  // about the candidate's file, where it was built
};

/// Runs compiler and linker (`steps`, which share `cpu_s`) in `worker`'s session. A step that fails is CE, with what it
/// said about `source`, the name of the candidate's file.
BuildOutcome build_program(Worker& worker, const std::vector<Step>& steps, double cpu_s, bool alone,
                           const std::string& source);

}  // namespace plumb
