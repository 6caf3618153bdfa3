// plumb init: a model to be trained from scratch.

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>

#include "apps/plumb/model_target.h"
#include "apps/plumb/subcommand.h"
#include "core/machine.h"
#include "policy/initial_weights.h"

namespace plumb {
namespace {

struct InitOptions {
  std::string description;
  std::string target;
  std::string dtype = "f32";
  InitialWeightOptions weights;
};

// All of it is in memory before it is written.
Result<void> check_room(const Hyperparameters& shape) {
  constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
  const double needed = 4 * static_cast<double>(count_parameters(shape).total);
  const auto available = static_cast<double>(read_memory_info().available_bytes);
  if (available > 0 && needed > available) {
    return Error{
        fmt::format("this model's weights take {:.1f} GiB of memory and {:.1f} GiB are available; make a smaller one",
                    needed / kGib, available / kGib)};
  }
  return {};
}

Result<int> run_init(InitOptions options) {
  if (!std::isfinite(options.weights.deviation)) {
    return Error{"--deviation: expected a number from 0 to 1"};
  }
  PLUMB_ASSIGN(options.target, free_target("init", options.target));
  PLUMB_ASSIGN(const ModelDescription description, read_model_description(options.description));
  PLUMB_TRY(check_room(description.hyperparameters));
  std::vector<SourceTensor> tensors;
  for (const TensorPlace& place : make_layout(description.hyperparameters).tensors) {
    tensors.push_back({place.name, place.shape, initial_weights(description.hyperparameters, place, options.weights)});
  }
  PLUMB_TRY(write_folder(options.target, description, tensors, options.dtype));
  std::fputs(describe_written(options.target, description.hyperparameters, options.dtype).c_str(), stdout);
  return 0;
}

}  // namespace

void register_init(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("init", "Write a model of random weights, to be trained from scratch");
  auto options = std::make_shared<InitOptions>();
  command
      ->add_option("FOLDER", options->description,
                   "with config.json, tokenizer.json and tokenizer_config.json; weights that it holds are not read")
      ->required();
  command->add_option("TARGET", options->target, "a folder")->required();
  command->add_option("--dtype", options->dtype, "of the tensors: f32 or bf16")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  command->add_option("--seed", options->weights.seed, "of the weights")->capture_default_str();
  command
      ->add_option("--deviation", options->weights.deviation,
                   "of the weights; of what is added to the residual stream it is divided by sqrt(2 layers)")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->callback([options, &action] { action = [options] { return run_init(*options); }; });
}

}  // namespace plumb
