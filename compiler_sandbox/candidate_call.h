#pragma once
// One call to a candidate's driver: a frame there, a frame back.

#include <optional>
#include <string>

#include "compiler_sandbox/answer_reader.h"
#include "compiler_sandbox/running_step.h"
#include "core/records.h"

namespace plumb {

/// Why there is no answer.
enum class CallFailure {
  kNone,
  kSpoiled,  // the program wrote into the channel: nothing that follows could be trusted to be an answer
  kDied,     // the program can no longer answer; how it ended, its step's report will say
};

struct CallOutcome {
  CallFailure failure = CallFailure::kNone;
  Answer answer;
};

/// Sends `arguments` (encoded values) and waits for the answer, of whose payload at most `payload_limit` bytes are
/// kept.
CallOutcome call_candidate(RunningStep& running, const std::string& arguments, std::size_t payload_limit);

/// Words of a candidate as far as anybody reads them: the first 4 KiB. A driver keeps them shorter; what it sends is in
/// the candidate's hands.
std::string bounded(std::string words);

/// What an exception's payload says: "type\nline\ntext", bounded.
struct CandidateException {
  std::string type;
  Diagnostic message;
};
CandidateException read_exception(std::string payload);

/// The verdict that an exception of this kind of frame ('X' in a call, 'L' while loading) makes.
Verdict verdict_of_exception(char kind, const std::string& type);

}  // namespace plumb
