#pragma once
// A policy without a transformer: the logits after a sequence are a hash of its tokens, or a script says what comes
// next. Generation logic is tested on it alone. Its cache is the real one: a token and the version of its weights stand
// in the place of a key, and the logits are made of what is read back, so that a stale or wrongly shared page changes
// the completions.

#include <limits>
#include <memory>
#include <vector>

#include "core/rng.h"
#include "policy/paged_cache.h"
#include "policy/policy.h"

namespace plumb {

class FakePolicy : public Policy {
 public:
  explicit FakePolicy(std::int64_t vocab_size) {
    config_.vocab_size = vocab_size;
    config_.max_positions = 512;
  }

  [[nodiscard]] const ModelConfig& config() const override { return config_; }
  [[nodiscard]] ComputeDtype dtype() const override { return ComputeDtype::kF32; }
  [[nodiscard]] std::int64_t version() const override { return version_; }
  [[nodiscard]] std::int64_t num_parameters() const override { return 0; }
  std::vector<ParameterView>& parameters() override { return parameters_; }
  void commit_update() override { ++version_; }
  void zero_gradients() override {}
  TokenScores score(const PackedBatch&, const ScoreTargets&) override { return {}; }
  void logits(const PackedBatch&, std::span<const std::int64_t>, const LogitsVisitor&) override {}
  TokenScores forward(const PackedBatch&, const ScoreTargets&, ForwardTape&) override { return {}; }
  void backward(ForwardTape&, std::span<const float>) override {}

  void extend(KvCache& cache, std::span<const ExtendRequest> requests, const LogitsVisitor& visit) override {
    auto& pages = dynamic_cast<PagedCache&>(cache);
    largest_batch_ = std::max(largest_batch_, requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const ExtendRequest& request = requests[i];
      std::vector<PageSlot> slots;
      pages.extend(request.sequence, static_cast<std::int64_t>(request.token_ids.size()), slots);
      for (std::size_t t = 0; t < slots.size(); ++t) {
        slots[t].page[slots[t].slot] = static_cast<float>(request.token_ids[t]);
        slots[t].page[kPagePositions + slots[t].slot] = static_cast<float>(version_);
      }
      tokens_read_ += slots.size();
      if (request.want_logits) {
        std::vector<float> logits = logits_of(pages, request.sequence);
        visit(static_cast<std::int64_t>(i), 0, logits);
      }
    }
  }
  [[nodiscard]] std::unique_ptr<KvCache> make_cache(std::int64_t budget_bytes) const override {
    return std::make_unique<PagedCache>(AttentionShape{1, 1, 1}, 1, budget_bytes, version_);
  }
  /// Bytes of `count` pages.
  static std::int64_t pages(std::int64_t count) {
    return count * AttentionShape{1, 1, 1}.layer_floats() * static_cast<std::int64_t>(sizeof(float));
  }

  [[nodiscard]] std::vector<float> logits_after(const std::vector<std::int32_t>& tokens, std::int64_t version) const {
    std::vector<float> logits(static_cast<std::size_t>(config_.vocab_size));
    if (damaged_) {
      logits[3] = std::numeric_limits<float>::quiet_NaN();
      return logits;
    }
    if (!script_.empty()) {
      const std::size_t position = std::min(tokens.size() - prompt_length_, script_.size() - 1);
      logits[static_cast<std::size_t>(script_[position])] = 100.0F;
      return logits;
    }
    std::uint64_t hash = static_cast<std::uint64_t>(version);
    for (const std::int32_t token : tokens) {
      hash = stable_hash(std::to_string(hash) + "," + std::to_string(token));
    }
    const RngStream stream(RngPurpose::kInit, hash);
    for (std::size_t v = 0; v < logits.size(); ++v) {
      logits[v] = 3.0F * stream.uniform(static_cast<std::uint32_t>(v));
    }
    return logits;
  }

  std::vector<std::int32_t> script_;  // what follows a prompt of prompt_length_ tokens
  std::size_t prompt_length_ = 1;
  std::size_t largest_batch_ = 0;
  std::size_t tokens_read_ = 0;
  std::int64_t version_ = 7;
  bool damaged_ = false;

 private:
  // A page of other weights than the present ones turns the tokens into others.
  [[nodiscard]] std::vector<float> logits_of(const PagedCache& pages, SequenceId sequence) const {
    std::vector<std::int32_t> tokens;
    const float* const* table = pages.table(sequence);
    for (std::int64_t at = 0; at < pages.length(sequence); ++at) {
      const float* page = table[at / kPagePositions];
      const bool stale = page[kPagePositions + at % kPagePositions] != static_cast<float>(version_);
      tokens.push_back(static_cast<std::int32_t>(page[at % kPagePositions]) + (stale ? 1000 : 0));
    }
    return logits_after(tokens, version_);
  }

  ModelConfig config_;
  std::vector<ParameterView> parameters_;
};

}  // namespace plumb
