#include "formats/model_folder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "formats/gguf_model.h"
#include "formats/safetensors.h"
#include "tests/support/model_files.h"

namespace plumb {
namespace {

using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

struct Loaded {
  std::string bytes = testing::small_llama_gguf();
  std::unique_ptr<ModelSource> source =
      gguf_model(GgufFile::parse(testing::as_byte_span(bytes), "small").value()).value();
  std::vector<SourceTensor> tensors;

  Loaded() {
    source->chat_template = "{{ 'x' }}\n";
    for (const std::string& name : source->tensor_names()) {
      tensors.push_back(source->read(name).value());
    }
  }
  Result<void> write(const std::string& folder, SafetensorsDtype dtype = SafetensorsDtype::kF32) const {
    std::vector<TensorView> views;
    for (const SourceTensor& tensor : tensors) {
      views.push_back({tensor.name, tensor.shape, tensor.values});
    }
    return write_model_folder(folder,
                              {source->hyperparameters, views, dtype, source->tokenizer, source->chat_template});
  }
};

TEST(ModelFolder, RoundTrip) {
  const TemporaryFolder folder;
  const Loaded model;
  ASSERT_TRUE(model.write(folder / "m").ok());
  const auto again = open_model(folder / "m");
  ASSERT_TRUE(again.ok()) << again.error().message;
  const Hyperparameters& a = model.source->hyperparameters;
  const Hyperparameters& b = (*again)->hyperparameters;
  EXPECT_EQ(std::tie(a.num_layers, a.hidden_size, a.num_heads, a.num_kv_heads, a.head_dim, a.intermediate_size),
            std::tie(b.num_layers, b.hidden_size, b.num_heads, b.num_kv_heads, b.head_dim, b.intermediate_size));
  EXPECT_EQ(std::tie(a.vocab_size, a.max_positions, a.rope_theta, a.rms_norm_eps, a.tie_embeddings),
            std::tie(b.vocab_size, b.max_positions, b.rope_theta, b.rms_norm_eps, b.tie_embeddings));
  EXPECT_EQ((*again)->chat_template, model.source->chat_template);
  EXPECT_EQ((*again)->tokenizer.tokens, model.source->tokenizer.tokens);
  EXPECT_EQ((*again)->tokenizer.kinds, model.source->tokenizer.kinds);
  EXPECT_EQ((*again)->tokenizer.merges, model.source->tokenizer.merges);
  EXPECT_EQ((*again)->tokenizer.pre_tokenizer, "smollm");
  EXPECT_EQ((*again)->tokenizer.eos_id, 1);
  EXPECT_EQ((*again)->tokenizer.bos_id, -1);
  EXPECT_EQ((*again)->tensor_names().size(), model.tensors.size());
  for (const SourceTensor& tensor : model.tensors) {
    EXPECT_EQ((*again)->read(tensor.name)->values, tensor.values) << tensor.name;
    EXPECT_EQ((*again)->read(tensor.name)->shape, tensor.shape) << tensor.name;
  }
}

TEST(ModelFolder, ReplacesAFolderAndLeavesNothingAside) {
  const TemporaryFolder folder;
  const Loaded model;
  ASSERT_TRUE(model.write(folder / "m").ok());
  write_text(folder / "m/stale", "old");
  ASSERT_TRUE(model.write(folder / "m", SafetensorsDtype::kBf16).ok());
  EXPECT_FALSE(std::filesystem::exists(folder / "m/stale"));
  EXPECT_FALSE(std::filesystem::exists(folder / "m.tmp"));
  EXPECT_EQ(nlohmann::json::parse(read_text(folder / "m/config.json"))["torch_dtype"], "bfloat16");
}

TEST(ModelFolder, AFailedWriteLeavesTheOldFolder) {
  const TemporaryFolder folder;
  Loaded model;
  ASSERT_TRUE(model.write(folder / "m").ok());
  const std::string before = read_text(folder / "m/model.safetensors");
  model.tensors[0].shape = {1};
  EXPECT_FALSE(model.write(folder / "m").ok());
  EXPECT_EQ(read_text(folder / "m/model.safetensors"), before);
  EXPECT_FALSE(std::filesystem::exists(folder / "m.tmp"));
  EXPECT_TRUE(open_model(folder / "m").ok());
}

TEST(ModelFolder, ReadsShards) {
  const TemporaryFolder folder;
  const Loaded model;
  ASSERT_TRUE(model.write(folder / "m").ok());
  std::filesystem::remove(folder / "m/model.safetensors");
  nlohmann::json index = {{"metadata", {{"total_size", 0}}}, {"weight_map", nlohmann::json::object()}};
  for (std::size_t part = 0; part < 2; ++part) {
    const std::string name = "model-0000" + std::to_string(part + 1) + "-of-00002.safetensors";
    std::vector<TensorView> views;
    for (std::size_t i = part; i < model.tensors.size(); i += 2) {
      views.push_back({model.tensors[i].name, model.tensors[i].shape, model.tensors[i].values});
      index["weight_map"][model.tensors[i].name] = name;
    }
    ASSERT_TRUE(write_safetensors(folder / ("m/" + name), views, SafetensorsDtype::kF32).ok());
  }
  const std::string index_path = folder / "m/model.safetensors.index.json";
  write_text(index_path, index.dump());
  const auto again = open_model(folder / "m");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ((*again)->read(model.tensors[3].name)->values, model.tensors[3].values);

  index["weight_map"]["model.extra"] = "model-00001-of-00002.safetensors";
  write_text(index_path, index.dump());
  EXPECT_NE(open_model(folder / "m").error().message.find("model.extra"), std::string::npos);
  index["weight_map"]["model.extra"] = "../outside.safetensors";
  write_text(index_path, index.dump());
  EXPECT_NE(open_model(folder / "m").error().message.find("within the folder"), std::string::npos);
  write_text(index_path, "{}");
  EXPECT_NE(open_model(folder / "m").error().message.find("weight_map"), std::string::npos);
  std::filesystem::remove(index_path);
  EXPECT_NE(open_model(folder / "m").error().message.find("neither"), std::string::npos);
}

TEST(ModelFolder, TakesTheTemplateOfItsOwnFile) {
  const TemporaryFolder folder;
  ASSERT_TRUE(Loaded().write(folder / "m").ok());
  write_text(folder / "m/chat_template.jinja", "other");
  EXPECT_EQ(open_model(folder / "m").value()->chat_template, "other");
}

TEST(ModelFolder, EveryTruncatedFileIsAClearError) {
  const TemporaryFolder folder;
  ASSERT_TRUE(Loaded().write(folder / "m").ok());
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}) {
    const std::string path = folder / ("m/" + std::string(name));
    const std::string whole = read_text(path);
    const std::size_t step = whole.size() > 2000 ? 7 : 1;
    for (std::size_t size = 0; size + 2 < whole.size(); size += step) {
      write_text(path, whole.substr(0, size));
      const auto model = open_model(folder / "m");
      ASSERT_FALSE(model.ok()) << name << " cut at " << size;
      EXPECT_NE(model.error().message.find(name), std::string::npos) << model.error().message;
    }
    std::filesystem::remove(path);
    EXPECT_NE(open_model(folder / "m").error().message.find(name), std::string::npos);
    write_text(path, whole);
  }
  EXPECT_TRUE(open_model(folder / "m").ok());
}

TEST(ModelFolder, RefusesConfigsByKey) {
  const TemporaryFolder folder;
  ASSERT_TRUE(Loaded().write(folder / "m").ok());
  const std::string path = folder / "m/config.json";
  const auto whole = nlohmann::json::parse(read_text(path));
  const auto message = [&](const char* key, const nlohmann::json& value) {
    nlohmann::json changed = whole;
    changed[key] = value;
    write_text(path, changed.dump());
    const auto model = open_model(folder / "m");
    return model ? std::string("accepted") : model.error().message;
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return ::testing::AssertionResult(text.find(part) != std::string::npos) << text;
  };
  EXPECT_TRUE(has(message("architectures", {"GPT2LMHeadModel"}), "GPT2LMHeadModel"));
  EXPECT_TRUE(has(message("architectures", {"Qwen2ForCausalLM"}), "model_type"));
  EXPECT_TRUE(has(message("logit_softcap", 30.0), "logit_softcap is no key that plumb knows of a llama model"));
  EXPECT_TRUE(has(message("architectures", nullptr), "architectures"));
  EXPECT_TRUE(has(message("attention_bias", 1), "attention_bias must be true or false"));
  EXPECT_TRUE(has(message("hidden_act", "mish"), "mish"));
  EXPECT_TRUE(has(message("rope_scaling", {{"rope_type", "longrope"}, {"factor", 8}}), "longrope"));
  EXPECT_TRUE(has(message("rope_scaling", {{"rope_type", "linear"}}), "factor is missing"));
  EXPECT_TRUE(has(message("rope_scaling", {{"rope_type", "linear"}, {"factor", 2}, {"bend", 1}}), "bend"));
  EXPECT_TRUE(has(message("rope_scaling", 3), "rope_scaling"));
  EXPECT_TRUE(has(message("hidden_size", "8"), "hidden_size must be an integer"));
  EXPECT_TRUE(has(message("hidden_size", nullptr), "hidden_size is missing"));
  EXPECT_TRUE(has(message("num_hidden_layers", -1), "number of layers"));
  EXPECT_TRUE(has(message("num_key_value_heads", 3), "must divide"));
  EXPECT_TRUE(has(message("num_attention_heads", 0), "number of heads"));
  EXPECT_TRUE(has(message("head_dim", 3), "even"));
  EXPECT_TRUE(has(message("vocab_size", 3), "vocab_size"));
  EXPECT_TRUE(has(message("rope_theta", 0), "rotary base"));
  EXPECT_TRUE(has(message("rms_norm_eps", 1e300), "epsilon"));
  EXPECT_TRUE(has(message("tie_word_embeddings", 1), "tie_word_embeddings"));
  EXPECT_EQ(message("rope_parameters", {{"rope_type", "default"}, {"rope_theta", 500000.0}}), "accepted");
  EXPECT_EQ(open_model(folder / "m").value()->hyperparameters.rope_theta, 500000.0F);
}

}  // namespace
}  // namespace plumb
