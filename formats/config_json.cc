#include "formats/config_json.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace plumb {
namespace {

using nlohmann::json;

// The double whose shortest text is the float's: 1e-05 rather than 9.999999747378752e-06.
double shortest_double(float value) {
  std::array<char, 64> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  double result = 0;
  std::from_chars(text.data(), written.ptr, result);
  return result;
}

// Reads keys of one object; remembers the first error.
class KeyReader {
 public:
  explicit KeyReader(const json& object) : object_(object) {}

  [[nodiscard]] bool has(const char* key) const { return object_.contains(key) && !object_[key].is_null(); }

  void integer(const char* key, std::int64_t& target, bool required) {
    if (!has(key)) {
      require(key, required);
    } else if (!object_[key].is_number_integer()) {
      fail(key, "must be an integer, found " + dump(key));
    } else {
      target = object_[key].get<std::int64_t>();
    }
  }

  void real(const char* key, float& target) {
    if (!has(key)) {
      return;
    }
    if (!object_[key].is_number()) {
      return fail(key, "must be a number, found " + dump(key));
    }
    target = static_cast<float>(object_[key].get<double>());
  }

  void boolean(const char* key, bool& target) {
    if (!has(key)) {
      return;
    }
    if (!object_[key].is_boolean()) {
      return fail(key, "must be true or false, found " + dump(key));
    }
    target = object_[key].get<bool>();
  }

  // The key, where present, must hold this value: any other changes what the model computes.
  void only(const char* key, const json& value) {
    if (has(key) && object_[key] != value) {
      fail(key, "is " + dump(key) + "; only " + value.dump() + " is supported");
    }
  }

  void fail(const char* key, const std::string& what) {
    if (error_.ok()) {
      error_ = Error{std::string(key) + " " + what};
    }
  }
  [[nodiscard]] const Result<void>& error() const { return error_; }

 private:
  [[nodiscard]] std::string dump(const char* key) const {
    return object_[key].dump(-1, ' ', true, json::error_handler_t::replace).substr(0, 200);
  }
  void require(const char* key, bool required) {
    if (required) {
      fail(key, "is missing");
    }
  }

  const json& object_;
  Result<void> error_;
};

void read_architecture(const json& config, KeyReader& keys) {
  const json& names = config.contains("architectures") ? config["architectures"] : json();
  const bool one_name = names.is_array() && names.size() == 1 && names[0].is_string();
  if (!one_name) {
    keys.fail("architectures", "must be a list of one name");
  } else if (names[0] != "LlamaForCausalLM") {
    keys.fail("architectures", "names \"" + names[0].get<std::string>() + "\"; only LlamaForCausalLM is supported");
  }
}

void read_rope(const json& config, KeyReader& keys, Hyperparameters& h) {
  keys.real("rope_theta", h.rope_theta);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (!keys.has(key)) {
      continue;
    }
    if (!config[key].is_object()) {
      return keys.fail(key, "must be an object or null");
    }
    KeyReader rope(config[key]);
    rope.only("rope_type", "default");
    rope.only("type", "default");
    rope.real("rope_theta", h.rope_theta);
    if (!rope.error()) {
      return keys.fail(key, "cannot be used: " + rope.error().error().message);
    }
  }
}

}  // namespace

Result<Hyperparameters> parse_config_json(std::string_view text, const std::string& name) {
  const json config = json::parse(text, nullptr, false);
  if (!config.is_object()) {
    return Error{name + ": is no JSON object; the file is truncated or damaged"};
  }
  KeyReader keys(config);
  Hyperparameters h;
  read_architecture(config, keys);
  keys.integer("num_hidden_layers", h.num_layers, true);
  keys.integer("hidden_size", h.hidden_size, true);
  keys.integer("intermediate_size", h.intermediate_size, true);
  keys.integer("vocab_size", h.vocab_size, true);
  keys.integer("num_attention_heads", h.num_heads, true);
  h.num_kv_heads = h.num_heads;
  keys.integer("num_key_value_heads", h.num_kv_heads, false);
  h.head_dim = h.num_heads > 0 ? h.hidden_size / h.num_heads : 0;
  keys.integer("head_dim", h.head_dim, false);
  h.max_positions = 2048;  // what transformers takes where a key is absent; so for the next
  keys.integer("max_position_embeddings", h.max_positions, false);
  h.rms_norm_eps = 1e-6F;
  keys.real("rms_norm_eps", h.rms_norm_eps);
  keys.boolean("tie_word_embeddings", h.tie_embeddings);
  read_rope(config, keys, h);
  keys.only("hidden_act", "silu");
  keys.only("attention_bias", false);
  keys.only("mlp_bias", false);
  if (!keys.error()) {
    return keys.error().error().with_context(name);
  }
  if (const auto checked = check_hyperparameters(h); !checked) {
    return checked.error().with_context(name);
  }
  return h;
}

std::string make_config_json(const Hyperparameters& h, const std::string& dtype, int bos_id, int eos_id, int pad_id) {
  const auto id = [](int value) { return value < 0 ? json() : json(value); };
  const nlohmann::ordered_json config = {{"architectures", {"LlamaForCausalLM"}},
                                         {"model_type", "llama"},
                                         {"attention_bias", false},
                                         {"attention_dropout", 0.0},
                                         {"bos_token_id", id(bos_id)},
                                         {"eos_token_id", id(eos_id)},
                                         {"pad_token_id", id(pad_id)},
                                         {"head_dim", h.head_dim},
                                         {"hidden_act", "silu"},
                                         {"hidden_size", h.hidden_size},
                                         {"initializer_range", 0.02},
                                         {"intermediate_size", h.intermediate_size},
                                         {"max_position_embeddings", h.max_positions},
                                         {"mlp_bias", false},
                                         {"num_attention_heads", h.num_heads},
                                         {"num_hidden_layers", h.num_layers},
                                         {"num_key_value_heads", h.num_kv_heads},
                                         {"pretraining_tp", 1},
                                         {"rms_norm_eps", shortest_double(h.rms_norm_eps)},
                                         {"rope_scaling", nullptr},
                                         {"rope_theta", shortest_double(h.rope_theta)},
                                         {"tie_word_embeddings", h.tie_embeddings},
                                         {"torch_dtype", dtype},
                                         {"use_cache", true},
                                         {"vocab_size", h.vocab_size}};
  return config.dump(2) + "\n";
}

}  // namespace plumb
