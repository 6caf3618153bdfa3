// Every family's config.json, read and written again; what contradicts itself is refused by key.

#include "formats/config_json.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "formats/families/family.h"

namespace plumb {
namespace {

const std::string kFolder = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/families/";

nlohmann::json config_of(const std::string& name) {
  std::ifstream file(kFolder + name + ".json");
  return nlohmann::json::parse(file).at("config");
}

std::string message_of(const nlohmann::json& config) {
  const auto parsed = parse_config_json(config.dump(), "config.json");
  return parsed ? "accepted" : parsed.error().message;
}

TEST(ConfigJson, EveryFamilyReadsWhatItWrites) {
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".json") {
      continue;
    }
    const std::string name = entry.path().stem();
    const auto first = parse_config_json(config_of(name).dump(), name);
    ASSERT_TRUE(first.ok()) << first.error().message;
    const std::string text = make_config_json(*first, "float32", 1, 2, -1);
    const auto second = parse_config_json(text, name);
    ASSERT_TRUE(second.ok()) << second.error().message;
    EXPECT_EQ(make_config_json(*second, "float32", 1, 2, -1), text) << name;
    EXPECT_EQ(first->rope, second->rope) << name;
    EXPECT_EQ(first->moe, second->moe) << name;
    EXPECT_EQ(first->latent, second->latent) << name;
    EXPECT_EQ(std::tie(first->qkv_bias, first->o_bias, first->mlp_bias, first->qk_norm, first->value_head),
              std::tie(second->qkv_bias, second->o_bias, second->mlp_bias, second->qk_norm, second->value_head));
    EXPECT_EQ(std::tie(first->head_dim, first->sliding_window, first->first_windowed_layer, first->activation),
              std::tie(second->head_dim, second->sliding_window, second->first_windowed_layer, second->activation));
    seen.insert(first->architecture);
  }
  EXPECT_EQ(seen.size(), model_families().size()) << "a family without a golden";
}

TEST(ConfigJson, RefusesWhatExpertsAndLatentsCannotBe) {
  const auto with = [](const char* name, const char* key, const nlohmann::json& value) {
    nlohmann::json config = config_of(name);
    config[key] = value;
    return message_of(config);
  };
  EXPECT_EQ(message_of(config_of("mixtral")), "accepted");
  EXPECT_NE(with("mixtral", "num_experts_per_tok", 6).find("cannot go to 6 experts of 5"), std::string::npos);
  EXPECT_NE(with("mixtral", "num_local_experts", -1).find("number of experts"), std::string::npos);
  EXPECT_NE(with("mixtral", "num_local_experts", 1 << 30).find("more than any model has"), std::string::npos);
  EXPECT_NE(with("mixtral", "num_hidden_layers", 1 << 30).find("at most 4096"), std::string::npos);
  EXPECT_NE(with("mixtral", "hidden_size", std::int64_t{1} << 60).find("hidden_size must lie below"),
            std::string::npos);
  EXPECT_NE(with("mixtral", "n_group", 2).find("n_group"), std::string::npos);
  EXPECT_NE(with("qwen2_moe", "moe_intermediate_size", nullptr).find("moe_intermediate_size"), std::string::npos);
  EXPECT_NE(with("qwen2_moe", "mlp_only_layers", "all").find("mlp_only_layers"), std::string::npos);
  EXPECT_NE(with("deepseek_v2", "topk_method", "noaux_tc").find("noaux_tc"), std::string::npos);
  EXPECT_NE(with("deepseek_v2", "n_group", 4).find("equal groups"), std::string::npos);
  EXPECT_NE(with("deepseek_v2", "kv_lora_rank", nullptr).find("kv_lora_rank is missing"), std::string::npos);
  EXPECT_NE(with("deepseek_v2", "qk_rope_head_dim", 5).find("even"), std::string::npos);
  EXPECT_NE(with("deepseek_v2", "moe_layer_freq", 2).find("moe_layer_freq"), std::string::npos);
  EXPECT_NE(with("qwen2_window", "layer_types", {"sliding_attention", "full_attention"}).find("from some layer on"),
            std::string::npos);
  EXPECT_NE(with("qwen2_moe", "use_sliding_window", true).find("say it by layer_types"), std::string::npos);
  EXPECT_NE(with("llama3", "layer_types", {"full_attention"}).find("one a layer"), std::string::npos);
  EXPECT_NE(with("deepseek_v2", "qk_head_dim", 3).find("qk_head_dim"), std::string::npos);
  EXPECT_NE(with("llama3", "architectures", {"New\nLine"}).find("New\\nLine"), std::string::npos);
  EXPECT_NE(with("qwen2_value", "id2label", {{"0", "a"}, {"1", "b"}}).find("value head has one"), std::string::npos);
  EXPECT_NE(with("llama3", "rope_scaling", {{"rope_type", "yarn"}, {"factor", 0.5}}).find("at least 1"),
            std::string::npos);
}

// What transformers' versions and tools around it write, read as they mean it.
TEST(ConfigJson, SpellingsOfOtherVersions) {
  const auto parsed = [](const std::string& name, const nlohmann::json& changes) {
    nlohmann::json config = config_of(name);
    config.merge_patch(changes);
    const auto result = parse_config_json(config.dump(), name);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return result.ok() ? *result : Hyperparameters{};
  };
  const auto text = [](const Hyperparameters& h) { return make_config_json(h, "float32", -1, -1, -1); };
  const nlohmann::json kNone = nlohmann::json::object();
  const Hyperparameters experts = parsed("qwen3_moe", kNone);
  nlohmann::json renamed = config_of("qwen3_moe");
  renamed["num_local_experts"] = renamed["num_experts"];
  renamed.erase("num_experts");
  EXPECT_EQ(text(parse_config_json(renamed.dump(), "renamed").value()), text(experts));
  const Hyperparameters latent = parsed("deepseek_v2", kNone);
  EXPECT_EQ(text(parsed("deepseek_v2", {{"qk_head_dim", latent.head_dim}})), text(latent));
  EXPECT_EQ(text(parsed("llama3", {{"is_decoder", false}, {"unsloth_version", "2"}, {"temperature", 0.6}})),
            text(parsed("llama3", kNone)));

  // All layers of a Qwen3-MoE, whatever max_window_layers says; a Mistral's default, but for an explicit null.
  const nlohmann::json window = {{"use_sliding_window", true}, {"sliding_window", 7}, {"max_window_layers", 1}};
  EXPECT_EQ(parsed("qwen3_moe", window).window_of(0), 7);
  nlohmann::json types = window;
  types["layer_types"] = nlohmann::json::array();
  for (std::int64_t layer = 0; layer < experts.num_layers; ++layer) {
    types["layer_types"].push_back(layer == 0 ? "full_attention" : "sliding_attention");
  }
  EXPECT_EQ(parsed("qwen3_moe", types).window_of(0), 0);
  EXPECT_EQ(parsed("qwen3_moe", types).window_of(1), 7);
  nlohmann::json mistral = config_of("mistral_window");
  mistral.erase("sliding_window");
  EXPECT_EQ(parse_config_json(mistral.dump(), "mistral").value().sliding_window, 4096);
  mistral["sliding_window"] = nullptr;
  EXPECT_EQ(parse_config_json(mistral.dump(), "mistral").value().sliding_window, 0);
  nlohmann::json mixtral = config_of("mixtral");
  mixtral.erase("rope_theta");
  mixtral.erase("rope_parameters");
  EXPECT_EQ(parse_config_json(mixtral.dump(), "mixtral").value().rope_theta, 1e6F);
}

}  // namespace
}  // namespace plumb
