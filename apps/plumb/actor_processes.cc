#include "apps/plumb/actor_processes.h"

#include <algorithm>

#include "apps/plumb/run_options.h"

namespace plumb {

Result<std::unique_ptr<ActorFleet>> start_actor_processes(const RolloutSourceParts& parts) {
  const GrpoSettings& settings = parts.settings;
  const int share = std::max(1, parts.pool.num_threads() / settings.actor_processes);
  const int threads = settings.actor_threads > 0 ? settings.actor_threads : share;
  ActorFleetOptions options;
  options.program = "/proc/self/exe";
  options.arguments = {"actor",
                       "--model",
                       parts.model.path,
                       "--threads",
                       std::to_string(threads),
                       "--dtype",
                       dtype_name(parts.policy.dtype())};
  if (!parts.policy.exact()) {
    options.arguments.emplace_back("--inexact");
  }
  options.num_processes = settings.actor_processes;
  options.timeout_s = settings.actor_timeout_s;
  options.log_folder = parts.run_folder + "/actors";
  return ActorFleet::start(std::move(options), copy_weights(parts.policy));
}

}  // namespace plumb
