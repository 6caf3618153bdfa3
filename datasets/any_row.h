#pragma once
// A row of any known shape to prompts: the part of the loader that needs no file.

#include <span>
#include <vector>

#include "core/records.h"
#include "datasets/row.h"

namespace plumb {

/// The prompts of a row, its shape told by its keys: "function" (plumb), "reward_model" (verl), "question" and "answer"
/// (maths), "prompt" or "messages" (TRL), looked for in this order. A function row makes one prompt for each of its
/// languages that is in `languages` (empty = all), with `audit` as audit cases where it has none itself.
Result<std::vector<PromptRecord>> read_any_row(const Row& row, std::span<const Language> languages,
                                               const nlohmann::json* audit);

}  // namespace plumb
