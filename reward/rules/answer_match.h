#pragma once
// Answers that need no computing to compare: a letter, a text, or a list of instructions.

#include <string_view>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

/// The letter (A to J) that a response chooses: in its last complete \boxed{}, else behind its last answer marker
/// (reward/rules/math/extract.h), with or without brackets, in either case; 0 where there is none.
char chosen_letter(std::string_view response);

/// The verdict part of a prompt outside code and maths, by what its `answer` is: a JSON list of constraints
/// ("instructions", 1 if all are kept), a single letter from A to J ("choice"), any other text ("exact": the trimmed
/// response, or the answer it marks, is that text). Errors: no answer; constraints that cannot be checked.
Result<ScorePart> answer_part(const PromptRecord& prompt, std::string_view response);

}  // namespace plumb
