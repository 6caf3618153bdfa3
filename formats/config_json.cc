#include "formats/config_json.h"

#include <nlohmann/json.hpp>

#include "formats/families/family.h"

namespace plumb {
namespace {

using nlohmann::json;

constexpr std::string_view kCausal = "ForCausalLM";
constexpr std::string_view kValue = "ForSequenceClassification";

std::string supported_classes() {
  std::string names;
  for (const Family* family : model_families()) {
    names += (names.empty() ? "" : ", ") + std::string(family->class_name) + std::string(kCausal);
  }
  return names;
}

// The family that `architectures` names; null with the error in `keys`.
const Family* read_architecture(const json& config, ConfigReader& keys, bool& value_head) {
  const json& names = keys.raw("architectures");
  if (!names.is_array() || names.size() != 1 || !names[0].is_string()) {
    keys.fail("architectures", "must be a list of one name");
    return nullptr;
  }
  const auto name = names[0].get<std::string>();
  for (const Family* family : model_families()) {
    const std::string prefix(family->class_name);
    value_head = name == prefix + std::string(kValue);
    if (value_head || name == prefix + std::string(kCausal)) {
      if (config.contains("model_type") && config["model_type"] != family->model_type) {
        keys.fail("model_type", "is " + keys.dump("model_type") + ", but architectures names " + name);
        return nullptr;
      }
      return family;
    }
  }
  keys.fail("architectures", "names " + keys.dump("architectures") + "; supported are " + supported_classes() +
                                 ", and the same with ForSequenceClassification for reward models");
  return nullptr;
}

// A reward model has one number for each row.
void check_labels(ConfigReader& keys) {
  std::int64_t labels = keys.raw("id2label").is_object() ? static_cast<std::int64_t>(keys.raw("id2label").size()) : 2;
  keys.integer("num_labels", labels);
  if (labels != 1) {
    keys.fail("num_labels", "is " + std::to_string(labels) + "; a value head has one");
  }
}

}  // namespace

Result<Hyperparameters> parse_config_json(std::string_view text, const std::string& name) {
  const json config = json::parse(text, nullptr, false);
  if (!config.is_object()) {
    return Error{name + ": is no JSON object; the file is truncated or damaged"};
  }
  ConfigReader keys(config);
  Hyperparameters h;
  const Family* family = read_architecture(config, keys, h.value_head);
  if (family != nullptr) {
    h.architecture = family->model_type;
    read_common_keys(keys, h);
    family->read(keys, h);
    read_layer_types(keys, h);
    if (h.value_head) {
      check_labels(keys);
    }
    keys.refuse_other_keys(h.architecture);
  }
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
  const Family* family = family_of(h.architecture);
  nlohmann::ordered_json config;
  config["architectures"] = {std::string(family->class_name) + std::string(h.value_head ? kValue : kCausal)};
  config["model_type"] = h.architecture;
  config["bos_token_id"] = id(bos_id);
  config["eos_token_id"] = id(eos_id);
  config["pad_token_id"] = id(pad_id);
  config["torch_dtype"] = dtype;
  if (h.value_head) {
    config["id2label"] = {{"0", "LABEL_0"}};
    config["label2id"] = {{"LABEL_0", 0}};
  }
  write_common_keys(h, config);
  family->write(h, config);
  return config.dump(2) + "\n";
}

}  // namespace plumb
