#pragma once
// The templates of a slot: a Python interpreter from its start on, and clang once candidates have asked for it. Without
// namespaces there is none: there all children of the launcher are ended with a session.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compiler_sandbox/launcher/slot.h"

namespace plumb {

/// Of steps that run one of `drivers` (warm_python.h).
StepTemplate python_template(const Slot& slot, const std::vector<std::string>& drivers);

/// Of the step that compiles as `wanted` says (warm_clang.h).
StepTemplate clang_template(const Slot& slot, const nlohmann::json& wanted);

}  // namespace plumb
