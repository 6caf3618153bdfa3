#pragma once
// Settings that do nothing beside the others: each was meant to do something, so a run says so before it starts.

#include <string>
#include <vector>

#include "apps/plumb/settings.h"

namespace plumb {

/// A sentence for each key of [grpo] and [reward] that is not at its default and acts only where another key is set
/// otherwise. Empty for the shipped configs.
std::vector<std::string> idle_grpo_settings(const Settings& settings);

/// The same of [sft].
std::vector<std::string> idle_sft_settings(const Settings& settings);

/// One line on stderr for each.
void say_idle(const std::vector<std::string>& idle);

}  // namespace plumb
