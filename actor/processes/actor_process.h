#pragma once
// The work of an actor's process: samples what a learner asks for, with the weights that it sends.

#include <sys/types.h>

#include <string>

#include "core/result.h"
#include "core/thread_pool.h"
#include "policy/policy.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

struct ActorProcessOptions {
  std::string folder;  // of the learner's ActorFleet: its socket, and the weights that it sends
  std::string name;    // by which the fleet knows it
  pid_t learner = 0;   // the process ends when its parent is no longer this one; 0: never
  ComputeDtype dtype = ComputeDtype::kBf16;
  bool exact = true;
};

/// Serves until the learner says that it is done, or has gone: then it removes the folder that the learner left.
/// Errors: a socket that cannot be connected to; weights that cannot be read, or of another model than `config`.
Result<void> run_actor_process(const ModelConfig& config, const Tokenizer& tokenizer, ThreadPool& pool,
                               const ActorProcessOptions& options);

}  // namespace plumb
