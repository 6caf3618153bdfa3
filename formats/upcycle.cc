#include "formats/upcycle.h"

#include <map>
#include <set>
#include <utility>

#include "core/rng.h"

namespace plumb {
namespace {

constexpr double kRouterDeviation = 0.02;

class UpcycledModel final : public ModelSource {
 public:
  UpcycledModel(std::unique_ptr<ModelSource> dense, const UpcycleOptions& options)
      : ModelSource(*dense), dense_(std::move(dense)), seed_(options.seed) {
    Hyperparameters& h = hyperparameters;
    h.moe.num_experts = options.num_experts;
    h.moe.top_k = options.top_k;
    h.moe.expert_size = h.intermediate_size;
    h.moe.normalise = true;
    if (h.architecture == "qwen3") {
      h.architecture = "qwen3_moe";
    } else {
      h.architecture = "mixtral";
      h.moe.use_mixtral_names();
    }
  }

  [[nodiscard]] std::vector<std::string> tensor_names() const override { return names_; }

  [[nodiscard]] std::vector<std::int64_t> shape_of(const std::string& name) const override {
    if (routers_.contains(name)) {
      return {hyperparameters.moe.num_experts, hyperparameters.hidden_size};
    }
    const auto copied = sources_.find(name);
    return dense_->shape_of(copied == sources_.end() ? name : copied->second);
  }

  [[nodiscard]] Result<SourceTensor> read(const std::string& name) const override {
    if (routers_.contains(name)) {
      return make_router(name);
    }
    const auto copied = sources_.find(name);
    PLUMB_ASSIGN(SourceTensor tensor, dense_->read(copied == sources_.end() ? name : copied->second));
    tensor.name = name;
    return tensor;
  }

  // Each layer's router and experts in the place of its gate, up and down. The sizes have been checked.
  void add_names() {
    const MixtureOfExperts& moe = hyperparameters.moe;
    for (const std::string& name : dense_->tensor_names()) {
      const std::size_t block = name.find(".mlp.");
      if (block == std::string::npos) {
        names_.push_back(name);
        continue;
      }
      const std::string layer = name.substr(0, block + 1);
      const std::string router = layer + moe.block + ".gate.weight";
      if (routers_.insert(router).second) {
        names_.push_back(router);
      }
      const bool is_gate = name.ends_with("gate_proj.weight");
      const std::string& part = is_gate                            ? moe.gate_name
                                : name.ends_with("up_proj.weight") ? moe.up_name
                                                                   : moe.down_name;
      for (std::int64_t e = 0; e < moe.num_experts; ++e) {
        names_.push_back(layer + moe.block + ".experts." + std::to_string(e) + "." + part + ".weight");
        sources_.emplace(names_.back(), name);
      }
    }
  }

 private:
  [[nodiscard]] SourceTensor make_router(const std::string& name) const {
    const Hyperparameters& h = hyperparameters;
    SourceTensor router{name, {h.moe.num_experts, h.hidden_size}, {}};
    const RngStream stream(RngPurpose::kInit, seed_, stable_hash(name));
    for (std::int64_t i = 0; i < h.moe.num_experts * h.hidden_size; ++i) {
      router.values.push_back(static_cast<float>(kRouterDeviation * stream.normal(static_cast<std::uint32_t>(i))));
    }
    return router;
  }

  std::unique_ptr<ModelSource> dense_;
  std::uint64_t seed_;
  std::vector<std::string> names_;
  std::map<std::string, std::string> sources_;  // expert tensor -> the dense model's
  std::set<std::string> routers_;
};

}  // namespace

Result<std::unique_ptr<ModelSource>> upcycle(std::unique_ptr<ModelSource> dense, const UpcycleOptions& options) {
  const Hyperparameters& h = dense->hyperparameters;
  if (h.architecture != "llama" && h.architecture != "mistral" && h.architecture != "qwen3") {
    return Error{"a " + h.architecture + " model cannot be made a mixture of experts; llama, mistral and qwen3 can"};
  }
  if (h.mlp_bias || h.qkv_bias || h.o_bias) {
    return Error{"a model with biases cannot be made a mixture of experts: no such family has them"};
  }
  auto model = std::make_unique<UpcycledModel>(std::move(dense), options);
  PLUMB_TRY(check_hyperparameters(model->hyperparameters));
  model->add_names();
  return std::unique_ptr<ModelSource>(std::move(model));
}

}  // namespace plumb
