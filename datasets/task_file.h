#pragma once
// Task files: JSON Lines in, PromptRecords out. The row shapes (docs/records.md has the mapping): plumb's functions and
// maths, tests that are code, verl, TRL and plain text. A row's keys tell its shape, so shapes may be mixed in one
// file.

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// Which rows of a file become prompts.
struct TaskFileOptions {
  std::vector<Language> languages;  // of function tasks; empty = every language of the row
  std::vector<std::string> splits;  // "sft", "rl", "dev", "test"; empty = all
  std::string name = {};            // of the file in the ids of rows that name none; empty = the last part of its path
};

/// The prompts of a file in file order; a function task makes one per language, "<id>/python" and "<id>/cpp". Audit
/// inputs are taken from the row's "audit" or from audit.jsonl in the same folder. Errors: one sentence with file,
/// line, key, expected and found, for a file that cannot be read and for the first row that is not valid; also for an
/// id used twice and for a file without rows, or in which `options` leave no prompt. Reads at most 1 GiB, lines of at
/// most 16 MiB.
Result<std::vector<PromptRecord>> load_prompts(const std::filesystem::path& file, const TaskFileOptions& options);

/// One demonstration for each prompt that has a reference, in order: for code the reference in one fenced block and
/// nothing else, for the rest the reference as it stands (maths: a line of working that ends in \boxed{answer}; plain
/// text: the text).
std::vector<SftRecord> demonstrations(std::span<const PromptRecord> prompts);

}  // namespace plumb
