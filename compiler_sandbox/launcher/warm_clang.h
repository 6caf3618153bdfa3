#pragma once
// Steps that compile a candidate by going on from a copy of this process, in which clang has read the standard library
// (warm_clang/warm_clang.h).

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plumb {

/// What the judge asks for: "library", the path of the shared object; "argv", "instances" and "sizes" as
/// plumb_clang_load() takes them. False where it cannot be loaded: then the step that is done this way ("replaces", its
/// command line) executes the compiler, as all others do.
bool load_warm_clang(const nlohmann::json& wanted);

/// Compiles, and ends this process when that went well. Returns where it did not; executing `argv` says why. Where
/// clang fails by a signal, that is done from here.
void run_warm_clang(char* const* argv, char* const* environment);

}  // namespace plumb
