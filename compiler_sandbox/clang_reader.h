#pragma once
// The judge's side of plumb-clang-reader (clang_reader/main.cc), the program that reads C and C++ inside the sandbox:
// weaknesses, forbidden names, structure and a function's types, of one parse.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compiler_sandbox/judge.h"
#include "core/result.h"

namespace plumb {

/// Copies the program from beside `launcher` into the cache folder, which every sandbox sees; its name there, which
/// tells versions apart. Empty where plumb was built without it. Errors: the folder cannot be written.
Result<std::string> place_clang_reader(const std::string& launcher, const std::string& cache_dir);

/// Its command line but for what is asked: `path` as the sandbox sees it, and how the candidate is compiled
/// (`cpp_arguments`, of C++).
std::vector<std::string> clang_reader_command(const std::string& path, bool c,
                                              const std::vector<std::string>& cpp_arguments);

/// A submission that asks `question` ({"findings": bool, "structure": bool, "forbidden": [names]}) of a C or C++
/// source; the answer is what it prints. Errors: plumb was built without the program.
Result<Submission> clang_look(const Judge& judge, const std::string& language, const std::string& source,
                              const nlohmann::json& question);

/// The same with `command`, of clang_reader_command(), which is not empty.
Submission clang_look(std::vector<std::string> command, const std::string& source, const nlohmann::json& question);

/// A submission that runs `tool`, in Python, with `source` as its input. The answer is what it prints.
Submission python_look(std::string tool, const std::string& source);

/// Whether a look ended without an answer by what the text made of the tool: a crash, or a limit that it hit.
bool broke_on_the_text(const Evidence& look);

/// What a look printed. Errors: a fault of ours, a limit that it hit, a tool that broke.
Result<std::string> printed_by(const Evidence& look);

}  // namespace plumb
