#include "apps/plumb/estimate.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/plumb/roof.h"
#include "core/machine.h"
#include "policy/engine.h"
#include "policy/model_layout.h"

namespace plumb {
namespace {

constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
double gib(std::int64_t bytes) {
  return static_cast<double>(bytes) / kGib;
}

// Of one token: what the backward reads again in each layer (residuals, norms, q, k, v, attention output, gate, up and
// their product), each as f32 at worst. With checkpoints it is each layer's input, and the rest of one layer alone.
std::int64_t activation_bytes(const Hyperparameters& shape, bool checkpointing) {
  const std::int64_t floats = 5 * shape.hidden_size + shape.head_dim * (2 * shape.num_heads + 2 * shape.num_kv_heads) +
                              3 * shape.intermediate_size;
  return checkpointing ? 4 * (floats + shape.num_layers * shape.hidden_size) : 4 * floats * shape.num_layers;
}

// Shares of the roof as short completions of a 135M model reach them (perf/fraction_of_roof of a run; `plumb bench` for
// the parts alone). The estimate is for orders of magnitude.
constexpr double kSamplingShare = 0.4;
constexpr double kTrainingShare = 0.6;
// What a rollout typically is: completions end well before the limit, and groups without spread are not trained on.
constexpr double kPromptTokens = 90;
constexpr double kLengthShare = 0.4;       // of sampling.max_new_tokens
constexpr double kMixedShare = 0.55;       // of groups
constexpr double kSplitCost = 1.7;         // of products in bf16_split against bf16
constexpr double kForwardsOfTraining = 3;  // in products: the forward, and twice as much backward

}  // namespace

RunEstimate estimate_run(const Hyperparameters& shape, const Settings& settings, bool trainable) {
  RunEstimate estimate;
  estimate.num_parameters = count_parameters(shape).total;
  const std::int64_t copy = settings.model.dtype == ComputeDtype::kBf16 ? 2 : 4;
  const std::int64_t transposed = settings.model.dtype == ComputeDtype::kF32 ? 4 : 2;
  estimate.weight_bytes = estimate.num_parameters * (4 + copy + (trainable ? transposed : 0));
  const bool absorbed = shape.is_latent() && !settings.model.exact;
  const std::int64_t page_floats = (absorbed ? absorbed_attention_shape(shape) : attention_shape(shape)).layer_floats();
  const std::int64_t kv_bytes = 4 * shape.num_layers * page_floats / kPagePositions *
                                (settings.sampling.max_new_tokens + 128) * settings.sampling.max_batch;
  estimate.cache_bytes = std::min(settings.sampling.cache_mib << 20, kv_bytes);
  if (trainable) {
    const std::int64_t rows = std::max(settings.sft.micro_batch_tokens, settings.grpo.micro_batch_tokens);
    estimate.training_bytes =
        estimate.num_parameters * 12 + rows * activation_bytes(shape, settings.model.activation_checkpointing);
    const bool keeps_reference = settings.grpo.algorithm.reference.kind != ReferenceKind::kNone;
    if (keeps_reference) {
      estimate.weight_bytes += estimate.num_parameters * (4 + copy);
    }
    if (settings.grpo.dev_every > 0) {
      estimate.training_bytes += 4 * estimate.num_parameters;  // the best weights so far
    }
    if (const std::int64_t actors = settings.grpo.actor_processes; actors > 0) {
      // Each has a policy, weights that it reads, and a cache; the learner copies its own; two sets are on their way.
      estimate.weight_bytes += estimate.num_parameters * (actors * (8 + copy) + 4 + 8);
      estimate.cache_bytes *= actors;
    } else if (settings.grpo.schedule != RolloutSchedule::kSynchronous) {
      estimate.weight_bytes += estimate.num_parameters * (8 + copy);  // the actor's policy, and weights on their way
    }
    if (!settings.eval.guard_text.empty()) {
      estimate.weight_bytes += estimate.num_parameters * (4 + copy);  // the base, while the divergence is taken
    }
    if (settings.reward.uses_reward_model()) {  // taken to be as large as the policy
      estimate.weight_bytes += estimate.num_parameters * (4 + copy);
    }
    const std::int64_t checkpoints = settings.grpo.keep_checkpoints + 1;  // one more while it is written
    const std::int64_t checkpoint_bytes = (keeps_reference ? 16 : 12) + (settings.grpo.dev_every > 0 ? 4 : 0);
    estimate.disk_bytes = estimate.num_parameters * (checkpoint_bytes * checkpoints + 8) + (std::int64_t{64} << 20);
  }
  return estimate;
}

Result<void> check_fits(const RunEstimate& estimate, const std::string& out) {
  const auto available = static_cast<std::int64_t>(read_memory_info().available_bytes);
  if (available > 0 && estimate.memory_bytes() > available) {
    return Error{fmt::format(
        "this run needs about {:.1f} GiB of memory and {:.1f} GiB are available; lower grpo.micro_batch_tokens, "
        "sft.micro_batch_tokens, sampling.max_batch, sampling.cache_mib or grpo.actor_processes, set "
        "model.activation_checkpointing, or take a smaller model",
        gib(estimate.memory_bytes()), gib(available))};
  }
  const auto disk = free_disk_bytes(out);
  if (disk && static_cast<std::int64_t>(*disk) < estimate.disk_bytes) {
    return Error{fmt::format(
        "{}: this run needs about {:.1f} GiB of disk and {:.1f} GiB are free; lower grpo.keep_checkpoints or choose "
        "another --out",
        out, gib(estimate.disk_bytes), gib(static_cast<std::int64_t>(*disk)))};
  }
  return {};
}

std::string describe(const RunEstimate& estimate) {
  return fmt::format(
      "{:.1f}M parameters; about {:.1f} GiB of memory (weights {:.1f}, training {:.1f}, cache {:.1f}) and {:.1f} GiB "
      "of "
      "disk",
      static_cast<double>(estimate.num_parameters) / 1e6, gib(estimate.memory_bytes()), gib(estimate.weight_bytes),
      gib(estimate.training_bytes), gib(estimate.cache_bytes), gib(estimate.disk_bytes));
}

double estimate_minutes(const Hyperparameters& shape, const Settings& settings, const RunWork& work,
                        double roof_gflops) {
  const double new_tokens = kLengthShare * static_cast<double>(settings.sampling.max_new_tokens);
  const double groups = static_cast<double>(work.grpo_steps * settings.grpo.prompts_per_step);
  const double completions = groups * settings.grpo.group_size;
  const double sampled = new_tokens * (completions + static_cast<double>(work.eval_samples)) + kPromptTokens * groups +
                         kPromptTokens * static_cast<double>(work.eval_samples) / settings.eval.samples;
  const double trained =
      kMixedShare * (new_tokens * completions + kPromptTokens * groups) +
      (new_tokens + kPromptTokens) * static_cast<double>(work.sft_demonstrations * settings.sft.max_epochs);
  const double cost = settings.model.dtype == ComputeDtype::kBf16Split ? kSplitCost : 1.0;
  const double passes = kForwardsOfTraining + (settings.model.activation_checkpointing ? 1 : 0);
  const double flop = forward_flop_per_token(shape) * (sampled / kSamplingShare + passes * trained / kTrainingShare);
  return cost * flop / (roof_gflops * 1e9) / 60;
}

std::string minutes_text(double minutes) {
  return minutes < 0.75  ? "less than a minute"
         : minutes < 1.5 ? "about 1 minute"
                         : fmt::format("about {:.0f} minutes", minutes);
}

}  // namespace plumb
