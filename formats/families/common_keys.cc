// What all families of config.json have in common.

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "formats/families/family.h"

namespace plumb {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array<std::pair<std::string_view, Activation>, 7> kActivations = {
    {{"silu", Activation::kSilu},
     {"swish", Activation::kSilu},
     {"gelu", Activation::kGelu},
     {"gelu_pytorch_tanh", Activation::kGeluTanh},
     {"gelu_new", Activation::kGeluTanh},
     {"gelu_fast", Activation::kGeluTanh},
     {"relu", Activation::kRelu}}};

constexpr std::array<std::pair<std::string_view, RopeKind>, 5> kRopeKinds = {{{"default", RopeKind::kDefault},
                                                                              {"linear", RopeKind::kLinear},
                                                                              {"dynamic", RopeKind::kDynamic},
                                                                              {"llama3", RopeKind::kLlama3},
                                                                              {"yarn", RopeKind::kYarn}}};

template <typename Table>
std::string names_of(const Table& table) {
  std::string names;
  for (const auto& [name, value] : table) {
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

void read_activation(ConfigReader& keys, Hyperparameters& h) {
  std::string name = "silu";
  keys.text("hidden_act", name);
  for (const auto& [known, activation] : kActivations) {
    if (known == name) {
      h.activation = activation;
      return;
    }
  }
  keys.fail("hidden_act", "is \"" + name + "\"; supported are " + names_of(kActivations));
}

void read_rope_object(ConfigReader& rope, Hyperparameters& h) {
  std::string name = "default";
  rope.text("type", name);  // the spelling of older files
  rope.text("rope_type", name);
  bool known = false;
  for (const auto& [kind_name, kind] : kRopeKinds) {
    if (kind_name == name) {
      h.rope.kind = kind;
      known = true;
    }
  }
  if (!known) {
    rope.fail("rope_type", "is \"" + name + "\"; supported are " + names_of(kRopeKinds));
  }
  rope.real("rope_theta", h.rope_theta);
  if (h.rope.kind != RopeKind::kDefault && !rope.has("factor")) {
    rope.fail("factor", "is missing");
  }
  rope.real("factor", h.rope.factor);
  rope.integer("original_max_position_embeddings", h.rope.original_positions);
  if (h.rope.kind == RopeKind::kLlama3) {
    rope.real("low_freq_factor", h.rope.low_freq_factor);
    rope.real("high_freq_factor", h.rope.high_freq_factor);
  }
  if (h.rope.kind == RopeKind::kYarn) {
    rope.real("beta_fast", h.rope.beta_fast);
    rope.real("beta_slow", h.rope.beta_slow);
    rope.real("attention_factor", h.rope.attention_factor);
    rope.real("mscale", h.rope.mscale);
    rope.real("mscale_all_dim", h.rope.mscale_all_dim);
    if (h.rope.attention_factor < 0 || h.rope.mscale < 0 || h.rope.mscale_all_dim < 0) {
      rope.fail("attention_factor", "and mscale must not be negative");
    }
    rope.only("truncate", true);
  }
  rope.only("partial_rotary_factor", 1.0);
  rope.ignore({"finetuned"});
  rope.refuse_other_keys(name + "-scaled");
}

void read_rope(ConfigReader& keys, Hyperparameters& h) {
  keys.real("rope_theta", h.rope_theta);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    const json& value = keys.raw(key);
    if (value.is_null()) {
      continue;
    }
    if (!value.is_object()) {
      return keys.fail(key, "must be an object or null");
    }
    ConfigReader rope(value);
    read_rope_object(rope, h);
    if (!rope.error()) {
      return keys.fail(key, "cannot be used: " + rope.error().error().message);
    }
  }
  if (h.rope.original_positions == 0) {
    h.rope.original_positions = h.max_positions;
  }
}

std::string rope_name(RopeKind kind) {
  for (const auto& [name, known] : kRopeKinds) {
    if (known == kind) {
      return std::string(name);
    }
  }
  return {};
}

json rope_object(const RopeScaling& rope) {
  if (rope.kind == RopeKind::kDefault) {
    return nullptr;
  }
  const std::string name = rope_name(rope.kind);
  json object = {{"rope_type", name}, {"type", name}, {"factor", shortest_double(rope.factor)}};
  if (rope.kind == RopeKind::kLlama3 || rope.kind == RopeKind::kYarn) {
    object["original_max_position_embeddings"] = rope.original_positions;
  }
  if (rope.kind == RopeKind::kLlama3) {
    object["low_freq_factor"] = shortest_double(rope.low_freq_factor);
    object["high_freq_factor"] = shortest_double(rope.high_freq_factor);
  }
  if (rope.kind == RopeKind::kYarn) {
    object["beta_fast"] = shortest_double(rope.beta_fast);
    object["beta_slow"] = shortest_double(rope.beta_slow);
    for (const auto& [key, value] :
         {std::pair{"attention_factor", rope.attention_factor}, std::pair{"mscale", rope.mscale},
          std::pair{"mscale_all_dim", rope.mscale_all_dim}}) {
      if (value != 0) {
        object[key] = shortest_double(value);
      }
    }
  }
  return object;
}

}  // namespace

double shortest_double(float value) {
  std::array<char, 64> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  double result = 0;
  std::from_chars(text.data(), written.ptr, result);
  return result;
}

void read_common_keys(ConfigReader& keys, Hyperparameters& h) {
  keys.required_integer("num_hidden_layers", h.num_layers);
  keys.required_integer("hidden_size", h.hidden_size);
  keys.required_integer("intermediate_size", h.intermediate_size);
  keys.required_integer("vocab_size", h.vocab_size);
  keys.required_integer("num_attention_heads", h.num_heads);
  h.num_kv_heads = h.num_heads;
  keys.integer("num_key_value_heads", h.num_kv_heads);
  h.head_dim = h.num_heads > 0 ? h.hidden_size / h.num_heads : 0;
  keys.integer("head_dim", h.head_dim);
  h.max_positions = 2048;  // what transformers takes where a key is absent; so for the next
  keys.integer("max_position_embeddings", h.max_positions);
  h.rms_norm_eps = 1e-6F;
  keys.real("rms_norm_eps", h.rms_norm_eps);
  keys.boolean("tie_word_embeddings", h.tie_embeddings);
  read_activation(keys, h);
  read_rope(keys, h);
  keys.only("rope_interleaved", false);
  keys.only("partial_rotary_factor", 1.0);
  // Names, training, sampling and versions: nothing that the forward pass depends on.
  keys.ignore({"architectures",
               "model_type",
               "_name_or_path",
               "_attn_implementation_autoset",
               "transformers_version",
               "transformers.js_config",
               "torch_dtype",
               "dtype",
               "auto_map",
               "bos_token_id",
               "eos_token_id",
               "pad_token_id",
               "initializer_range",
               "use_cache",
               "attention_dropout",
               "hidden_dropout",
               "pretraining_tp",
               "id2label",
               "label2id",
               "num_labels",
               "problem_type",
               "is_llama_config",
               "is_decoder",
               "_attn_implementation",
               "tokenizer_class",
               "model_max_length",
               "max_sequence_length",
               "unsloth_version",
               "unsloth_fixed",
               "temperature",
               "top_p",
               "top_k",
               "do_sample",
               "output_router_logits",
               "router_aux_loss_coef",
               "router_jitter_noise",
               "return_dict"});
}

// Of several spellings the first.
std::string activation_name(Activation activation) {
  const auto known = std::ranges::find(kActivations, activation, [](const auto& entry) { return entry.second; });
  return known == kActivations.end() ? "" : std::string(known->first);
}

void write_common_keys(const Hyperparameters& h, ordered_json& config) {
  config["hidden_act"] = activation_name(h.activation);
  config["hidden_size"] = h.hidden_size;
  config["initializer_range"] = 0.02;
  config["intermediate_size"] = h.intermediate_size;
  config["max_position_embeddings"] = h.max_positions;
  config["num_attention_heads"] = h.num_heads;
  config["num_hidden_layers"] = h.num_layers;
  config["num_key_value_heads"] = h.num_kv_heads;
  config["rms_norm_eps"] = shortest_double(h.rms_norm_eps);
  config["rope_scaling"] = rope_object(h.rope);
  config["rope_theta"] = shortest_double(h.rope_theta);
  config["tie_word_embeddings"] = h.tie_embeddings;
  config["vocab_size"] = h.vocab_size;
  config["attention_dropout"] = 0.0;
  config["use_cache"] = true;
}

void read_attention_bias(ConfigReader& keys, Hyperparameters& h) {
  keys.boolean("attention_bias", h.qkv_bias);
  h.o_bias = h.qkv_bias;
}

void read_qwen_experts(ConfigReader& keys, Hyperparameters& h) {
  keys.integer("num_local_experts", h.moe.num_experts);  // transformers 5's spelling
  if (!keys.has("num_local_experts")) {
    keys.required_integer("num_experts", h.moe.num_experts);
  }
  keys.only("num_experts", h.moe.num_experts);
  keys.required_integer("num_experts_per_tok", h.moe.top_k);
  keys.required_integer("moe_intermediate_size", h.moe.expert_size);
  keys.boolean("norm_topk_prob", h.moe.normalise);
  keys.integer("decoder_sparse_step", h.moe.sparse_step);
  keys.integers("mlp_only_layers", h.moe.dense_layers);
}

void write_qwen_experts(const Hyperparameters& h, ordered_json& config) {
  config["num_experts"] = h.moe.num_experts;
  config["num_experts_per_tok"] = h.moe.top_k;
  config["moe_intermediate_size"] = h.moe.expert_size;
  config["norm_topk_prob"] = h.moe.normalise;
  config["decoder_sparse_step"] = h.moe.sparse_step;
  config["mlp_only_layers"] = h.moe.dense_layers;
}

void read_optional_window(ConfigReader& keys, Hyperparameters& h) {
  bool used = false;
  std::int64_t window = 4096;  // transformers' defaults of a Qwen
  std::int64_t first = 28;
  keys.boolean("use_sliding_window", used);
  keys.integer("sliding_window", window);
  keys.integer("max_window_layers", first);
  h.sliding_window = used ? window : 0;
  h.first_windowed_layer = used ? first : 0;
}

// Where a file names each layer's kind, that is what transformers goes by.
void read_layer_types(ConfigReader& keys, Hyperparameters& h) {
  const json& types = keys.raw("layer_types");
  if (types.is_null()) {
    return;
  }
  if (!types.is_array() || std::cmp_not_equal(types.size(), h.num_layers)) {
    return keys.fail("layer_types", "must be a list of " + std::to_string(h.num_layers) + " kinds, one a layer");
  }
  const auto first = std::ranges::find(types, json("sliding_attention"));
  const bool known = std::all_of(types.begin(), first, [](const json& type) { return type == "full_attention"; }) &&
                     std::all_of(first, types.end(), [](const json& type) { return type == "sliding_attention"; });
  if (!known) {
    return keys.fail("layer_types", "is " + keys.dump("layer_types") +
                                        "; supported are full_attention, from some layer on sliding_attention");
  }
  h.first_windowed_layer = first - types.begin();
  if (first == types.end()) {
    h.sliding_window = 0;
    h.first_windowed_layer = 0;
  } else if (h.sliding_window == 0) {
    keys.fail("layer_types", "names sliding_attention, but no sliding_window is in use");
  }
}

void write_optional_window(const Hyperparameters& h, ordered_json& config) {
  config["use_sliding_window"] = h.sliding_window > 0;
  if (h.sliding_window > 0) {
    config["sliding_window"] = h.sliding_window;
    config["max_window_layers"] = h.first_windowed_layer;
    for (std::int64_t layer = 0; layer < h.num_layers; ++layer) {
      config["layer_types"].push_back(h.window_of(layer) > 0 ? "sliding_attention" : "full_attention");
    }
  }
}

}  // namespace plumb
