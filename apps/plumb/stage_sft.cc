#include "apps/plumb/stage_sft.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>

#include "apps/plumb/bad_batch.h"
#include "apps/plumb/checkpoint_writer.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/layer_norms.h"
#include "apps/plumb/router_settings.h"
#include "apps/plumb/sft_examples.h"
#include "apps/plumb/update_watch.h"
#include "core/escape.h"
#include "core/progress.h"
#include "learner/mixture.h"

namespace plumb {
namespace {

void say(const std::string& words) {
  std::fprintf(stderr, "plumb: %s\n", words.c_str());
}

// All but what the examples say: the shares and forms, and how many updates they are.
SftLearnerOptions learner_options(const Settings& settings) {
  SftLearnerOptions options;
  options.batch_size = settings.sft.batch_size;
  options.batch_tokens = settings.sft.batch_tokens;
  options.max_epochs = settings.sft.max_epochs;
  options.patience = settings.sft.patience;
  options.seed = settings.run.seed;
  options.micro_batch_tokens = settings.sft.micro_batch_tokens;
  options.router = settings.sft.router;
  options.z_loss = static_cast<float>(settings.sft.z_loss);
  return options;
}

// sft.mixture as shares by the numbers of the training's sources.
Result<std::vector<double>> shares_of(const std::vector<std::string>& mixture, const SftSources& sources) {
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
    if (found == sources.end() || end == text || *end != '\0' || !(share > 0) || !std::isfinite(share)) {
      return Error{fmt::format(
          "sft.mixture: expected source=share with a finite share above 0, of the sources {}; found {}", known, entry)};
    }
    double& of_source = shares[static_cast<std::size_t>(found->second)];
    if (of_source > 0) {
      return Error{fmt::format("sft.mixture: the source {} is named twice", name)};
    }
    of_source = share;
  }
  return shares;
}

// Whether sft.mixture has no share for the source of this number; sources of dev alone are not in it either.
bool is_left_out(int source, const std::vector<double>& shares) {
  const auto at = static_cast<std::size_t>(source);
  return !shares.empty() && (at >= shares.size() || shares[at] == 0);
}

// The training as this process does it: its callbacks and its checkpoints.
class SftRun {
 public:
  SftRun(RunContext& context, std::span<const SftRecord> records, SftSources sources, std::int64_t num_steps)
      : settings_(context.settings().sft),
        layer_norms_(context.settings().run.layer_norms),
        bench_(context.bench()),
        folder_(context.folder()),
        records_(records),
        sources_(std::move(sources)),
        optimizer_(bench_.policy(), bench_.pool(), settings_.optimizer.options()),
        checkpoints_(optimizer_),
        progress_("sft", num_steps, progress_in("step")) {}

  Result<void> resume() {
    PLUMB_ASSIGN(const auto loaded, load_newest_checkpoint(root(), {bench_, optimizer_}, &state_.best));
    if (!loaded) {
      return folder_.open_logs(ResumePoint{"sft", -1});  // the dev loss before training is said again
    }
    const nlohmann::json& kept = loaded->sampler;
    if (!kept.is_object() || !kept.contains("best_dev_loss") || !kept.contains("best_epoch")) {
      return Error{root() + ": not the state of an SFT run; remove it to start from the first step"};
    }
    state_.steps = loaded->step;
    state_.num_tokens = loaded->num_tokens;
    watch_.begin(loaded->skipped_in_a_row, optimizer_.num_updates());
    state_.best_epoch = kept["best_epoch"].get<int>();
    state_.has_best = true;
    state_.best_dev_loss =
        kept["best_dev_loss"].is_null() ? std::numeric_limits<double>::infinity() : kept["best_dev_loss"].get<double>();
    steps_ = state_.steps;
    progress_.start_at(steps_);
    return folder_.open_logs(ResumePoint{"sft", state_.steps});
  }

  Result<SftSummary> run(std::span<const SftExample> train, std::span<const SftExample> dev,
                         const SftLearnerOptions& options) {
    const SftCallbacks callbacks{[this](const SftStep& step) { return on_step(step); },
                                 [this](int epoch, const SftLoss& loss) { on_epoch(epoch, loss); },
                                 [this](const SftState& state) { return on_state(state); }};
    const SftSummary summary =
        train_sft(bench_.policy(), optimizer_, train, dev, options, callbacks, std::move(state_));
    PLUMB_TRY(failure_);
    PLUMB_TRY(checkpoints_.wait());
    progress_.finish(fmt::format("kept epoch {} ({})", summary.best_epoch, dev_loss_text(summary)));
    return summary;
  }

  // Once the result is in its place.
  static void forget(const RunFolder& folder) {
    std::error_code ignored;  // what stays costs disk, nothing else
    std::filesystem::remove_all(folder.file(kProgress), ignored);
  }

  static constexpr const char* kProgress = "sft-progress";

 private:
  [[nodiscard]] std::string root() const { return folder_.file(kProgress); }

  bool on_step(const SftStep& step) {
    if (!failure_) {
      return false;  // of the evaluation before
    }
    const auto now = std::chrono::steady_clock::now();
    steps_ = step.step;
    MetricMap metrics = {{"loss", step.loss},
                         {"grad_norm", step.grad_norm},
                         {"learning_rate", step.learning_rate},
                         {"num_tokens", static_cast<double>(step.num_tokens)},
                         {"epoch", step.epoch}};
    add_router_metrics(step.router, metrics);
    add_layer_norms(layer_norms_, optimizer_, metrics);
    for (const auto& [name, loss] : by_source(step.source_loss)) {
      metrics["loss/" + name] = loss;
    }
    failure_ = folder_.log("sft", step.step, metrics,
                           {{"timing_s/step", std::chrono::duration<double>(now - last_).count()},
                            {"timing_s/checkpoint", checkpoints_.take_stall_s()}});
    last_ = now;
    progress_.update(step.step, fmt::format("loss {:.3f}", step.loss));
    if (failure_) {
      failure_ = check_finite(step);
    }
    return failure_.ok();
  }

  Result<void> check_finite(const SftStep& step) {
    const UpdateWatch::Word word = watch_.after_step(step.step, step.loss, step.grad_norm);
    if (!word.note.empty()) {
      progress_.line(word.note);
    }
    if (word.fault.empty()) {
      return {};
    }
    PLUMB_TRY(folder_.sync_logs());
    std::vector<nlohmann::json> rows;
    for (std::size_t i = 0; i < step.batch.size(); ++i) {
      rows.push_back(bad_batch_row(records_[step.places[i]].id, *step.batch[i], bench_.tokenizer()));
    }
    return stop_with_bad_batch(folder_, "sft", "sft", word, rows);
  }

  void on_epoch(int epoch, const SftLoss& dev) {
    if (!std::isfinite(dev.mean)) {
      // No later loss would count as better: the run would end with the weights that it began with, and say nothing.
      const std::string when = epoch == 0 ? "before training" : fmt::format("after epoch {}", epoch);
      failure_ = Error{fmt::format("sft: the dev loss {} is not finite; {}", when,
                                   advice_where_not_finite("sft", optimizer_.num_updates() > 0))};
      return;
    }
    progress_.line(fmt::format("sft epoch {}: dev loss {:.4f}", epoch, dev.mean));
    MetricMap metrics = {{"eval_loss", dev.mean}};
    for (const auto& [name, loss] : by_source(dev.by_source)) {
      metrics["eval_loss/" + name] = loss;
      metrics["perplexity/" + name] = std::exp(loss);
    }
    if (failure_) {
      failure_ = folder_.log("sft", steps_, metrics, {});
    }
  }

  // Losses by the names of the sources that have one, where they are asked for.
  [[nodiscard]] std::map<std::string, double> by_source(const std::vector<double>& losses) const {
    std::map<std::string, double> named;
    for (const auto& [name, number] : sources_) {
      const auto at = static_cast<std::size_t>(number);
      if (settings_.loss_by_source && at < losses.size() && std::isfinite(losses[at])) {
        named[name] = losses[at];
      }
    }
    return named;
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
    kept.skipped_in_a_row = watch_.skipped_in_a_row();
    kept.sampler = {{"best_dev_loss", state.best_dev_loss}, {"best_epoch", state.best_epoch}};
    return checkpoints_.start(root(), kept, {bench_, optimizer_, nullptr, &state.best}, 1);
  }

  const SftSettings& settings_;
  bool layer_norms_;
  Workbench& bench_;
  RunFolder& folder_;
  std::span<const SftRecord> records_;  // as the training's examples
  SftSources sources_;
  Optimizer optimizer_;
  CheckpointWriter checkpoints_;
  Progress progress_;
  SftState state_;
  UpdateWatch watch_;
  Result<void> failure_;
  std::int64_t steps_ = 0;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// What a run learns from, and how. `options.form` refers to it.
struct SftPlan {
  SftSources sources;
  std::vector<SftExample> train;
  std::vector<SftExample> dev;
  SftLearnerOptions options;
};

// How often a mixture passes over each of its sources in the whole training: a small source with a large share is seen
// far more often than sft.max_epochs says.
void say_mixture(const SftPlan& plan) {
  std::vector<MixtureItem> items;
  std::vector<std::int64_t> examples(plan.sources.size());
  for (const SftExample& example : plan.train) {
    items.push_back({example.source, example.num_trained()});
    ++examples[static_cast<std::size_t>(example.source)];
  }
  const SftLearnerOptions& options = plan.options;
  const std::size_t draws = items.size() * static_cast<std::size_t>(options.max_epochs);
  std::vector<std::int64_t> drawn(plan.sources.size());
  for (const std::size_t place : mixture_order(items, options.shares, draws, options.seed)) {
    ++drawn[static_cast<std::size_t>(items[place].source)];
  }
  for (const auto& [name, number] : plan.sources) {
    const auto at = static_cast<std::size_t>(number);
    if (!is_left_out(number, options.shares)) {
      const double passes = static_cast<double>(drawn[at]) / static_cast<double>(examples[at]);
      say(fmt::format("sft: source {}: {} examples, about {:.{}f} passes in sft.max_epochs = {} epochs of {} draws",
                      strip_terminal(name), examples[at], passes, passes < 10 ? 1 : 0, options.max_epochs,
                      items.size()));
    }
  }
}

// What there is to learn from, before the first step: rows of a batch are tokens of examples, none is padding.
void say_examples(const SftPlan& plan, std::span<const SftRecord> train, std::span<const SftRecord> dev) {
  const std::vector<double>& shares = plan.options.shares;
  std::int64_t examples = 0;
  std::int64_t tokens = 0;
  std::int64_t trained = 0;
  for (const SftExample& example : plan.train) {
    if (!is_left_out(example.source, shares)) {
      ++examples;
      tokens += std::ssize(example.tokens);
      trained += example.num_trained();
    }
  }
  say(
      fmt::format("sft: {} examples of {} tokens, the loss on {} of them; packed without padding, so that 100 % of a "
                  "batch's rows are useful",
                  examples, tokens, trained));
  if (!shares.empty()) {
    say_mixture(plan);
  }
  for (const auto& [name, number] : plan.sources) {
    if (is_left_out(number, shares)) {
      const auto is_of_it = [&](const SftRecord& record) { return record.source == name; };
      say(fmt::format(
          "note: sft.mixture does not name the source {}: its rows ({} for training, {} of the split dev) "
          "are not trained on, and do not choose the best weights",
          strip_terminal(name), std::ranges::count_if(train, is_of_it), std::ranges::count_if(dev, is_of_it)));
    }
  }
}

// `records` outlive the plan.
Result<std::unique_ptr<SftPlan>> plan_sft(RunContext& context, std::span<const SftRecord> train,
                                          std::span<const SftRecord> dev) {
  const Settings& settings = context.settings();
  if (train.empty()) {
    return Error{fmt::format(
        "sft: no demonstrations: expected something to learn from (a reference, a completion, an assistant's turn at "
        "the end, or plain text) in rows for training (those of the split sft; of plumb sft with --data all but those "
        "of dev), found none; the rows of data.tasks are of the splits {}",
        fmt::join(context.splits(), ", "))};
  }
  auto plan = std::make_unique<SftPlan>();
  plan->sources = number_sources(train, dev);
  PLUMB_ASSIGN(plan->train, tokenise_records(train, plan->sources, settings.sft.loss_on, context.bench()));
  PLUMB_ASSIGN(plan->dev, tokenise_records(dev, plan->sources, settings.sft.loss_on, context.bench()));
  SftLearnerOptions& options = plan->options;
  options = learner_options(settings);
  PLUMB_TRY(check_router_loss(options.router, context.bench().policy().config()));
  PLUMB_ASSIGN(options.shares, shares_of(settings.sft.mixture, number_sources(train, {})));
  std::erase_if(plan->dev, [&](const SftExample& one) { return is_left_out(one.source, options.shares); });
  PLUMB_ASSIGN(options.form, fim_forms(train, plan->sources, settings, context.bench()));
  options.schedule = settings.sft.optimizer.schedule(settings.sft.warmup_steps, num_sft_steps(plan->train, options));
  return plan;
}

}  // namespace

Result<void> check_sft_stage(RunContext& context, std::span<const SftRecord> train, std::span<const SftRecord> dev) {
  const auto plan = plan_sft(context, train, dev);
  return plan ? Result<void>() : plan.error();
}

Result<SftSummary> run_sft_stage(RunContext& context, std::span<const SftRecord> train, std::span<const SftRecord> dev,
                                 bool resume) {
  PLUMB_ASSIGN(const auto plan, plan_sft(context, train, dev));
  say_examples(*plan, train, dev);
  PLUMB_TRY(context.claim());
  SftRun run(context, train, plan->sources, plan->options.schedule.total_steps);
  if (resume) {
    PLUMB_TRY(run.resume());
  } else if (!context.folder().has_logs()) {
    PLUMB_TRY(context.folder().open_logs({}));
  }
  PLUMB_ASSIGN(const SftSummary summary, run.run(plan->train, plan->dev, plan->options));
  return summary;
}

bool is_complete_sft(const RunFolder& folder) {
  return std::filesystem::exists(folder.file("policy")) && !std::filesystem::exists(folder.file(SftRun::kProgress));
}

std::string dev_loss_text(const SftSummary& summary) {
  return summary.best_dev_loss ? fmt::format("dev loss {:.4f}", *summary.best_dev_loss)
                               : "no dev loss: nothing in the split dev to measure it on";
}

void forget_sft_progress(const RunFolder& folder) {
  SftRun::forget(folder);
}

}  // namespace plumb
