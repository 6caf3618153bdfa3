#pragma once
// How a session's first process comes to be: a copy of the launcher in namespaces of its own, with ids of the slot's.

#include <sys/types.h>

#include <string>

#include "compiler_sandbox/launcher/slot.h"
#include "compiler_sandbox/launcher/step.h"

namespace plumb {

/// What programs of `slot` are inside their session, and the filter that they run under.
StepIdentity identity_of(const Slot& slot, const std::string& work_folder);

/// Makes init, which waits for one byte on `socket` and then serves there (init.h). -1 with errno set on failure.
pid_t start_init(const Slot& slot, int socket, const std::string& work_folder);

/// Of an init that waits. Root maps init and the program to two ids of the slot; a user can map only its own.
bool write_id_maps(const Slot& slot, pid_t pid);

}  // namespace plumb
