// plumb bench: the engine's loads on a model, checked first and then timed, beside the machine's limit.

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "apps/plumb/bench_judging.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/workbench.h"
#include "bench/load.h"
#include "bench/roofline.h"
#include "bench/small_model.h"
#include "core/trace.h"

namespace plumb {
namespace {

struct BenchOptions {
  std::string what;
  ModelSettings model;
  int repetitions = 2;
  std::string profile;  // a file for a Chrome trace
  bool checkpointing = false;
  bool scaling = false;
  bool json = false;

  [[nodiscard]] bool is(const char* name) const { return what == name; }
  [[nodiscard]] bool needs_model() const { return !is("roofline") && !is("adamw") && !is("long-prefill"); }
  [[nodiscard]] bool steps() const { return is("grpo-step") || is("judged-step"); }
  [[nodiscard]] bool trains() const { return is("train") || steps() || is("exactness"); }
};

std::vector<std::string> grpo_tasks() {
  return {"Write a Python function that returns the sum of a list.", "Write a Python function that reverses a string.",
          "Write a Python function that returns the largest of three numbers.",
          "Write a Python function that checks whether a number is even."};
}

std::vector<std::string> rollout_tasks() {
  constexpr std::array<const char*, 8> kWhat = {
      "sum", "product", "largest", "smallest", "first", "last", "number of different", "median"};
  constexpr std::array<const char*, 8> kOf = {"elements of a list",  "digits of a number",   "numbers in a string",
                                              "values of a dict",    "even numbers below n", "squares in a range",
                                              "items of two tuples", "divisors of a number"};
  std::vector<std::string> tasks;
  for (const char* what : kWhat) {
    for (const char* of : kOf) {
      tasks.push_back(std::string("Write a Python function that returns the ") + what + " " + of + ".");
    }
  }
  return tasks;
}

Result<std::vector<std::vector<std::int32_t>>> tokenise(const Workbench& bench, const std::vector<std::string>& tasks) {
  std::vector<std::vector<std::int32_t>> prompts;
  for (const std::string& task : tasks) {
    PromptRecord record;
    record.id = task;
    record.messages = {{"user", task}};
    PLUMB_ASSIGN(auto ids, prompt_token_ids(record, bench.tokenizer(), bench.chat_template()));
    prompts.push_back(std::move(ids));
  }
  return prompts;
}

// Long enough that reading the cache counts.
std::vector<std::int32_t> one_long_prompt(const std::vector<std::vector<std::int32_t>>& prompts,
                                          std::int64_t max_positions) {
  const std::size_t length = std::min<std::size_t>(1024, static_cast<std::size_t>(max_positions) / 2);
  std::vector<std::int32_t> all;
  for (std::size_t i = 0; all.size() < length; ++i) {
    const std::vector<std::int32_t>& next = prompts[i % prompts.size()];
    all.insert(all.end(), next.begin(), next.end());
  }
  all.resize(length);
  return all;
}

// Four groups of eight, trained on; judged in the sandbox if asked.
Result<BenchResult> run_step(Workbench& bench, const BenchOptions& options, SamplingLoad load) {
  load.samples_per_prompt = 8;
  load.num_new_tokens = 48;
  RewardSource rewards;
  if (options.is("judged-step")) {
    PLUMB_ASSIGN(std::shared_ptr<Judge> judge, start_judge({}));
    rewards = judged_rewards(std::move(judge), load.prompts.size() * 8);
  }
  PLUMB_ASSIGN(BenchResult result, bench_grpo_step(bench.policy(), bench.pool(), load, rewards));
  result.name = options.what;
  return result;
}

Result<BenchResult> run_load(Workbench& bench, const BenchOptions& options) {
  Policy& policy = bench.policy();
  if (options.is("train")) {
    return bench_train(policy, bench.pool(),
                       {.repetitions = options.repetitions, .checkpointing = options.checkpointing});
  }
  if (options.is("prefill")) {
    return bench_prefill(policy, bench.pool(), {.repetitions = options.repetitions});
  }
  if (options.is("exactness")) {
    return bench_exactness(policy, bench.pool(), {.repetitions = options.repetitions});
  }
  SamplingLoad load;
  PLUMB_ASSIGN(load.prompts, tokenise(bench, options.is("rollout") ? rollout_tasks() : grpo_tasks()));
  load.repetitions = options.repetitions;
  if (options.is("group-rollout")) {
    load.prompts.resize(1);
    load.samples_per_prompt = 64;
  }
  if (options.steps()) {
    return run_step(bench, options, std::move(load));
  }
  if (options.is("decode")) {
    load.prompts.resize(1);
    return bench_decode(policy, bench.pool(), load);
  }
  if (options.is("absorbed")) {
    load.prompts = {one_long_prompt(load.prompts, policy.config().max_positions)};
    load.samples_per_prompt = 16;
    return bench_absorbed(policy, bench.pool(), load);
  }
  PLUMB_ASSIGN(BenchResult result, bench_rollout(policy, bench.pool(), load));
  result.name = options.what;
  return result;
}

// The load on a model of the user's, beside the roof unless a second run measures that.
Result<BenchResult> measure_model(const BenchOptions& options, bool with_roof) {
  const ModelSettings& settings = options.model;
  PLUMB_ASSIGN(auto source, open_model(settings.path));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), settings, options.trains()));
  const auto load = [&] { return run_load(*bench, options); };
  return with_roof ? beside_roofline(settings.dtype, bench->pool(), load) : load();
}

Result<BenchResult> measure(const BenchOptions& options, bool with_roof) {
  if (options.needs_model()) {
    return measure_model(options, with_roof);
  }
  const ComputeDtype dtype = options.model.dtype;
  ThreadPool pool(options.model.threads);
  if (options.is("roofline")) {
    return bench_roofline(dtype, pool);
  }
  if (options.is("adamw")) {
    return bench_adamw(pool, {.repetitions = std::max(3, options.repetitions)});
  }
  constexpr std::int64_t kLongPrompt = 32768;
  PLUMB_ASSIGN(const auto policy, small_random_policy(kLongPrompt, dtype, pool));
  return bench_long_prefill(*policy, pool, {.num_prompts = 1, .tokens_each = kLongPrompt, .chunk = 512});
}

// With --scaling also on one thread, in the same run.
Result<BenchResult> measure_scaling(const BenchOptions& options) {
  if (!options.scaling) {
    return measure(options, true);
  }
  BenchOptions one = options;
  one.model.threads = 1;
  PLUMB_ASSIGN(const BenchResult alone, measure(one, false));
  PLUMB_ASSIGN(BenchResult result, measure(options, true));
  result.details["one_thread_seconds"] = alone.seconds;
  result.details["times_one_thread"] = alone.seconds / result.seconds;
  return result;
}

void print_totals() {
  stop_trace();
  constexpr std::size_t kShown = 12;
  const std::vector<TraceTotal> totals = trace_totals();
  std::printf("seconds of all threads, by op:\n");
  for (std::size_t i = 0; i < std::min(kShown, totals.size()); ++i) {
    std::printf("  %8.3f  %s (%lld)\n", totals[i].seconds, totals[i].name.c_str(),
                static_cast<long long>(totals[i].count));
  }
}

void print_lines(const BenchResult& result) {
  std::printf("%s, %s, %d threads: checked that %s\n", result.name.c_str(),
              std::string(to_string(result.dtype)).c_str(), result.threads, result.checked.c_str());
  if (result.tokens > 0) {
    std::printf("%.2f s, %.0f tokens/s, %.1f GFLOP/s, %.0f %% of the roof\n", result.seconds,
                result.tokens_per_second(), result.gflops(), 100 * result.fraction_of_roof());
  }
  if (result.roof_gflops > 0) {
    std::printf("roof %.1f GFLOP/s; ", result.roof_gflops);
  }
  std::printf("peak memory %.0f MiB\n", peak_rss_mib());
  std::printf("%s\n", result.details.dump(2).c_str());
}

Result<int> run_bench(const BenchOptions& options) {
  if (options.needs_model() && options.model.path.empty()) {
    return Error{"plumb bench " + options.what + " needs --model: a GGUF file or a Hugging Face folder"};
  }
  PLUMB_ASSIGN(const BenchResult result, measure_scaling(options));
  if (options.json) {
    std::printf("%s\n", to_json(result).dump().c_str());
  } else {
    print_lines(result);
    if (!options.profile.empty()) {
      print_totals();
    }
  }
  return 0;
}

}  // namespace

void register_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("bench", "Check and time the engine's loads beside the machine's limits");
  auto options = std::make_shared<BenchOptions>();
  command->add_option("load", options->what, "what to time")
      ->required()
      ->check(CLI::IsMember({"roofline", "rollout", "group-rollout", "decode", "prefill", "long-prefill", "train",
                             "adamw", "grpo-step", "judged-step", "exactness", "absorbed"}));
  command->add_option("--model", options->model.path,
                      "a GGUF file or a Hugging Face folder (all but roofline, adamw and long-prefill)");
  add_dtype_option(*command, options->model.dtype);
  command->add_option("--threads", options->model.threads, "0 = one per processor")->check(CLI::Range(0, 256));
  command->add_option("--repetitions", options->repetitions, "the fastest counts")->check(CLI::Range(1, 100));
  command->add_option("--profile", options->profile, "write a Chrome trace of the timed ops, by thread, here");
  command->add_flag("--checkpointing", options->checkpointing, "train: also with activation checkpointing");
  command->add_flag("--scaling", options->scaling, "also on one thread, in the same run");
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([options, &action] {
    action = [options] { return with_profile(options->profile, [&] { return run_bench(*options); }); };
  });
}

}  // namespace plumb
