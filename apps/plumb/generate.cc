// plumb generate: prompts in, completions out, as JSON Lines or on the terminal.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "actor/generator.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/workbench.h"
#include "core/escape.h"

namespace plumb {
namespace {

struct GenerateOptions {
  ModelSettings model;
  std::string dtype = "f32";
  std::string prompt;
  std::string in;
  std::string out;
  double temperature = 1.0;
  std::int64_t max_new_tokens = 128;
  int samples = 1;
  std::uint64_t seed = 1;
  bool stop_after_code_block = false;
};

Result<std::vector<PromptRecord>> read_prompts(const GenerateOptions& options) {
  std::vector<PromptRecord> prompts;
  if (!options.prompt.empty()) {
    PromptRecord record;
    record.id = "prompt";
    record.messages = {{"user", options.prompt}};
    prompts.push_back(std::move(record));
    return prompts;
  }
  std::ifstream file(options.in);
  if (!file) {
    return Error{options.in + ": cannot be opened; give --prompt TEXT or --in FILE of {\"id\",\"prompt\"} lines"};
  }
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    try {
      const nlohmann::json json = nlohmann::json::parse(line);
      PromptRecord record;
      record.id = json.value("id", std::to_string(number));
      record.messages = {{"user", json.at("prompt").get<std::string>()}};
      prompts.push_back(std::move(record));
    } catch (const nlohmann::json::exception& error) {
      return Error{options.in + ":" + std::to_string(number) + ": expected {\"id\",\"prompt\"}, found " + error.what()};
    }
  }
  return prompts;
}

nlohmann::json completion_json(const CompletionGroup& group, std::size_t sample) {
  const Completion& completion = group.completions[sample];
  return {{"id", group.prompt->id},
          {"sample", sample},
          {"completion", json_safe(completion.text)},
          {"finish_reason", to_string(completion.finish_reason)},
          {"token_ids", completion.token_ids},
          {"log_probs", completion.log_probs}};
}

Result<int> write_completions(const GenerateOptions& options, std::span<const CompletionGroup> groups) {
  std::ofstream file;
  if (!options.out.empty()) {
    file.open(options.out);
  }
  for (const CompletionGroup& group : groups) {
    for (std::size_t sample = 0; sample < group.completions.size(); ++sample) {
      if (options.out.empty()) {
        std::printf("%s\n", strip_terminal(group.completions[sample].text).c_str());
      } else {
        file << completion_json(group, sample).dump() << '\n';
      }
    }
  }
  file.flush();
  if (!options.out.empty() && !file) {
    return Error{options.out + ": cannot be written; the folder may be absent or the disk full"};
  }
  return 0;
}

Result<int> run_generate(GenerateOptions options) {
  install_interrupt_handler();
  options.model.dtype = options.dtype == "f32"    ? ComputeDtype::kF32
                        : options.dtype == "bf16" ? ComputeDtype::kBf16
                                                  : ComputeDtype::kBf16Split;
  PLUMB_ASSIGN(auto source, open_model(options.model.path));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), options.model, false));
  PLUMB_ASSIGN(const auto prompts, read_prompts(options));
  std::vector<GenerationRequest> requests;
  for (const PromptRecord& prompt : prompts) {
    PLUMB_ASSIGN(auto ids, prompt_token_ids(prompt, bench->tokenizer(), bench->chat_template()));
    requests.push_back({std::make_shared<PromptRecord>(prompt), std::move(ids), 0, options.samples});
  }
  GeneratorOptions generation;
  generation.seed = options.seed;
  generation.sampling.temperature = static_cast<float>(options.temperature);
  generation.sampling.max_new_tokens = options.max_new_tokens;
  generation.sampling.stop_after_code_block = options.stop_after_code_block;
  Generator generator(bench->policy(), bench->tokenizer(), bench->pool());
  PLUMB_ASSIGN(const auto groups,
               generator.generate(requests, generation, [](const GenerationProgress&) { return !interrupted(); }));
  return write_completions(options, groups);
}

}  // namespace

void register_generate(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("generate", "Sample completions of prompts");
  auto options = std::make_shared<GenerateOptions>();
  command->add_option("--model", options->model.path, "a GGUF file or a Hugging Face folder")->required();
  command->add_option("--prompt", options->prompt, "one user turn");
  command->add_option("--in", options->in, "JSON Lines of {\"id\",\"prompt\"}");
  command->add_option("--out", options->out, "JSON Lines; without it the text goes to the terminal");
  command->add_option("--dtype", options->dtype, "of products")->check(CLI::IsMember({"f32", "bf16", "bf16_split"}));
  command->add_option("--temperature", options->temperature, "0 = greedy")->check(CLI::Range(0.0, 10.0));
  command->add_option("--max-new-tokens", options->max_new_tokens)->check(CLI::Range(1, 1 << 20));
  command->add_option("-n,--samples", options->samples, "per prompt")->check(CLI::Range(1, 1024));
  command->add_option("--seed", options->seed);
  command->add_option("--threads", options->model.threads, "0 = one per processor")->check(CLI::Range(0, 256));
  command->add_flag("--stop-after-code-block", options->stop_after_code_block, "end at the first closed code block");
  command->callback([options, &action] { action = [options] { return run_generate(*options); }; });
}

}  // namespace plumb
