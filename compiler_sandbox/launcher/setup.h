#pragma once
// What a launcher does once, before its first session: cgroup, namespaces, file tree, system-call filter.

#include "compiler_sandbox/launcher/session.h"

namespace plumb {

/// Sets `slot` up as far as this machine allows. `request` has "cache_dir". Returns the layers as
/// [{"name", "present", "detail"}], in the order of docs/sandbox.md; the judge decides whether they suffice.
nlohmann::json set_up_slot(const nlohmann::json& request, Slot& slot);

}  // namespace plumb
