#pragma once
// An evaluation is its file below evals/, its samples and its lines of the logs. A process that ends between them would
// leave samples and lines that its resume writes once more; so it notes first how long the logs were.

#include <string>

#include "core/result.h"
#include "eval/evaluation.h"

namespace plumb {

/// Notes, in unfinished-evaluation.json of the run folder, how long the logs are before those of `evaluation` are
/// written. Errors: the disk.
Result<void> begin_evaluation(const std::string& run_dir, const Evaluation& evaluation);

/// Its file is written: forgets the note.
void finish_evaluation(const std::string& run_dir);

/// Before the logs are opened again: cuts them to what is noted, where the evaluation that it was noted for has no
/// file. Errors: the note is no note, or a log cannot be cut.
Result<void> drop_unfinished_evaluation(const std::string& run_dir);

}  // namespace plumb
