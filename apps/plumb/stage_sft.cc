#include "apps/plumb/stage_sft.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "apps/plumb/interrupt.h"
#include "core/progress.h"

namespace plumb {
namespace {

OptimizerOptions optimizer_options(const SftSettings& settings) {
  OptimizerOptions options;
  options.weight_decay = static_cast<float>(settings.weight_decay);
  options.max_grad_norm = static_cast<float>(settings.max_grad_norm);
  return options;
}

SftLearnerOptions learner_options(const Settings& settings, std::size_t num_train) {
  SftLearnerOptions options;
  const auto batch = static_cast<std::int64_t>(settings.sft.batch_size);
  options.schedule.peak = static_cast<float>(settings.sft.learning_rate);
  options.schedule.warmup_steps = settings.sft.warmup_steps;
  options.schedule.decay = settings.sft.decay;
  options.schedule.total_steps = settings.sft.max_epochs * ((static_cast<std::int64_t>(num_train) + batch - 1) / batch);
  options.batch_size = settings.sft.batch_size;
  options.max_epochs = settings.sft.max_epochs;
  options.patience = settings.sft.patience;
  options.seed = settings.run.seed;
  options.micro_batch_tokens = settings.sft.micro_batch_tokens;
  return options;
}

}  // namespace

Result<std::vector<SftExample>> tokenise_demonstrations(std::span<const SftRecord> records, const Workbench& bench) {
  std::vector<SftExample> examples;
  for (const SftRecord& record : records) {
    auto text = bench.chat_template().render(record.messages, true);
    if (!text) {
      return text.error().with_context("demonstration '" + record.id + "'");
    }
    SftExample example{bench.tokenizer().encode(*text), bench.tokenizer().encode(record.completion, false)};
    example.completion.push_back(bench.tokenizer().eos_id());
    examples.push_back(std::move(example));
  }
  return examples;
}

Result<SftSummary> run_sft_stage(RunContext& context, std::span<const SftRecord> train,
                                 std::span<const SftRecord> dev) {
  const Settings& settings = context.settings();
  Workbench& bench = context.bench();
  RunFolder& folder = context.folder();
  if (train.empty()) {
    return Error{
        "sft: no demonstrations: no task for training (split sft; with --data also rl) has a reference in data.tasks"};
  }
  PLUMB_ASSIGN(const auto train_examples, tokenise_demonstrations(train, bench));
  PLUMB_ASSIGN(const auto dev_examples, tokenise_demonstrations(dev, bench));
  Optimizer optimizer(bench.policy(), bench.pool(), optimizer_options(settings.sft));
  const SftLearnerOptions options = learner_options(settings, train_examples.size());

  Progress progress("sft", options.schedule.total_steps, progress_in("step"));
  Result<void> logged;
  auto last = std::chrono::steady_clock::now();
  std::int64_t steps = 0;
  const SftSummary summary = train_sft(
      bench.policy(), optimizer, train_examples, dev_examples, options,
      [&](const SftStep& step) {
        const auto now = std::chrono::steady_clock::now();
        steps = step.step;
        logged = folder.log("sft", step.step,
                            {{"loss", step.loss},
                             {"grad_norm", step.grad_norm},
                             {"learning_rate", step.learning_rate},
                             {"num_tokens", static_cast<double>(step.num_tokens)},
                             {"epoch", step.epoch}},
                            {{"timing_s/step", std::chrono::duration<double>(now - last).count()}});
        last = now;
        progress.update(step.step, fmt::format("loss {:.3f}", step.loss));
        return logged.ok() && !interrupted();
      },
      [&](int epoch, double dev_loss) {
        if (std::isfinite(dev_loss)) {
          progress.line(fmt::format("sft epoch {}: dev loss {:.4f}", epoch, dev_loss));
          if (logged.ok() && epoch > 0) {
            logged = folder.log("sft", steps, {{"eval_loss", dev_loss}}, {});
          }
        }
      });
  PLUMB_TRY(logged);
  progress.finish(fmt::format("kept epoch {} (dev loss {:.4f})", summary.best_epoch, summary.best_dev_loss));
  return summary;
}

}  // namespace plumb
