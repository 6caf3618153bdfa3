#pragma once
// A Python interpreter that is started once and then copied by fork for every run: starting one takes longer than most
// candidates run. It is loaded into a process that has never seen a submission (step_template.h), so a copy holds
// nothing of another run.

#include <string>
#include <vector>

namespace plumb {

/// Loads libpython of the version that /usr/bin/python3 is, sets it up as `python3 -PsSBu` with an environment of
/// PYTHONHASHSEED=0, PYTHONUTF8=1 and LC_ALL=C, imports what candidates import most, and compiles `drivers`. False
/// where there is no such library: then python3 is executed as any other program. Once per process.
bool load_warm_python(const std::vector<std::string>& drivers);

/// Whether `argv` is {"/usr/bin/python3", flags, "-c", one of `drivers`, ...}. For a process that has loaded nothing.
bool is_warm_python(const std::vector<std::string>& argv, const std::vector<std::string>& drivers);

/// Runs that command in this process, a copy of the one that loaded the interpreter, and exits as python3 would.
[[noreturn]] void run_warm_python(const std::vector<std::string>& argv);

}  // namespace plumb
