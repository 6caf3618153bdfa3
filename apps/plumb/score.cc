// plumb score: token ids or texts in, the log-prob of every token out.

#include <algorithm>
#include <memory>
#include <numeric>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/json_rows.h"
#include "apps/plumb/run_options.h"
#include "apps/plumb/subcommand.h"
#include "apps/plumb/workbench.h"
#include "core/progress.h"
#include "tensor/log_softmax.h"

namespace plumb {
namespace {

struct ScoreOptions {
  ModelSettings model;
  std::string in;
  std::string out;
  int top = 0;
  bool resume = false;
};

constexpr std::int64_t kBatchTokens = 1024;

// The token ids of a row. Errors: none, outside of the vocabulary, or more than the model's context holds.
Result<std::vector<std::int32_t>> tokens_of(const JsonRow& row, const Workbench& bench, const ModelConfig& config) {
  if (!row.error.empty()) {
    return Error{row.error};
  }
  std::vector<std::int32_t> ids;
  try {
    if (row.json.contains("tokens") == row.json.contains("text")) {
      return Error{"expected either \"tokens\" (a list of ids) or \"text\""};
    }
    const auto is_id = [](const nlohmann::json& id) {
      return id.is_number_integer() && id.get<double>() >= 0 && id.get<double>() < 1U << 31;
    };
    if (row.json.contains("tokens") && !std::ranges::all_of(row.json["tokens"], is_id)) {
      return Error{"\"tokens\" must be a list of token ids: whole numbers from 0 on"};
    }
    ids = row.json.contains("tokens") ? row.json["tokens"].get<std::vector<std::int32_t>>()
                                      : bench.tokenizer().encode(row.json["text"].get<std::string>());
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("expected \"tokens\" (a list of ids) or \"text\", found ") + error.what()};
  }
  if (ids.empty()) {
    return Error{"there is no token to score"};
  }
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= config.vocab_size) {
      return Error{"token id " + std::to_string(id) + " is not in the vocabulary of " +
                   std::to_string(config.vocab_size)};
    }
  }
  if (static_cast<std::int64_t>(ids.size()) > config.max_positions) {
    return Error{std::to_string(ids.size()) + " tokens exceed the model's context of " +
                 std::to_string(config.max_positions)};
  }
  return ids;
}

// [[id, log_prob], ...] of the `count` most probable tokens, among equals the lowest ids.
nlohmann::json most_probable(std::span<const float> logits, const LogitStats& stats, int count) {
  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto end = ids.begin() + std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(ids.size()));
  std::partial_sort(ids.begin(), end, ids.end(), [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)];
    const float y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  nlohmann::json top = nlohmann::json::array();
  for (auto id = ids.begin(); id != end; ++id) {
    top.push_back({*id, log_prob_of(logits[static_cast<std::size_t>(*id)], 1.0F, stats)});
  }
  return top;
}

// Rows whose tokens are scored in one pass.
class Batch {
 public:
  explicit Batch(const ScoreOptions& options) : options_(options) {}

  [[nodiscard]] std::int64_t num_tokens() const { return batch_.num_tokens(); }

  void add(const JsonRow& row, std::vector<std::int32_t> ids) {
    const auto count = static_cast<std::int64_t>(ids.size());
    const std::int64_t first = batch_.num_tokens();
    batch_.segments.push_back({.first_row = first, .num_tokens = count});
    batch_.token_ids.insert(batch_.token_ids.end(), ids.begin(), ids.end());
    nlohmann::json out = {{"id", row.id}, {"tokens", std::move(ids)}, {"log_probs", nlohmann::json::array({nullptr})}};
    out["log_probs"].get_ref<nlohmann::json::array_t&>().resize(static_cast<std::size_t>(count));
    if (options_.top > 0) {
      out["top"] = nlohmann::json::array_t(static_cast<std::size_t>(count));
    }
    for (std::int64_t t = 0; t + 1 < count; ++t) {
      rows_.push_back(first + t);
      places_.emplace_back(outputs_.size(), static_cast<std::size_t>(t + 1));
    }
    outputs_.push_back(std::move(out));
  }

  Result<void> run(Policy& policy, JsonRowWriter& writer) {
    if (!rows_.empty()) {
      policy.logits(batch_, rows_, [&](std::int64_t index, int, std::span<float> logits) {
        const auto& [output, at] = places_[static_cast<std::size_t>(index)];
        nlohmann::json& out = outputs_[output];
        const LogitStats stats = logit_stats(logits, 1.0F, nullptr);
        const auto id = out["tokens"][at].get<std::size_t>();
        out["log_probs"][at] = log_prob_of(logits[id], 1.0F, stats);
        if (options_.top > 0) {
          out["top"][at] = most_probable(logits, stats, options_.top);
        }
      });
    }
    for (const nlohmann::json& out : outputs_) {
      PLUMB_TRY(writer.write(out));
    }
    *this = Batch(options_);
    return {};
  }

  Batch& operator=(Batch&& other) noexcept {
    batch_ = std::move(other.batch_);
    rows_ = std::move(other.rows_);
    places_ = std::move(other.places_);
    outputs_ = std::move(other.outputs_);
    return *this;
  }

 private:
  const ScoreOptions& options_;
  PackedBatch batch_;
  std::vector<std::int64_t> rows_;
  std::vector<std::pair<std::size_t, std::size_t>> places_;  // output and token that a row predicts
  std::vector<nlohmann::json> outputs_;
};

Result<int> run_score(ScoreOptions options) {
  install_interrupt_handler();
  PLUMB_ASSIGN(const std::vector<JsonRow> rows, read_json_rows(options.in));
  options.model.talks = false;
  PLUMB_ASSIGN(auto source, open_model(options.model.path));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), options.model, false));
  PLUMB_ASSIGN(JsonRowWriter writer, JsonRowWriter::open(options.out, options.resume));
  Progress progress("score", static_cast<std::int64_t>(rows.size()), progress_in("row"));
  Batch batch(options);
  std::int64_t done = std::ranges::count_if(rows, [&](const JsonRow& row) { return writer.has(row.id); });
  progress.start_at(done);
  for (const JsonRow& row : rows) {
    if (writer.has(row.id)) {
      continue;
    }
    ++done;
    auto ids = tokens_of(row, *bench, bench->policy().config());
    if (!ids) {
      PLUMB_TRY(batch.run(bench->policy(), writer));  // rows stay in order
      PLUMB_TRY(writer.write_error(row, ids.error().message));
      continue;
    }
    batch.add(row, std::move(ids).value());
    if (batch.num_tokens() >= kBatchTokens) {
      PLUMB_TRY(batch.run(bench->policy(), writer));
      progress.update(done);
    }
    if (interrupted()) {
      PLUMB_TRY(writer.finish());
      return stopped_by_user(options.out + ": stopped by the user; --resume goes on with what is missing");
    }
  }
  PLUMB_TRY(batch.run(bench->policy(), writer));
  progress.finish();
  PLUMB_TRY(writer.finish());
  return 0;
}

}  // namespace

void register_score(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("score", "Log-probs of given tokens or texts");
  auto options = std::make_shared<ScoreOptions>();
  command->add_option("--model", options->model.path, "a GGUF file or a Hugging Face folder")->required();
  command->add_option("--in", options->in, "JSON Lines of {\"id\",\"tokens\" or \"text\"}")->required();
  command
      ->add_option("--out", options->out, "JSON Lines of {\"id\",\"tokens\",\"log_probs\",\"top\"} (docs/records.md)")
      ->required();
  options->model.dtype = ComputeDtype::kF32;  // as exact as the weights are; training has bf16 for speed
  add_dtype_option(*command, options->model.dtype);
  command->add_option("--top", options->top, "the most probable tokens at each place")->check(CLI::Range(0, 1 << 20));
  command->add_flag("--resume", options->resume, "go on with an --out that was cut off");
  command->add_option("--threads", options->model.threads, "0 = one per processor")->check(CLI::Range(0, 256));
  command->callback([options, &action] { action = [options] { return run_score(*options); }; });
}

}  // namespace plumb
