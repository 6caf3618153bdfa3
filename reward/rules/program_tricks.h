#pragma once
// Whole programs that want the reward of a task without solving it.

#include <string>
#include <vector>

#include "core/records.h"

namespace plumb {

struct ProgramTrick {
  std::string name;        // as in Probe::trick
  std::string source;      // in the prompt's language
  bool may_solve = false;  // there are honest tasks that it solves
};

/// A program in `language` that reads nothing and writes `output`, byte for byte.
std::string printing_program(const std::string& output, Language language);

/// For a prompt whose tests are standard input and output: programs that exit, print words of success or every expected
/// output, copy their input, look for the tests in the file system, close their output or end their parent.
std::vector<ProgramTrick> program_tricks(const PromptRecord& prompt);

}  // namespace plumb
