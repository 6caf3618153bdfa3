#pragma once
// Rows whose tests are Python code: MBPP's, HumanEval's, and anybody's with a key "test_code".

#include "core/records.h"
#include "datasets/row.h"

namespace plumb {

/// Whether `row` has one of the shapes below.
bool has_test_code(const Row& row);

/// A Python task judged by its code of tests, of the first shape that fits:
///   "test_list" (a list of asserts) with "text" or "prompt", "code", "test_setup_code" or "test_imports": MBPP. The
///       prompt shows the first assert, for nothing else tells the function's name
///   "test", "entry_point", "prompt", "canonical_solution": HumanEval; functions of the prompt are the tests' own
///   "test_code" with "prompt", "reference", "helpers", "functions"
Result<PromptRecord> read_test_code_row(const Row& row);

}  // namespace plumb
