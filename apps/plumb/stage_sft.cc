#include "apps/plumb/stage_sft.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>

#include "apps/plumb/checkpoint.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/router_settings.h"
#include "core/progress.h"

namespace plumb {
namespace {

OptimizerOptions optimizer_options(const SftSettings& settings) {
  OptimizerOptions options;
  options.weight_decay = static_cast<float>(settings.weight_decay);
  options.max_grad_norm = static_cast<float>(settings.max_grad_norm);
  options.decay_embeddings = settings.decay_embeddings;
  return options;
}

SftLearnerOptions learner_options(const Settings& settings, std::size_t num_train) {
  SftLearnerOptions options;
  const auto batch = static_cast<std::int64_t>(settings.sft.batch_size);
  options.schedule.peak = static_cast<float>(settings.sft.learning_rate);
  options.schedule.warmup_steps = settings.sft.warmup_steps;
  options.schedule.decay = settings.sft.decay;
  options.schedule.final_fraction = static_cast<float>(settings.sft.final_fraction);
  options.schedule.decay_share = static_cast<float>(settings.sft.decay_share);
  options.schedule.total_steps = settings.sft.max_epochs * ((static_cast<std::int64_t>(num_train) + batch - 1) / batch);
  options.batch_size = settings.sft.batch_size;
  options.max_epochs = settings.sft.max_epochs;
  options.patience = settings.sft.patience;
  options.seed = settings.run.seed;
  options.micro_batch_tokens = settings.sft.micro_batch_tokens;
  options.router = settings.sft.router;
  return options;
}

// Sources of the demonstrations, numbered in the order of their names.
std::map<std::string, int> number_sources(std::span<const SftRecord> records) {
  std::map<std::string, int> sources;
  for (const SftRecord& record : records) {
    sources[record.source] = 0;
  }
  int next = 0;
  for (auto& [name, number] : sources) {
    number = next++;
  }
  return sources;
}

// sft.mixture as shares by source number.
Result<std::vector<double>> shares_of(const std::vector<std::string>& mixture,
                                      const std::map<std::string, int>& sources) {
  std::vector<double> shares(mixture.empty() ? 0 : sources.size(), 0.0);
  for (const std::string& entry : mixture) {
    const std::size_t equals = entry.rfind('=');
    const std::string name = entry.substr(0, equals);
    const auto found = sources.find(name);
    std::string known;
    for (const auto& [source, number] : sources) {
      known += (known.empty() ? "" : ", ") + source;
    }
    char* end = nullptr;
    const char* text = equals == std::string::npos ? "" : entry.c_str() + equals + 1;
    const double share = std::strtod(text, &end);
    if (found == sources.end() || end == text || *end != '\0' || !(share > 0)) {
      return Error{fmt::format("sft.mixture: expected source=share with a share above 0, of the sources {}; found {}",
                               known, entry)};
    }
    shares[static_cast<std::size_t>(found->second)] = share;
  }
  return shares;
}

// The training as this process does it: its callbacks and its checkpoints.
class SftRun {
 public:
  SftRun(RunContext& context, std::map<std::string, int> sources, std::int64_t num_steps)
      : settings_(context.settings().sft),
        bench_(context.bench()),
        folder_(context.folder()),
        sources_(std::move(sources)),
        optimizer_(bench_.policy(), bench_.pool(), optimizer_options(settings_)),
        progress_("sft", num_steps, progress_in("step")) {}

  Result<void> resume() {
    PLUMB_ASSIGN(const auto loaded, load_newest_checkpoint(root(), {bench_, optimizer_, nullptr, &state_.best}));
    if (!loaded) {
      return folder_.open_logs(ResumePoint{"sft", 0});
    }
    const nlohmann::json& kept = loaded->sampler;
    if (!kept.is_object() || !kept.contains("best_dev_loss") || !kept.contains("best_epoch")) {
      return Error{root() + ": not the state of an SFT run; remove it to start from the first step"};
    }
    state_.steps = loaded->step;
    state_.num_tokens = loaded->num_tokens;
    state_.best_epoch = kept["best_epoch"].get<int>();
    state_.has_best = true;
    state_.best_dev_loss =
        kept["best_dev_loss"].is_null() ? std::numeric_limits<double>::infinity() : kept["best_dev_loss"].get<double>();
    steps_ = state_.steps;
    return folder_.open_logs(ResumePoint{"sft", state_.steps});
  }

  Result<SftSummary> run(std::span<const SftExample> train, std::span<const SftExample> dev,
                         const SftLearnerOptions& options) {
    const SftCallbacks callbacks{[this](const SftStep& step) { return on_step(step); },
                                 [this](int epoch, double dev_loss) { on_epoch(epoch, dev_loss); },
                                 [this](const SftState& state) { return on_state(state); }};
    const SftSummary summary =
        train_sft(bench_.policy(), optimizer_, train, dev, options, callbacks, std::move(state_));
    PLUMB_TRY(failure_);
    progress_.finish(fmt::format("kept epoch {} (dev loss {:.4f})", summary.best_epoch, summary.best_dev_loss));
    return summary;
  }

  // Once the result is in its place.
  static void forget(const RunFolder& folder) {
    std::error_code ignored;  // what stays costs disk, nothing else
    std::filesystem::remove_all(folder.file(kProgress), ignored);
  }

 private:
  static constexpr const char* kProgress = "sft-progress";
  [[nodiscard]] std::string root() const { return folder_.file(kProgress); }

  bool on_step(const SftStep& step) {
    const auto now = std::chrono::steady_clock::now();
    steps_ = step.step;
    MetricMap metrics = {{"loss", step.loss},
                         {"grad_norm", step.grad_norm},
                         {"learning_rate", step.learning_rate},
                         {"num_tokens", static_cast<double>(step.num_tokens)},
                         {"epoch", step.epoch}};
    add_router_metrics(step.router, metrics);
    for (const auto& [name, number] : sources_) {
      const auto at = static_cast<std::size_t>(number);
      if (settings_.loss_by_source && at < step.source_loss.size() && std::isfinite(step.source_loss[at])) {
        metrics["loss/" + name] = step.source_loss[at];
      }
    }
    failure_ =
        folder_.log("sft", step.step, metrics, {{"timing_s/step", std::chrono::duration<double>(now - last_).count()}});
    last_ = now;
    progress_.update(step.step, fmt::format("loss {:.3f}", step.loss));
    if (failure_ && !std::isfinite(step.loss)) {
      failure_ = Error{fmt::format("sft: the loss of step {} is not finite; lower sft.learning_rate", step.step)};
    }
    return failure_.ok();
  }

  void on_epoch(int epoch, double dev_loss) {
    if (std::isfinite(dev_loss)) {
      progress_.line(fmt::format("sft epoch {}: dev loss {:.4f}", epoch, dev_loss));
      if (failure_ && epoch > 0) {
        failure_ = folder_.log("sft", steps_, {{"eval_loss", dev_loss}}, {});
      }
    }
  }

  bool on_state(const SftState& state) {
    const bool stops = interrupted();
    const bool due = settings_.checkpoint_every > 0 && state.steps % settings_.checkpoint_every == 0;
    if (failure_ && (due || stops)) {
      failure_ = save(state);
    }
    return failure_.ok() && !stops;
  }

  Result<void> save(const SftState& state) {
    PLUMB_TRY(folder_.sync_logs());
    TrainerState kept;
    kept.step = state.steps;
    kept.num_tokens = state.num_tokens;
    kept.sampler = {{"best_dev_loss", state.best_dev_loss}, {"best_epoch", state.best_epoch}};
    std::vector<std::vector<float>> best = state.best;
    return save_checkpoint(root(), kept, {bench_, optimizer_, nullptr, &best}, 1);
  }

  const SftSettings& settings_;
  Workbench& bench_;
  RunFolder& folder_;
  std::map<std::string, int> sources_;
  Optimizer optimizer_;
  Progress progress_;
  SftState state_;
  Result<void> failure_;
  std::int64_t steps_ = 0;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace

Result<std::vector<SftExample>> tokenise_demonstrations(std::span<const SftRecord> records, const Workbench& bench) {
  const std::map<std::string, int> sources = number_sources(records);
  std::vector<SftExample> examples;
  for (const SftRecord& record : records) {
    auto text = bench.chat_template().render(record.messages, true);
    if (!text) {
      return text.error().with_context("demonstration '" + record.id + "'");
    }
    SftExample example{bench.tokenizer().encode(*text), bench.tokenizer().encode(record.completion, false),
                       sources.at(record.source)};
    example.completion.push_back(bench.tokenizer().eos_id());
    examples.push_back(std::move(example));
  }
  return examples;
}

Result<SftSummary> run_sft_stage(RunContext& context, std::span<const SftRecord> train, std::span<const SftRecord> dev,
                                 bool resume) {
  const Settings& settings = context.settings();
  if (train.empty()) {
    return Error{
        "sft: no demonstrations: no task for training (split sft; with --data also rl) has a reference in data.tasks"};
  }
  PLUMB_ASSIGN(const auto train_examples, tokenise_demonstrations(train, context.bench()));
  PLUMB_ASSIGN(const auto dev_examples, tokenise_demonstrations(dev, context.bench()));
  SftLearnerOptions options = learner_options(settings, train_examples.size());
  PLUMB_TRY(check_router_loss(options.router, context.bench().policy().config()));
  const std::map<std::string, int> sources = number_sources(train);
  PLUMB_ASSIGN(options.shares, shares_of(settings.sft.mixture, sources));
  SftRun run(context, sources, options.schedule.total_steps);
  if (resume) {
    PLUMB_TRY(run.resume());
  }
  PLUMB_ASSIGN(const SftSummary summary, run.run(train_examples, dev_examples, options));
  return summary;
}

void forget_sft_progress(const RunFolder& folder) {
  SftRun::forget(folder);
}

}  // namespace plumb
