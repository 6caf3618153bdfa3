#include "policy/policy.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <tuple>

#include "core/check.h"
#include "core/trace.h"
#include "policy/backward.h"
#include "policy/engine.h"
#include "policy/paged_cache.h"
#include "policy/weights.h"
#include "tensor/kept_logits.h"

namespace plumb {

struct ForwardTape::State {
  BatchPages pages;
  RowPlan plan;
  std::vector<std::int32_t> token_ids;
  LayerTape layers;
  AlignedBuffer<float> x;
  std::optional<HeadActivations> head;
  std::int64_t version = -1;
};

ForwardTape::ForwardTape() : state_(std::make_unique<State>()) {}
ForwardTape::~ForwardTape() = default;
ForwardTape::ForwardTape(ForwardTape&&) noexcept = default;
ForwardTape& ForwardTape::operator=(ForwardTape&&) noexcept = default;

void Policy::commit_update_as(std::int64_t /*version*/) {
  PLUMB_CHECK(false, "this policy takes no weights from elsewhere");
}

ForwardTape::State& Policy::state_of(ForwardTape& tape) {
  return *tape.state_;
}

const ForwardTape::State& Policy::state_of(const ForwardTape& tape) {
  return *tape.state_;
}

std::vector<float> Policy::values(const PackedBatch& /*batch*/, std::span<const std::int64_t> /*rows*/) {
  PLUMB_CHECK(false, "this policy has no value head");
}

namespace {

Result<void> check_config(const ModelConfig& config) {
  if (const auto checked = check_hyperparameters(config); !checked) {
    return checked.error().with_context(
        "the model's configuration is impossible (check config.json or the GGUF's metadata)");
  }
  return {};
}

class TransformerPolicy final : public Policy {
 public:
  TransformerPolicy(const ModelConfig& config, std::unique_ptr<Weights> weights, const PolicyOptions& options)
      : weights_(std::move(weights)),
        engine_(config, options, *weights_),
        trainable_(options.trainable),
        checkpoints_(options.activation_checkpointing),
        buffers_(options.dtype) {
    weights_->pack(engine_.pool);
    proofs_ = prove_products(engine_);
  }

  [[nodiscard]] const ModelConfig& config() const override { return engine_.config; }
  [[nodiscard]] ComputeDtype dtype() const override { return engine_.dtype; }
  [[nodiscard]] bool exact() const override { return !engine_.absorbed_attention; }
  [[nodiscard]] std::int64_t version() const override { return version_; }
  [[nodiscard]] std::int64_t num_parameters() const override { return weights_->num_parameters(); }
  std::vector<ParameterView>& parameters() override { return weights_->parameters(); }

  void commit_update() override {
    weights_->pack(engine_.pool);
    ++version_;
  }
  void commit_update_as(std::int64_t version) override {
    PLUMB_CHECK(version > version_, "Policy::commit_update_as: versions grow");
    weights_->pack(engine_.pool);
    version_ = version;
  }
  void zero_gradients() override;
  [[nodiscard]] std::int64_t weight_bytes() const override { return weights_->forward_bytes(); }
  [[nodiscard]] std::vector<ProductProof> product_proofs() const override { return proofs_; }
  void set_activation_checkpointing(bool on) override { checkpoints_ = on; }

  TokenScores score(const PackedBatch& batch, const ScoreTargets& targets) override;
  void logits(const PackedBatch& batch, std::span<const std::int64_t> rows, const LogitsVisitor& visit) override;
  std::vector<float> values(const PackedBatch& batch, std::span<const std::int64_t> rows) override;
  [[nodiscard]] std::span<const float> layer_output(const ForwardTape& tape, std::int64_t layer) const override;
  [[nodiscard]] RowRoutes row_routes(const ForwardTape& tape, std::int64_t layer) const override;
  TokenScores forward(const PackedBatch& batch, const ScoreTargets& targets, ForwardTape& tape) override;
  void backward(ForwardTape& tape, std::span<const float> d_log_probs) override;
  void set_z_loss(float weight) override { buffers_.z_loss = weight; }
  void set_router_gradient(const RouterGradient* gradient) override { buffers_.router_gradient = gradient; }
  void extend(KvCache& cache, std::span<const ExtendRequest> requests, const LogitsVisitor& visit) override;
  [[nodiscard]] std::unique_ptr<KvCache> make_cache(std::int64_t budget_bytes) const override {
    return std::make_unique<PagedCache>(engine_.absorbed_attention.value_or(engine_.attention),
                                        engine_.config.num_layers, budget_bytes, version_);
  }

 private:
  void run_without_tape(const PackedBatch& batch);
  // Rows run ahead of each other by at most one layer, so the keys and values of two layers are enough.
  [[nodiscard]] std::int64_t score_layers() const { return std::min<std::int64_t>(2, engine_.config.num_layers); }
  void admit(std::span<const std::int32_t> token_ids, const std::vector<std::int64_t>& positions);
  TokenScores run_scores(const AlignedBuffer<float>& x, const ScoreTargets& targets, HeadActivations& head,
                         bool keep_hidden);

  std::unique_ptr<Weights> weights_;
  Engine engine_;
  bool trainable_;
  bool checkpoints_;
  BackwardBuffers buffers_;
  std::int64_t version_ = 0;
  std::vector<ProductProof> proofs_;
  BatchPages score_pages_;
  AlignedBuffer<float> x_;
};

void TransformerPolicy::zero_gradients() {
  constexpr std::int64_t kPiece = 1 << 18;
  AlignedBuffer<float>& all = weights_->gradients();
  engine_.pool.parallel_for((all.size() + kPiece - 1) / kPiece, [&](std::int64_t index, int) {
    const TraceSpan span("zero gradients");
    const std::int64_t begin = index * kPiece;
    std::memset(all.data() + begin, 0, static_cast<std::size_t>(std::min(kPiece, all.size() - begin)) * sizeof(float));
  });
}

// Checks a batch, and makes room for its positions.
void TransformerPolicy::admit(std::span<const std::int32_t> token_ids, const std::vector<std::int64_t>& positions) {
  PLUMB_CHECK(!token_ids.empty(), "a batch without tokens");
  for (const std::int32_t id : token_ids) {
    PLUMB_CHECK(id >= 0 && id < engine_.config.vocab_size, "a token id outside the vocabulary");
  }
  const std::int64_t last = *std::ranges::max_element(positions);
  PLUMB_CHECK(last < engine_.config.max_positions, "a sequence longer than the model's context (max_positions)");
  engine_.rope.reserve(last + 1);
}

// The rows that the head looks at for `targets`: one for each row of the batch and way to read it. Returns the targets
// of each.
std::vector<std::vector<std::size_t>> head_rows(const ScoreTargets& targets, HeadActivations& head) {
  std::map<std::int64_t, std::vector<std::int64_t>> ways_of;  // by row of the batch: indices into head.rows
  std::vector<std::vector<std::size_t>> targets_of;
  head.rows.clear();
  head.kept.clear();
  head.inverse_temperatures.clear();
  head.row_of_target.clear();
  head.target_ids = targets.target_ids;
  for (std::size_t i = 0; i < targets.rows.size(); ++i) {
    const bool raw = !targets.raw.empty() && targets.raw[i] != 0;
    const KeptSet kept = targets.kept.empty() || raw ? KeptSet{} : targets.kept[i];
    const float inverse_temperature = raw ? 1.0F : 1.0F / targets.temperature;
    std::vector<std::int64_t>& ways = ways_of[targets.rows[i]];
    const auto known = std::ranges::find_if(ways, [&](std::int64_t way) {
      const auto at = static_cast<std::size_t>(way);
      return head.inverse_temperatures[at] == inverse_temperature && (head.kept.empty() || head.kept[at] == kept);
    });
    const bool added = known == ways.end();
    const std::int64_t way = added ? static_cast<std::int64_t>(head.rows.size()) : *known;
    if (added) {
      ways.push_back(way);
      head.rows.push_back(targets.rows[i]);
      head.inverse_temperatures.push_back(inverse_temperature);
      if (!targets.kept.empty()) {
        head.kept.push_back(kept);
      }
      targets_of.emplace_back();
    }
    head.row_of_target.push_back(way);
    targets_of[static_cast<std::size_t>(way)].push_back(i);
  }
  head.stats.resize(head.rows.size());
  return targets_of;
}

TokenScores TransformerPolicy::run_scores(const AlignedBuffer<float>& x, const ScoreTargets& targets,
                                          HeadActivations& head, bool keep_hidden) {
  PLUMB_CHECK(targets.rows.size() == targets.target_ids.size(), "ScoreTargets: rows and target_ids differ in length");
  PLUMB_CHECK(targets.temperature > 0, "ScoreTargets: the temperature is positive");
  PLUMB_CHECK(targets.kept.empty() || targets.kept.size() == targets.rows.size(), "ScoreTargets: a kept set for each");
  PLUMB_CHECK(targets.raw.empty() || targets.raw.size() == targets.rows.size(), "ScoreTargets: raw or not, for each");
  const std::vector<std::vector<std::size_t>> targets_of = head_rows(targets, head);
  TokenScores scores;
  scores.log_probs.resize(targets.rows.size());
  scores.entropies.resize(targets.rows.size());
  run_head(engine_, x.data(), head.rows, keep_hidden ? &head.hidden : nullptr,
           [&](std::int64_t index, int, std::span<float> logits) {
             const auto at = static_cast<std::size_t>(index);
             const float inverse_temperature = head.inverse_temperatures[at];
             LogitStats stats = logit_stats(logits, inverse_temperature, nullptr);
             const float entropy =
                 inverse_temperature == 1 ? stats.entropy : logit_stats(logits, 1.0F, nullptr).entropy;
             if (!head.kept.empty()) {
               mask_outside(head.kept[at], 0, logits);
               stats = logit_stats(logits, inverse_temperature, nullptr);
             }
             head.stats[at] = stats;
             for (const std::size_t i : targets_of[at]) {
               const auto id = static_cast<std::size_t>(targets.target_ids[i]);
               scores.log_probs[i] = log_prob_of(logits[id], inverse_temperature, stats);
               scores.entropies[i] = entropy;
             }
           });
  return scores;
}

// The last layer's output of a batch in x_.
void TransformerPolicy::run_without_tape(const PackedBatch& batch) {
  RowPlan plan;
  score_pages_.build(batch, engine_.attention, score_layers(), plan);
  admit(batch.token_ids, plan.positions);
  run_layers(engine_, plan, x_, nullptr);
}

void TransformerPolicy::logits(const PackedBatch& batch, std::span<const std::int64_t> rows,
                               const LogitsVisitor& visit) {
  run_without_tape(batch);
  run_head(engine_, x_.data(), rows, nullptr, visit);
}

std::vector<float> TransformerPolicy::values(const PackedBatch& batch, std::span<const std::int64_t> rows) {
  PLUMB_CHECK(engine_.config.value_head, "Policy::values: the model has no value head");
  run_without_tape(batch);
  std::vector<float> values(rows.size());
  run_value_head(engine_, x_.data(), rows, values);
  return values;
}

std::span<const float> TransformerPolicy::layer_output(const ForwardTape& tape, std::int64_t layer) const {
  const auto& state = state_of(tape);
  const auto size = static_cast<std::size_t>(state.plan.num_rows() * engine_.config.hidden_size);
  const bool last = layer + 1 == engine_.config.num_layers;
  return {last ? state.x.data() : state.layers.inputs[static_cast<std::size_t>(layer + 1)].data(), size};
}

RowRoutes TransformerPolicy::row_routes(const ForwardTape& tape, std::int64_t layer) const {
  const auto& state = state_of(tape);
  if (!engine_.config.is_sparse(layer)) {
    return {};
  }
  const Routes& routes = state.layers.routes[static_cast<std::size_t>(layer)];
  const auto choices = static_cast<std::size_t>(state.plan.num_rows() * engine_.config.moe.top_k);
  const auto logits = static_cast<std::size_t>(state.plan.num_rows() * engine_.config.moe.num_experts);
  return {.experts = {routes.experts.data(), choices},
          .weights = {routes.weights.data(), choices},
          .logits = {routes.logits.data(), logits}};
}

TokenScores TransformerPolicy::score(const PackedBatch& batch, const ScoreTargets& targets) {
  run_without_tape(batch);
  HeadActivations head(engine_.dtype);
  return run_scores(x_, targets, head, false);
}

TokenScores TransformerPolicy::forward(const PackedBatch& batch, const ScoreTargets& targets, ForwardTape& tape) {
  auto& state = state_of(tape);
  state.token_ids = batch.token_ids;
  state.layers.checkpoints = checkpoints_;
  const std::int64_t layers_kept = checkpoints_ ? score_layers() : engine_.config.num_layers;
  state.pages.build(batch, engine_.attention, layers_kept, state.plan);
  state.plan.token_ids = state.token_ids;
  admit(state.token_ids, state.plan.positions);
  state.layers.resize(engine_.config, engine_.attention, engine_.dtype, batch.num_tokens());
  run_layers(engine_, state.plan, state.x, &state.layers);
  if (!state.head) {
    state.head.emplace(engine_.dtype);
  }
  state.version = version_;
  return run_scores(state.x, targets, *state.head, true);
}

void TransformerPolicy::backward(ForwardTape& tape, std::span<const float> d_log_probs) {
  auto& state = state_of(tape);
  PLUMB_CHECK(trainable_, "Policy::backward: the policy was not created trainable");
  PLUMB_CHECK(state.head && state.version == version_, "Policy::backward: the tape is not of these weights");
  PLUMB_CHECK(d_log_probs.size() == state.head->target_ids.size(), "Policy::backward: one number for each target");
  if (d_log_probs.empty()) {
    return;
  }
  run_backward(engine_,
               {.pages = state.pages, .plan = state.plan, .tape = state.layers, .x = state.x, .head = *state.head},
               d_log_probs, buffers_);
}

void TransformerPolicy::extend(KvCache& cache, std::span<const ExtendRequest> requests, const LogitsVisitor& visit) {
  auto* paged = dynamic_cast<PagedCache*>(&cache);
  PLUMB_CHECK(paged != nullptr && paged->version() == version_, "Policy::extend: the cache is not of these weights");
  std::vector<std::int32_t> token_ids;
  RowPlan plan;
  plan.layers_kept = engine_.config.num_layers;
  plan.absorbed = !exact();
  std::vector<std::int64_t> logit_rows;
  std::vector<std::int64_t> logit_requests;
  for (std::size_t index = 0; index < requests.size(); ++index) {
    const ExtendRequest& request = requests[index];
    PLUMB_CHECK(!request.token_ids.empty(), "Policy::extend: a request without tokens");
    const std::int64_t start = cache.length(request.sequence);
    paged->extend(request.sequence, static_cast<std::int64_t>(request.token_ids.size()), plan.slots);
    for (std::size_t t = 0; t < request.token_ids.size(); ++t) {
      token_ids.push_back(request.token_ids[t]);
      plan.positions.push_back(start + static_cast<std::int64_t>(t));
      plan.pages.push_back(paged->table(request.sequence));
    }
    if (request.want_logits) {
      logit_rows.push_back(static_cast<std::int64_t>(token_ids.size()) - 1);
      logit_requests.push_back(static_cast<std::int64_t>(index));
    }
  }
  plan.token_ids = token_ids;
  for (std::size_t row = 0; row <= token_ids.size(); ++row) {
    plan.slot_begin.push_back(static_cast<std::int64_t>(row));
  }
  admit(token_ids, plan.positions);
  run_layers(engine_, plan, x_, nullptr);
  run_head(engine_, x_.data(), logit_rows, nullptr, [&](std::int64_t index, int worker, std::span<float> logits) {
    visit(logit_requests[static_cast<std::size_t>(index)], worker, logits);
  });
}

}  // namespace

Result<std::unique_ptr<Policy>> Policy::create(const ModelConfig& config, std::vector<NamedTensor> weights,
                                               const PolicyOptions& options) {
  PLUMB_CHECK(options.pool != nullptr, "Policy::create: no thread pool");
  PLUMB_TRY(check_config(config));
  try {
    PLUMB_ASSIGN(auto taken, Weights::create(config, std::move(weights), options));
    return std::unique_ptr<Policy>(std::make_unique<TransformerPolicy>(config, std::move(taken), options));
  } catch (const std::exception& error) {
    return Error{std::string("oneDNN cannot multiply matrices of this model's shapes: ") + error.what()};
  }
}

}  // namespace plumb
