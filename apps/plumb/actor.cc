// plumb actor: a process that samples for a learner; grpo.actor_processes starts it.

#include <csignal>
#include <memory>

#include "actor/processes/actor_process.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/subcommand.h"
#include "formats/model_folder.h"

namespace plumb {
namespace {

struct ActorOptions {
  std::string model;
  int threads = 1;
  ActorProcessOptions process;
};

Result<int> run_actor(const ActorOptions& options) {
  // Ctrl-C, and what a batch system tells all processes, is for the learner, which lets its actors end.
  if (options.process.learner != 0) {
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);
  }
  PLUMB_ASSIGN(const auto source, open_model(options.model));
  PLUMB_ASSIGN(const Tokenizer tokenizer, Tokenizer::create(source->tokenizer));
  ThreadPool pool(options.threads);
  PLUMB_TRY(run_actor_process(source->hyperparameters, tokenizer, pool, options.process));
  return 0;
}

}  // namespace

void register_actor(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand(
      "actor", "Sample for a learner with the weights that it sends; grpo.actor_processes starts these");
  auto options = std::make_shared<ActorOptions>();
  command->add_option("--model", options->model, "a GGUF file or a Hugging Face folder: its shape and its tokenizer")
      ->required();
  command->add_option("--folder", options->process.folder, "where the learner listens and puts weights")->required();
  command->add_option("--name", options->process.name, "by which the learner knows it")->required();
  command->add_option("--learner", options->process.learner, "its process id; the actor ends when it has gone")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "0 = one per processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  add_dtype_option(*command, options->process.dtype);
  add_inexact_option(*command, options->process.exact);
  command->callback([options, &action] { action = [options] { return run_actor(*options); }; });
}

}  // namespace plumb
