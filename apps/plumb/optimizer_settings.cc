#include "apps/plumb/optimizer_settings.h"

namespace plumb {

void OptimizerSettings::describe(ConfigSection& section) {
  section.field("learning_rate", learning_rate, {.help = "peak step size of AdamW", .min = 0, .max = 1});
  section.choice(
      "decay", decay,
      {{"constant", Decay::kConstant}, {"linear", Decay::kLinear}, {"cosine", Decay::kCosine}, {"wsd", Decay::kWsd}},
      {.help = "of the learning rate after the warm-up, to final_fraction behind the last step"});
  section.field(
      "final_fraction", final_fraction,
      {.help = "of the peak, where the decay ends; -1 = its own: 0.1 of cosine, 0 of the others", .min = -1, .max = 1});
  section.field("decay_share", decay_share, {.help = "of the steps, at the end, with decay = wsd", .min = 0, .max = 1});
  section.field("beta1", beta1, {.help = "AdamW", .min = 0, .max = 0.9999});
  section.field("beta2", beta2, {.help = "AdamW", .min = 0, .max = 0.99999});
  section.field("weight_decay", weight_decay, {.help = "of AdamW, on matrices", .min = 0, .max = 1});
  section.field("decay_embeddings", decay_embeddings, {.help = "weight decay is on token tables too"});
  section.field("max_grad_norm", max_grad_norm, {.help = "global gradient norm limit; 0 = none", .min = 0, .max = 1e9});
}

OptimizerOptions OptimizerSettings::options() const {
  OptimizerOptions adamw;
  adamw.beta1 = static_cast<float>(beta1);
  adamw.beta2 = static_cast<float>(beta2);
  adamw.weight_decay = static_cast<float>(weight_decay);
  adamw.decay_embeddings = decay_embeddings;
  adamw.max_grad_norm = static_cast<float>(max_grad_norm);
  return adamw;
}

Schedule OptimizerSettings::schedule(std::int64_t warmup_steps, std::int64_t total_steps) const {
  const double own = decay == Decay::kCosine ? 0.1 : 0.0;
  return {static_cast<float>(learning_rate),
          warmup_steps,
          total_steps,
          decay,
          static_cast<float>(final_fraction < 0 ? own : final_fraction),
          static_cast<float>(decay_share)};
}

}  // namespace plumb
