#pragma once
// Which types a C++ candidate gave the function that is asked for, where nobody said which it must have.

#include <optional>
#include <string>
#include <vector>

#include "compiler_sandbox/judge.h"
#include "compiler_sandbox/languages.h"
#include "compiler_sandbox/toolchain.h"
#include "compiler_sandbox/worker.h"

namespace plumb {

/// The function of `submission` with types of drivers.h's kOwnCppType, as its source declares it (of several, the first
/// that a call with as many arguments fits). Read by plumb-clang-reader (`reader`, of clang_reader_command()) in a
/// session of `worker`, where nothing of the source is run; what it says is not trusted (is_own_cpp_type). Nothing
/// where there is none, where a type is not one of the standard library's that values can have, or where `reader` is
/// empty.
std::optional<FunctionSignature> own_signature(Worker& worker, Toolchain& tools, const Languages& languages,
                                               const std::vector<std::string>& reader, const Submission& submission);

}  // namespace plumb
