#include "compiler_sandbox/launcher/templates.h"

#include "compiler_sandbox/launcher/init_start.h"
#include "compiler_sandbox/launcher/root_tree.h"
#include "compiler_sandbox/launcher/step_copy.h"
#include "compiler_sandbox/launcher/warm_clang.h"
#include "compiler_sandbox/launcher/warm_python.h"

namespace plumb {

namespace {

StepTemplate start_template(const Slot& slot, StepTemplate::Program parts, const StepProgram& program) {
  if (!slot.namespaces) {
    return {};
  }
  parts.start = [&slot, program](int socket) {
    run_copy(socket, {identity_of(slot, kWorkMount), slot.readable}, program);
  };
  return StepTemplate::create(parts);
}

}  // namespace

StepTemplate python_template(const Slot& slot, const std::vector<std::string>& drivers) {
  return start_template(slot,
                        {.load = [drivers] { return load_warm_python(drivers); },
                         .does = [drivers](const auto& argv) { return is_warm_python(argv, drivers); },
                         .start = {}},
                        [](const StepRequest& request, char* const*, char* const*) { run_warm_python(request.argv); });
}

StepTemplate clang_template(const Slot& slot, const nlohmann::json& wanted) {
  const auto replaces = wanted.at("replaces").get<std::vector<std::string>>();
  return start_template(
      slot,
      {.load = [wanted] { return load_warm_clang(wanted); },
       .does = [replaces](const auto& argv) { return argv == replaces; },
       .start = {}},
      [](const StepRequest&, char* const* argv, char* const* environment) { run_warm_clang(argv, environment); });
}

}  // namespace plumb
