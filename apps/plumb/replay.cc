// plumb replay: one step of a finished or stopped run again, from the checkpoint before it, compared number by number.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "apps/plumb/checkpoint.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/stage_grpo.h"
#include "apps/plumb/subcommand.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

struct ReplayOptions {
  std::string run;
  std::int64_t step = 0;
};

// A folder that goes away with the replay.
struct ScratchFolder {
  std::string path;
  ~ScratchFolder() {
    std::error_code ignored;  // what stays in the temporary folder costs nothing
    fs::remove_all(path, ignored);
  }
};

Result<void> copy_into(const std::string& from, const std::string& to, const std::string& name) {
  std::error_code error;
  fs::copy_file(from + "/" + name, to + "/" + name, error);
  return error ? Result<void>(Error{fmt::format("{}/{}: cannot be copied: {}", from, name, error.message())})
               : Result<void>();
}

// The newest whole checkpoint before `step`, or an empty text: from the start, then.
std::string checkpoint_before(const ReplayOptions& options) {
  const std::vector<std::string> all = checkpoints_of(options.run);
  const auto newest = std::find_if(all.rbegin(), all.rend(), [&](const std::string& folder) {
    const std::string name = fs::path(folder).filename().string();
    return std::atoll(name.c_str() + std::string("step-").size()) < options.step && check_checkpoint(folder).ok();
  });
  return newest == all.rend() ? "" : *newest;
}

// A run folder in which a resume does the step: everything that the run had written, and that one checkpoint.
Result<void> stage_folder(const ReplayOptions& options, const std::string& scratch) {
  std::error_code error;
  fs::create_directories(scratch + "/checkpoints", error);
  for (const char* name : {"manifest.json", "config.toml", "verdicts.jsonl", "metrics.jsonl", "samples.jsonl"}) {
    PLUMB_TRY(copy_into(options.run, scratch, name));
  }
  for (const char* name : {"custom_scores.jsonl", "faults.jsonl"}) {
    if (fs::exists(options.run + "/" + name)) {
      PLUMB_TRY(copy_into(options.run, scratch, name));
    }
  }
  const std::string from = checkpoint_before(options);
  if (!from.empty()) {
    fs::create_directory_symlink(fs::absolute(from), scratch + "/checkpoints/" + fs::path(from).filename().string(),
                                 error);
  }
  std::fprintf(stderr, "plumb: step %lld from %s\n", static_cast<long long>(options.step),
               from.empty() ? "the start of the run" : from.c_str());
  return error ? Result<void>(Error{scratch + ": cannot be set up: " + error.message()}) : Result<void>();
}

// The logged line of a GRPO step. Errors: there is none.
Result<nlohmann::json> line_of_step(const std::string& run, std::int64_t step) {
  PLUMB_ASSIGN(const std::string text, read_file(run + "/metrics.jsonl"));
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    nlohmann::json line = nlohmann::json::parse(text.substr(begin, end - begin), nullptr, false);
    if (line.is_object() && line.value("stage", "") == "grpo" && line.value("step", std::int64_t{-1}) == step) {
      return line;
    }
    begin = end + 1;
  }
  return Error{fmt::format("{}/metrics.jsonl: no line of GRPO step {}; choose one that the run has logged", run, step)};
}

// Prints what differs; doubles are printed as the shortest text that reads back, so equal text is equal bits.
int compare(const nlohmann::json& logged, const nlohmann::json& replayed) {
  int different = 0;
  for (const auto& [name, value] : logged.items()) {
    const bool same = replayed.contains(name) && replayed[name] == value;
    different += same ? 0 : 1;
    std::printf("%-10s %-28s %s%s\n", same ? "same" : "DIFFERENT", name.c_str(), value.dump().c_str(),
                same ? "" : (" -> " + replayed.value(name, nlohmann::json()).dump()).c_str());
  }
  std::printf("%d of %zu numbers differ\n", different, logged.size());
  return different == 0 && logged.size() == replayed.size() ? 0 : 1;
}

Result<int> replay(const ReplayOptions& options) {
  PLUMB_ASSIGN(const nlohmann::json logged, line_of_step(options.run, options.step));
  Settings settings;
  Config config;
  settings.add_to(config);
  PLUMB_TRY(config.load_file(options.run + "/config.toml"));
  if (settings.grpo.schedule != RolloutSchedule::kSynchronous) {
    return Error{options.run +
                 ": grpo.schedule is not synchronous, so what a step learned from depends on more than the "
                 "checkpoint before it; only synchronous runs can be replayed"};
  }
  ScratchFolder scratch{fs::temp_directory_path() / "plumb-replay-XXXXXX"};
  if (mkdtemp(scratch.path.data()) == nullptr) {
    return Error{scratch.path + ": cannot be made; set TMPDIR to a folder that can be written"};
  }
  PLUMB_TRY(stage_folder(options, scratch.path));
  RunOptions run;
  run.out = scratch.path;
  run.resume = true;
  PLUMB_ASSIGN(const RunManifest manifest, read_manifest(options.run + "/manifest.json"));
  run.command = manifest.command;
  PLUMB_ASSIGN(const auto context, RunContext::open(run, settings, {.judge = true, .trainable = true}));
  if (fs::exists(options.run + "/sft")) {  // of quickstart: what its GRPO stage started from
    PLUMB_TRY(context->bench().load_weights(options.run + "/sft"));
  }
  const Prompts prompts = context->training_prompts();
  const auto outcome = run_grpo_stage(*context, prompts, true, options.step);
  const auto again = line_of_step(scratch.path, options.step);
  if (!again) {
    return outcome ? again.error() : outcome.error();
  }
  const nlohmann::json& replayed = *again;
  if (!outcome) {  // of a step that stopped the run
    std::printf("the step ends as it did: %s\n", outcome.error().message.c_str());
  }
  return compare(logged, replayed);
}

}  // namespace

void register_replay(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("replay", "Do one GRPO step of a run again and compare every number that was logged");
  auto options = std::make_shared<ReplayOptions>();
  command->add_option("--run", options->run, "the run folder")->required();
  command->add_option("--step", options->step, "the step, from 1")->required()->check(above_zero());
  command->callback([options, &action] { action = [options] { return replay(*options); }; });
}

}  // namespace plumb
