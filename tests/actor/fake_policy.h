#pragma once
// A policy without a transformer: the logits after a sequence are a hash of its tokens, or a script says what comes
// next. Generation logic is tested on it alone.

#include <map>
#include <memory>
#include <vector>

#include "core/rng.h"
#include "policy/policy.h"

namespace plumb {

/// Remembers tokens; pages are single tokens.
class FakeCache : public KvCache {
 public:
  explicit FakeCache(std::int64_t budget) : budget_(budget) {}
  SequenceId add_sequence() override {
    sequences_[next_] = {};
    return next_++;
  }
  SequenceId fork(SequenceId parent) override {
    sequences_[next_] = sequences_.at(parent);
    return next_++;
  }
  void remove(SequenceId sequence) override { sequences_.erase(sequence); }
  [[nodiscard]] std::int64_t length(SequenceId sequence) const override {
    return static_cast<std::int64_t>(sequences_.at(sequence).size());
  }
  [[nodiscard]] std::int64_t used_bytes() const override {
    std::int64_t used = 0;
    for (const auto& [id, tokens] : sequences_) {
      used += static_cast<std::int64_t>(tokens.size());
    }
    return used;
  }
  [[nodiscard]] std::int64_t budget_bytes() const override { return budget_; }
  [[nodiscard]] std::int64_t free_tokens() const override { return budget_ - used_bytes(); }

  std::map<SequenceId, std::vector<std::int32_t>> sequences_;

 private:
  std::int64_t budget_;
  SequenceId next_ = 0;
};

class FakePolicy : public Policy {
 public:
  explicit FakePolicy(std::int64_t vocab_size) {
    config_.vocab_size = vocab_size;
    config_.max_positions = 512;
  }

  [[nodiscard]] const ModelConfig& config() const override { return config_; }
  [[nodiscard]] ComputeDtype dtype() const override { return ComputeDtype::kF32; }
  [[nodiscard]] std::int64_t version() const override { return 7; }
  [[nodiscard]] std::int64_t num_parameters() const override { return 0; }
  std::vector<ParameterView>& parameters() override { return parameters_; }
  void commit_update() override {}
  void zero_gradients() override {}
  TokenScores score(const PackedBatch&, const ScoreTargets&) override { return {}; }
  TokenScores forward(const PackedBatch&, const ScoreTargets&, ForwardTape&) override { return {}; }
  void backward(ForwardTape&, std::span<const float>) override {}

  void extend(KvCache& cache, std::span<const ExtendRequest> requests, const LogitsVisitor& visit) override {
    auto& fake = dynamic_cast<FakeCache&>(cache);
    largest_batch_ = std::max(largest_batch_, requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto& tokens = fake.sequences_.at(requests[i].sequence);
      tokens.insert(tokens.end(), requests[i].token_ids.begin(), requests[i].token_ids.end());
      std::vector<float> logits = logits_after(tokens);
      visit(static_cast<std::int64_t>(i), 0, logits);
    }
  }
  [[nodiscard]] std::unique_ptr<KvCache> make_cache(std::int64_t budget_bytes) const override {
    return std::make_unique<FakeCache>(budget_bytes);
  }

  [[nodiscard]] std::vector<float> logits_after(const std::vector<std::int32_t>& tokens) const {
    std::vector<float> logits(static_cast<std::size_t>(config_.vocab_size));
    if (!script_.empty()) {
      const std::size_t position = std::min(tokens.size() - prompt_length_, script_.size() - 1);
      logits[static_cast<std::size_t>(script_[position])] = 100.0F;
      return logits;
    }
    std::uint64_t hash = 1;
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

 private:
  ModelConfig config_;
  std::vector<ParameterView> parameters_;
};

}  // namespace plumb
