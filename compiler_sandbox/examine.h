#pragma once
// One try at judging one submission on one worker: compile, run the calls, say what was seen. Whether that counts, or
// has to be seen again, is the judge's decision (judge.cc).

#include "compiler_sandbox/call_loop.h"
#include "compiler_sandbox/judge.h"
#include "compiler_sandbox/running_step.h"
#include "compiler_sandbox/toolchain.h"
#include "compiler_sandbox/worker.h"

namespace plumb {

/// Why what was seen does not count yet.
enum class Doubt {
  kNone,
  kNearLimit,  // more CPU time than allowed, but not so much that a busy machine could not be the reason
  kIdle,       // the wall limit passed while the program hardly used or waited for a processor, and it was not plainly
               // asleep for its own reasons
  kFault,      // ours: Evidence::fault says what; a fresh worker may do better
  kHopeless,   // ours, and no worker can do better (a call that does not fit its signature, an absent driver)
};

struct Finding {
  Evidence evidence;
  Doubt doubt = Doubt::kNone;
};

/// Beside other programs a step may use this share of its CPU limit before it is stopped: more than the limit but less
/// than this is kNearLimit. Alone, the limit itself holds.
constexpr double kCpuSlack = 1.5;

/// Examines `submission` in a session of its own, which is ended before this returns. `alone`: nothing else is judged
/// meanwhile, so kNearLimit is not returned.
Finding examine(Worker& worker, Toolchain& tools, const Submission& submission, bool alone);

/// What the answers to calls and the step's own report say together: the step is ended, and a limit that was broken
/// during the last call, or found broken after it, is that call's verdict. `results` has at least one test.
Finding conclude(RunningStep& running, const CallResults& results, double cpu_s, bool alone);

/// Whether what the last of so many `runs` of a program, which ended before its time, left unanswered may be asked of a
/// fresh one, which has limits of its own. Not after a time-out, and not without end: at most 16 runs, which together
/// (`before`: of those before this one) have taken less than three times the CPU time and twice the wall time of one.
bool may_run_again(const Finding& run, int runs, const Evidence& before, const Limits& limits);

/// Adds what one more run of the same program showed.
void add_run(Finding& all, Finding run);

}  // namespace plumb
