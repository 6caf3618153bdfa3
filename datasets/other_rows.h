#pragma once
// Rows of the other four shapes: plumb's maths (and GSM8K's, which has the same keys), verl's, TRL's and plain text.

#include <optional>
#include <string>
#include <vector>

#include "core/records.h"
#include "datasets/row.h"

namespace plumb {

/// A maths row: "question", "answer", optionally "worked". The prompt is the question and a line that asks for
/// \boxed{}.
Result<PromptRecord> read_math_row(const Row& row);

/// A verl row: "prompt" (list of turns), "data_source", "reward_model.ground_truth", "extra_info". Code where the
/// ground truth is the JSON text {"inputs", "outputs", "fn_name"?}; maths otherwise. A whole-program task (no fn_name)
/// has an empty function name, and its cases are args = [standard input], result = expected standard output.
Result<PromptRecord> read_verl_row(const Row& row);

/// A TRL row: "prompt" (text or list of turns) or "messages" (whose last assistant turn becomes the reference), and
/// "solution", "answer" or "completion". Maths where there is a solution or an answer, else chat. Of "messages" every
/// assistant turn is trained on.
Result<PromptRecord> read_trl_row(const Row& row);

/// A row of plain text to train on, "text": no messages, the text as the reference; of the split "sft" unless it says
/// otherwise. Errors: the text is empty.
Result<PromptRecord> read_text_row(const Row& row);

/// The turns at `key`: a text is one user turn. Errors: neither text nor list of {role, content} with known roles.
Result<std::vector<Message>> read_messages(const Row& row, const char* key);

/// The answer inside a worked solution: what the last \boxed{} holds, else what follows the last "####", else nothing.
std::optional<std::string> final_answer(const std::string& solution);

/// "train" -> "rl", "val", "valid" and "validation" -> "dev"; anything else stays.
std::string split_name(const std::string& name);

}  // namespace plumb
