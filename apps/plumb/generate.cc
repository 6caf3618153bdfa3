// plumb generate: prompts in, completions out, as JSON Lines or on the terminal.

#include <cstdio>
#include <map>
#include <memory>

#include "actor/generator.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/json_rows.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/sampling_json.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/workbench.h"
#include "core/escape.h"
#include "core/progress.h"

namespace plumb {
namespace {

// Completions of any kind, not only code.
SamplingOptions free_text() {
  SamplingOptions sampling;
  sampling.max_new_tokens = 128;
  sampling.stop_after_code_block = false;
  return sampling;
}

struct GenerateOptions {
  ModelSettings model;
  std::string prompt;
  std::string in;
  std::string out;
  bool resume = false;
  SamplingOptions sampling = free_text();
  int samples = 1;
  std::uint64_t seed = 1;
  std::int64_t cache_mib = 1024;
};

GeneratorOptions generator_options(const GenerateOptions& options) {
  GeneratorOptions generation;
  generation.seed = options.seed;
  generation.sampling = options.sampling;
  generation.cache_bytes = options.cache_mib << 20;
  return generation;
}

Result<std::vector<Message>> messages_of(const nlohmann::json& row) {
  std::vector<Message> messages;
  try {
    if (row.contains("prompt") == row.contains("messages")) {
      return Error{"expected either \"prompt\" (a text) or \"messages\" ([{\"role\",\"content\"}])"};
    }
    if (row.contains("prompt")) {
      return std::vector<Message>{{"user", row["prompt"].get<std::string>()}};
    }
    for (const auto& message : row["messages"]) {
      messages.push_back({message.at("role").get<std::string>(), message.at("content").get<std::string>()});
    }
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("expected \"prompt\" (a text) or \"messages\" ([{\"role\",\"content\"}]), found ") +
                 error.what()};
  }
  return messages;
}

Result<GenerationRequest> request_of(const JsonRow& row, const GenerateOptions& options, const Workbench& bench) {
  if (!row.error.empty()) {
    return Error{row.error};
  }
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = row.id;
  PLUMB_ASSIGN(prompt->messages, messages_of(row.json));
  GenerationRequest request;
  request.num_samples = options.samples;
  if (row.json.contains("sampling")) {
    PLUMB_ASSIGN(request.sampling, sampling_from_json(row.json["sampling"], options.sampling));
  }
  PLUMB_ASSIGN(request.prompt_token_ids, prompt_token_ids(*prompt, bench.tokenizer(), bench.chat_template()));
  request.prompt = std::move(prompt);
  return request;
}

nlohmann::json row_of(const CompletionGroup& group) {
  nlohmann::json completions = nlohmann::json::array();
  for (const Completion& completion : group.completions) {
    completions.push_back({{"text", json_safe(completion.text)},
                           {"finish_reason", to_string(completion.finish_reason)},
                           {"token_ids", completion.token_ids},
                           {"log_probs", completion.log_probs}});
  }
  return {{"id", group.prompt->id}, {"completions", std::move(completions)}};
}

// Rows go out in the order of the input as soon as all before them are there, so that a file that was cut off and gone
// on with has the same bytes as a whole one.
class OrderedOutput {
 public:
  OrderedOutput(JsonRowWriter& writer, std::vector<JsonRow> rows) : writer_(writer), rows_(std::move(rows)) {}

  void set_error(std::size_t row, std::string error) { errors_[row] = std::move(error); }
  void set_group(std::size_t row, const CompletionGroup& group) { groups_[row] = row_of(group); }

  Result<void> write_ready() {
    for (; next_ < rows_.size(); ++next_) {
      if (const auto error = errors_.find(next_); error != errors_.end()) {
        PLUMB_TRY(writer_.write_error(rows_[next_], error->second));
      } else if (const auto group = groups_.extract(next_)) {
        PLUMB_TRY(writer_.write(group.mapped()));
      } else {
        break;
      }
    }
    return {};
  }

 private:
  JsonRowWriter& writer_;
  std::vector<JsonRow> rows_;
  std::map<std::size_t, std::string> errors_;
  std::map<std::size_t, nlohmann::json> groups_;
  std::size_t next_ = 0;
};

Result<int> generate_rows(const GenerateOptions& options, Workbench& bench) {
  PLUMB_ASSIGN(std::vector<JsonRow> all, read_json_rows(options.in));
  PLUMB_ASSIGN(JsonRowWriter writer, JsonRowWriter::open(options.out, options.resume));
  std::vector<JsonRow> rows;
  for (JsonRow& row : all) {
    if (!writer.has(row.id)) {
      rows.push_back(std::move(row));
    }
  }
  const GeneratorOptions generation = generator_options(options);
  OrderedOutput output(writer, rows);
  std::vector<GenerationRequest> requests;
  std::vector<std::size_t> row_of_request;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto request = request_of(rows[i], options, bench);
    const auto checked = request ? check_request(*request, generation, bench.policy()) : Result<void>(request.error());
    if (!checked) {
      output.set_error(i, checked.error().message);
      continue;
    }
    requests.push_back(std::move(request).value());
    row_of_request.push_back(i);
  }
  Generator generator(bench.policy(), bench.tokenizer(), bench.pool());
  Progress progress("generate", static_cast<std::int64_t>(requests.size()) * options.samples,
                    progress_in("completion"));
  Result<void> written;
  PLUMB_TRY(generator.generate(
      requests, generation,
      [&](const GenerationProgress& done) {
        progress.update(done.finished);
        if (written) {
          written = output.write_ready();
        }
        return written.ok() && !interrupted();
      },
      [&](std::size_t request, const CompletionGroup& group) { output.set_group(row_of_request[request], group); }));
  progress.finish();
  PLUMB_TRY(written);
  PLUMB_TRY(output.write_ready());
  PLUMB_TRY(writer.finish());
  if (interrupted()) {
    return stopped_by_user(options.out + ": stopped by the user; --resume goes on with what is missing");
  }
  return 0;
}

// Prints what is new of a text that grows, but not what a stop text or the rest of a character may still change.
class Stream {
 public:
  explicit Stream(const SamplingOptions& sampling) {
    for (const std::string& text : sampling.stop) {
      hold_back_ = std::max(hold_back_, text.size());
    }
  }

  void show(const std::string& text, bool ended) {
    std::size_t end = ended ? text.size() : text.size() - std::min(text.size(), hold_back_);
    while (!ended && end > printed_ && !is_utf8(std::string_view(text).substr(printed_, end - printed_)) &&
           text.size() - end < hold_back_ + 4) {
      --end;
    }
    if (end > printed_) {
      std::printf("%s", strip_terminal(text.substr(printed_, end - printed_)).c_str());
      std::fflush(stdout);
      printed_ = end;
    }
  }

 private:
  std::size_t hold_back_ = 0;
  std::size_t printed_ = 0;
};

Result<int> generate_to_terminal(const GenerateOptions& options, Workbench& bench) {
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "prompt";
  prompt->messages = {{"user", options.prompt}};
  PLUMB_ASSIGN(auto ids, prompt_token_ids(*prompt, bench.tokenizer(), bench.chat_template()));
  const std::vector<GenerationRequest> requests = {{prompt, std::move(ids), 0, options.samples, {}}};
  GeneratorOptions generation = generator_options(options);
  Stream stream(options.sampling);
  if (options.samples == 1) {
    generation.on_token = [&](std::size_t, int, const Completion& completion) {
      stream.show(bench.tokenizer().decode(completion.token_ids), false);
    };
  }
  Generator generator(bench.policy(), bench.tokenizer(), bench.pool());
  PLUMB_ASSIGN(const auto groups,
               generator.generate(requests, generation, [](const GenerationProgress&) { return !interrupted(); }));
  if (options.samples == 1) {
    stream.show(groups[0].completions[0].text, true);
    std::printf("\n");
    return 0;
  }
  for (const Completion& completion : groups[0].completions) {
    std::printf("%s\n", strip_terminal(completion.text).c_str());
  }
  return 0;
}

Result<int> run_generate(GenerateOptions options) {
  install_interrupt_handler();
  if (options.prompt.empty() == options.in.empty()) {
    return Error{"generate: give either --prompt TEXT or --in FILE of {\"id\",\"prompt\"} lines"};
  }
  if (!options.in.empty() && options.out.empty()) {
    return Error{"generate: --in needs --out FILE for the completions"};
  }
  PLUMB_ASSIGN(auto source, open_model(options.model.path));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), options.model, false));
  return options.in.empty() ? generate_to_terminal(options, *bench) : generate_rows(options, *bench);
}

void add_sampling_options(CLI::App& command, GenerateOptions& options) {
  SamplingOptions& sampling = options.sampling;
  command.add_option("--temperature", sampling.temperature, "0 = greedy")->check(CLI::Range(0.0, 1000.0));
  command.add_option("--top-k", sampling.top_k, "the k most probable tokens; 0 = all")->check(CLI::Range(0, 1 << 30));
  command.add_option("--top-p", sampling.top_p, "the fewest tokens that have this mass")->check(CLI::Range(0.0, 1.0));
  command.add_option("--min-p", sampling.min_p, "tokens of this share of the largest probability")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--typical-p", sampling.typical_p, "tokens of typical surprisal that have this mass")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--repetition-penalty", sampling.repetition_penalty, "divides what was said before; 1 = none");
  command.add_option("--presence-penalty", sampling.presence_penalty, "taken from what was said in the completion");
  command.add_option("--frequency-penalty", sampling.frequency_penalty, "the same, for each time");
  command.add_option("--stop", sampling.stop, "end before this text; may be given several times");
  command.add_option("--min-new-tokens", sampling.min_new_tokens)->check(CLI::Range(0, 1 << 20));
  command.add_option("--max-new-tokens", sampling.max_new_tokens)->check(CLI::Range(1, 1 << 20));
  command.add_flag("--stop-after-code-block", sampling.stop_after_code_block, "end at the first closed code block");
}

}  // namespace

void register_generate(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("generate", "Sample completions of prompts");
  auto options = std::make_shared<GenerateOptions>();
  command->add_option("--model", options->model.path, "a GGUF file or a Hugging Face folder")->required();
  command->add_option("--prompt", options->prompt, "one user turn; the answer goes to the terminal");
  command->add_option("--in", options->in, "JSON Lines of {\"id\",\"prompt\" or \"messages\",\"sampling\"}");
  command->add_option("--out", options->out, "JSON Lines of {\"id\",\"completions\"} (docs/records.md)");
  command->add_flag("--resume", options->resume, "go on with an --out that was cut off");
  options->model.dtype = ComputeDtype::kF32;  // as exact as the weights are; training has bf16 for speed
  add_dtype_option(*command, options->model.dtype);
  add_inexact_option(*command, options->model.exact);
  command->add_option("-n,--samples", options->samples, "per prompt")->check(CLI::Range(1, 1024));
  command->add_option("--seed", options->seed);
  command->add_option("--cache-mib", options->cache_mib, "for keys and values; changes speed, never bits")
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--threads", options->model.threads, "0 = one per processor")->check(CLI::Range(0, 256));
  add_sampling_options(*command, *options);
  command->callback([options, &action] { action = [options] { return run_generate(*options); }; });
}

}  // namespace plumb
