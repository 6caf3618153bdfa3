#pragma once
// The registry of model families. A family is one file of this folder: how its config.json spells the hyperparameters,
// both ways, and how its tensors are named. docs/adding-a-model-family.md walks through one.

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "formats/families/config_reader.h"
#include "formats/hyperparameters.h"

namespace plumb {

struct Family {
  std::string_view model_type;  // config.json's model_type: "qwen2"
  std::string_view class_name;  // "Qwen2": of Qwen2ForCausalLM and Qwen2ForSequenceClassification
  /// Reads what is the family's own; what all share has been read (common_keys.cc). Every key that may occur is read,
  /// pinned with only(), or ignored.
  void (*read)(ConfigReader& keys, Hyperparameters& h) = nullptr;
  /// Adds the family's own keys to those that all share.
  void (*write)(const Hyperparameters& h, nlohmann::ordered_json& config) = nullptr;
};

/// All families, in a fixed order.
std::span<const Family* const> model_families();
/// The family of this model_type, or null.
const Family* family_of(std::string_view model_type);

/// Sizes, heads, positions, norms, activation and rotary scaling, as every family spells them.
void read_common_keys(ConfigReader& keys, Hyperparameters& h);
void write_common_keys(const Hyperparameters& h, nlohmann::ordered_json& config);

/// "silu": as config.json's hidden_act names it.
std::string activation_name(Activation activation);

/// "attention_bias": of all four products of attention, as Llama and Qwen3 have it.
void read_attention_bias(ConfigReader& keys, Hyperparameters& h);

/// The keys of routed experts that Qwen2-MoE and Qwen3-MoE share.
void read_qwen_experts(ConfigReader& keys, Hyperparameters& h);
void write_qwen_experts(const Hyperparameters& h, nlohmann::ordered_json& config);

/// "layer_types", after the family's own keys: which layers have the window, where a file says it layer by layer.
void read_layer_types(ConfigReader& keys, Hyperparameters& h);

/// sliding_window, and which layers have it where use_sliding_window says so (Qwen).
void read_optional_window(ConfigReader& keys, Hyperparameters& h);
void write_optional_window(const Hyperparameters& h, nlohmann::ordered_json& config);

/// The double whose shortest text is the float's: 1e-05 rather than 9.999999747378752e-06.
double shortest_double(float value);

}  // namespace plumb
