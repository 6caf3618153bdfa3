#pragma once
// grpo.actor_processes: this program again, as `plumb actor`.

#include <memory>

#include "actor/processes/actor_fleet.h"
#include "apps/plumb/rollout_source.h"

namespace plumb {

/// Starts settings.actor_processes of them for the model of `parts`, with the learner's weights; what they write goes
/// to RUN/actors/. Errors: of ActorFleet::start().
Result<std::unique_ptr<ActorFleet>> start_actor_processes(const RolloutSourceParts& parts);

}  // namespace plumb
