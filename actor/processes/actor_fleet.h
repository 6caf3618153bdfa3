#pragma once
// Several actor processes on this machine, as one actor. A completion's tokens follow from the weights, the prompt and
// the number of the draw alone, so which process samples it, and how often, changes nothing: what an actor that died or
// hung had begun is sampled again by another, with the same bits.

#include <memory>
#include <string>
#include <vector>

#include "actor/actor.h"

namespace plumb {

struct ActorFleetOptions {
  std::string program;                 // runs run_actor_process(); gets, after `arguments`, --folder, --name, --learner
  std::vector<std::string> arguments;  // e.g. "actor", "--model", ...
  int num_processes = 2;
  int max_restarts = 3;    // of all together; then the others go on alone
  double timeout_s = 300;  // an actor that has a job, or starts, and says nothing for so long is ended
  std::string log_folder;  // each process's output: actor-0.log, ...
};

/// generate() is a Generator's but where it is stopped: completions that had not ended are then empty, and a bad
/// request is refused when an actor comes to it. It returns an error when no process is left.
class ActorFleet : public Actor {
 public:
  /// Starts the processes; they load while the caller goes on. Weights are passed as files in a folder of the fleet's
  /// own, in memory (/dev/shm) where there is room, which is removed when the fleet or its last process ends. Errors:
  /// no folder, no socket, no process.
  static Result<std::unique_ptr<ActorFleet>> start(ActorFleetOptions options, const WeightSet& weights);

  /// What happened to processes since the last call, a sentence each, for the user.
  virtual std::vector<std::string> take_notes() = 0;
};

}  // namespace plumb
