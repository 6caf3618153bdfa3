#pragma once
// Which types a C++ candidate gave the function that is asked for, where nobody said which it must have.

#include <optional>

#include "compiler_sandbox/judge.h"
#include "compiler_sandbox/languages.h"
#include "compiler_sandbox/toolchain.h"
#include "compiler_sandbox/worker.h"

namespace plumb {

/// The function of `submission` with types of drivers.h's kOwnCppType, as its source defines it (of several, the first
/// with as many parameters as its calls have arguments). Read by libclang in a session of `worker`, where nothing of
/// the source is run; what it says is not trusted (is_own_cpp_type). Nothing where there is none, where a type is not
/// one of the standard library's that values can have, or where python3-clang-16 is not installed.
std::optional<FunctionSignature> own_signature(Worker& worker, Toolchain& tools, const Languages& languages,
                                               const Submission& submission);

}  // namespace plumb
