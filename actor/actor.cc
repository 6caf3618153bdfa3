#include "actor/actor.h"

#include <utility>

namespace plumb {
namespace {

class PolicyCopy final : public Actor {
 public:
  PolicyCopy(std::unique_ptr<Policy> policy, const Tokenizer& tokenizer, ThreadPool& pool)
      : policy_(std::move(policy)), generator_(*policy_, tokenizer, pool) {}

  Result<std::vector<CompletionGroup>> generate(
      std::span<const GenerationRequest> requests, const GeneratorOptions& options,
      const std::function<bool(const GenerationProgress&)>& on_progress,
      const std::function<void(std::size_t, const CompletionGroup&)>& on_group) override {
    return generator_.generate(requests, options, on_progress, on_group);
  }

  [[nodiscard]] std::int64_t version() const override { return policy_->version(); }

  Result<void> adopt(const WeightSet& weights) override {
    if (weights.version != policy_->version()) {
      adopt_weights(*policy_, weights);
    }
    return {};
  }

 private:
  std::unique_ptr<Policy> policy_;
  Generator generator_;
};

}  // namespace

Result<std::unique_ptr<Actor>> copy_as_actor(Policy& learner, const Tokenizer& tokenizer, ThreadPool& pool) {
  WeightSet weights = copy_weights(learner);
  PolicyOptions same;
  same.dtype = learner.dtype();
  same.pool = &pool;
  same.exact = learner.exact();
  PLUMB_ASSIGN(auto policy, Policy::create(learner.config(), std::move(weights.tensors), same));
  if (weights.version > policy->version()) {
    policy->commit_update_as(weights.version);
  }
  return std::unique_ptr<Actor>(std::make_unique<PolicyCopy>(std::move(policy), tokenizer, pool));
}

}  // namespace plumb
