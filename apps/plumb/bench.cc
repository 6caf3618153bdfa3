// plumb bench: the engine's loads on a model, checked first and then timed, beside the machine's limit.

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "apps/plumb/rollout.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/workbench.h"
#include "bench/load.h"
#include "bench/roofline.h"

namespace plumb {
namespace {

struct BenchOptions {
  std::string what;
  ModelSettings model;
  std::string dtype = "bf16";
  int repetitions = 2;
  bool json = false;
};

ComputeDtype dtype_of(const std::string& name) {
  return name == "f32" ? ComputeDtype::kF32 : name == "bf16" ? ComputeDtype::kBf16 : ComputeDtype::kBf16Split;
}

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

Result<BenchResult> run_load(Workbench& bench, const BenchOptions& options) {
  if (options.what == "train") {
    return bench_train(bench.policy(), bench.pool(), {.repetitions = options.repetitions});
  }
  const bool rollout = options.what == "rollout";
  SamplingLoad load;
  PLUMB_ASSIGN(load.prompts, tokenise(bench, rollout ? rollout_tasks() : grpo_tasks()));
  load.samples_per_prompt = rollout ? 1 : 8;
  load.num_new_tokens = rollout ? 64 : 48;
  load.repetitions = options.repetitions;
  return rollout ? bench_rollout(bench.policy(), bench.pool(), load)
                 : bench_grpo_step(bench.policy(), bench.pool(), load);
}

Result<BenchResult> measure(const BenchOptions& options) {
  const ComputeDtype dtype = dtype_of(options.dtype);
  if (options.what == "roofline") {
    ThreadPool pool(options.model.threads);
    return bench_roofline(dtype, pool);
  }
  ModelSettings settings = options.model;
  settings.dtype = dtype;
  PLUMB_ASSIGN(auto source, open_model(settings.path));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), settings, options.what != "rollout"));
  return beside_roofline(dtype, bench->pool(), [&] { return run_load(*bench, options); });
}

void print_lines(const BenchResult& result) {
  std::printf("%s, %s, %d threads: checked that %s\n", result.name.c_str(),
              std::string(to_string(result.dtype)).c_str(), result.threads, result.checked.c_str());
  if (result.tokens > 0) {
    std::printf("%.2f s, %.0f tokens/s, %.1f GFLOP/s, %.0f %% of the roof\n", result.seconds,
                result.tokens_per_second(), result.gflops(), 100 * result.fraction_of_roof());
  }
  std::printf("roof %.1f GFLOP/s; peak memory %.0f MiB\n", result.roof_gflops, peak_rss_mib());
}

Result<int> run_bench(const BenchOptions& options) {
  if (options.what != "roofline" && options.model.path.empty()) {
    return Error{"plumb bench " + options.what + " needs --model: a GGUF file or a Hugging Face folder"};
  }
  PLUMB_ASSIGN(const BenchResult result, measure(options));
  if (options.json) {
    std::printf("%s\n", to_json(result).dump().c_str());
  } else {
    print_lines(result);
  }
  return 0;
}

}  // namespace

void register_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("bench", "Check and time sampling, training and a whole step beside the roof");
  auto options = std::make_shared<BenchOptions>();
  command->add_option("load", options->what, "what to time")
      ->required()
      ->check(CLI::IsMember({"roofline", "rollout", "train", "grpo-step"}));
  command->add_option("--model", options->model.path, "a GGUF file or a Hugging Face folder (all but roofline)");
  command->add_option("--dtype", options->dtype, "of products")->check(CLI::IsMember({"f32", "bf16", "bf16_split"}));
  command->add_option("--threads", options->model.threads, "0 = one per processor")->check(CLI::Range(0, 256));
  command->add_option("--repetitions", options->repetitions, "the fastest counts")->check(CLI::Range(1, 100));
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([options, &action] { action = [options] { return run_bench(*options); }; });
}

}  // namespace plumb
