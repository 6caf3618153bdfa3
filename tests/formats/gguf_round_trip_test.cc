// Every kind of model that GGUF has room for comes back equal; what it has no room for is refused by name.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "formats/gguf_model.h"
#include "formats/gguf_parts.h"
#include "formats/gguf_rope.h"
#include "tests/formats/formula_model.h"
#include "tests/support/model_files.h"

namespace plumb {
namespace {

using testing::FormulaModel;
using testing::small_deepseek;
using testing::small_dense;
using testing::TemporaryFolder;

void expect_equal(const Hyperparameters& a, const Hyperparameters& b) {
  EXPECT_EQ(a.architecture, b.architecture);
  EXPECT_EQ(std::tie(a.num_layers, a.hidden_size, a.num_heads, a.num_kv_heads, a.head_dim, a.intermediate_size),
            std::tie(b.num_layers, b.hidden_size, b.num_heads, b.num_kv_heads, b.head_dim, b.intermediate_size));
  EXPECT_EQ(std::tie(a.vocab_size, a.max_positions, a.rope_theta, a.rms_norm_eps, a.tie_embeddings),
            std::tie(b.vocab_size, b.max_positions, b.rope_theta, b.rms_norm_eps, b.tie_embeddings));
  EXPECT_EQ(std::tie(a.qkv_bias, a.o_bias, a.mlp_bias, a.qk_norm),
            std::tie(b.qkv_bias, b.o_bias, b.mlp_bias, b.qk_norm));
  EXPECT_TRUE(a.latent == b.latent);
  EXPECT_TRUE(a.moe == b.moe);
  EXPECT_TRUE(a.rope == b.rope) << a.rope.factor << " " << a.rope.original_positions;
}

void expect_round_trip(const FormulaModel& model) {
  const TemporaryFolder folder;
  const auto written = write_gguf_model(folder / "m.gguf", model, GgufType::kF32);
  ASSERT_TRUE(written.ok()) << written.error().message;
  const auto again = open_model(folder / "m.gguf");
  ASSERT_TRUE(again.ok()) << again.error().message;
  expect_equal((*again)->hyperparameters, model.hyperparameters);
  EXPECT_EQ((*again)->tokenizer.tokens, model.tokenizer.tokens);
  EXPECT_EQ((*again)->tokenizer.kinds, model.tokenizer.kinds);
  ASSERT_EQ((*again)->tensor_names(), model.tensor_names());
  for (const std::string& name : model.tensor_names()) {
    const auto found = (*again)->read(name);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->shape, model.read(name)->shape) << name;
    EXPECT_EQ(found->values, model.read(name)->values) << name;
  }
}

TEST(GgufRoundTrip, BiasesAreFoundInTheFile) {
  for (const bool attention : {false, true}) {
    for (const bool feed_forward : {false, true}) {
      Hyperparameters h = small_dense("llama");
      h.qkv_bias = h.o_bias = attention;
      h.mlp_bias = feed_forward;
      expect_round_trip(FormulaModel(h));
    }
  }
  expect_round_trip(FormulaModel(small_dense("qwen2")));
  expect_round_trip(FormulaModel(small_dense("qwen3")));
}

// Llama 3.1 8B's factors: 1 up to the 28th, 8 from the 35th, and between them what transformers 5.24 computes.
TEST(GgufRoundTrip, FindsThePublishedLlama3Scaling) {
  RopeScaling rope;
  rope.kind = RopeKind::kLlama3;
  rope.factor = 8;
  rope.original_positions = 8192;
  const auto factors = rope_factors(rope, 128, 500000.0F);
  ASSERT_EQ(factors.size(), 64U);
  const std::vector<float> mixed = {1.0F, 1.2074839F, 1.5534146F, 2.0263131F, 2.6945302F, 3.6842535F, 5.2573271F, 8.0F};
  for (std::size_t i = 0; i < factors.size(); ++i) {
    EXPECT_NEAR(factors[i], mixed[std::clamp<std::size_t>(i, 28, 35) - 28], 1e-5F) << i;
  }
  for (const auto& [factor, positions] : {std::pair{8.0F, 8192}, {32.0F, 8192}, {16.0F, 8192}, {3.5F, 777}}) {
    rope.factor = factor;
    rope.original_positions = positions;
    for (const int head_dim : {64, 96, 128}) {
      EXPECT_EQ(rope_scaling_of(rope_factors(rope, head_dim, 500000.0F), 500000.0F), rope) << factor << " " << head_dim;
    }
  }
  auto damaged = factors;
  damaged[30] *= 1.001F;
  EXPECT_FALSE(rope_scaling_of(damaged, 500000.0F));
  EXPECT_FALSE(rope_scaling_of(factors, 10000.0F));
}

TEST(GgufRoundTrip, Llama3ScalingTravelsAsFactors) {
  Hyperparameters h = small_dense("llama");
  h.rope.kind = RopeKind::kLlama3;
  h.rope.factor = 8;
  h.rope.original_positions = 64;
  expect_round_trip(FormulaModel(h));
  const TemporaryFolder folder;
  ASSERT_TRUE(write_gguf_model(folder / "m.gguf", FormulaModel(h), GgufType::kF16).ok());
  const auto file = GgufFile::open(folder / "m.gguf").value();
  EXPECT_FALSE(file.has("llama.rope.scaling.type"));
  EXPECT_EQ(file.tensors().back().name, "rope_freqs.weight");
  EXPECT_EQ(file.tensors().back().type, GgufType::kF32);
  EXPECT_EQ(file.tensors().back().shape, std::vector<std::int64_t>{4});
}

TEST(GgufRoundTrip, LatentAttentionComesBackFromItsHalves) {
  Hyperparameters h = small_deepseek();
  expect_round_trip(FormulaModel(h));
  h.latent.q_rank = 0;
  h.moe.scaling = 2.5F;
  expect_round_trip(FormulaModel(h));
  h.rope.kind = RopeKind::kYarn;
  h.rope.factor = 40;
  h.rope.original_positions = 64;
  for (const float mscale : {0.707F, 1.0F, 0.1F}) {
    h.rope.mscale = h.rope.mscale_all_dim = mscale;
    expect_round_trip(FormulaModel(h));
  }
}

// kv_b_proj holds of each head 4 rows of keys, then 6 of values; attn_k_b has the keys' columns for rows.
TEST(GgufRoundTrip, HalvesOfLatentAttentionLieAsLlamaCppReadsThem) {
  const TemporaryFolder folder;
  const FormulaModel model(small_deepseek());
  ASSERT_TRUE(write_gguf_model(folder / "m.gguf", model, GgufType::kF32).ok());
  const auto file = GgufFile::open(folder / "m.gguf").value();
  const auto joined = model.read("model.layers.1.self_attn.kv_b_proj.weight")->values;
  const auto stored = [&](const std::string& name) {
    const auto found = std::ranges::find(file.tensors(), name, &GgufTensor::name);
    std::vector<float> values(static_cast<std::size_t>(found->num_values));
    dequantize(found->type, found->blocks, values);
    return std::pair{found->shape, values};
  };
  const auto [key_shape, keys] = stored("blk.1.attn_k_b.weight");
  const auto [value_shape, values] = stored("blk.1.attn_v_b.weight");
  EXPECT_EQ(key_shape, (std::vector<std::int64_t>{3, 5, 4}));
  EXPECT_EQ(value_shape, (std::vector<std::int64_t>{3, 6, 5}));
  EXPECT_EQ(keys[(2 * 5 + 4) * 4 + 1], joined[(2 * 10 + 1) * 5 + 4]);
  EXPECT_EQ(values[(2 * 6 + 4) * 5 + 3], joined[(2 * 10 + 4 + 4) * 5 + 3]);
}

// Files from before April 2025: kv_b_proj as it is, and the dimensions of a head in other keys.
TEST(GgufRoundTrip, ReadsLatentAttentionThatIsJoined) {
  Hyperparameters h = small_deepseek();
  h.moe.first_dense = h.num_layers;
  const FormulaModel model(h);
  const auto write = [&](bool joined) {
    testing::GgufBuilder file;
    const std::string at = "deepseek2.";
    file.string("general.architecture", "deepseek2").u32(at + "block_count", 2).u32(at + "embedding_length", 12);
    file.u32(at + "feed_forward_length", 10).u32(at + "context_length", 256).u32(at + "attention.head_count", 3);
    file.u32(at + "attention.key_length", 8).u32(at + "attention.value_length", 6);
    file.u32(at + "attention.kv_lora_rank", 5).u32(at + "attention.q_lora_rank", 8).u32(at + "rope.dimension_count", 4);
    file.f32(at + "attention.layer_norm_rms_epsilon", h.rms_norm_eps).u32(at + "expert_count", 3);
    file.u32(at + "expert_used_count", 2).u32(at + "expert_feed_forward_length", 5).u32(at + "expert_shared_count", 2);
    file.u32(at + "leading_dense_block_count", 2).u32(at + "vocab_size", 9).string("tokenizer.ggml.model", "gpt2");
    file.string("tokenizer.ggml.pre", "smollm").strings("tokenizer.ggml.merges", {"a b"});
    file.strings("tokenizer.ggml.tokens", model.tokenizer.tokens).i32s("tokenizer.ggml.token_type", {3, 3, 1, 1, 1});
    for (const GgufPart& part : gguf_parts(h, joined)) {
      const SourceTensor tensor = model.read(part.sources[0]).value();
      file.tensor(part.name, {tensor.shape.rbegin(), tensor.shape.rend()}, tensor.values);
    }
    return file.build();
  };
  const std::string bytes = write(true);
  const auto read = gguf_model(GgufFile::parse(testing::as_byte_span(bytes), "old").value());
  ASSERT_TRUE(read.ok()) << read.error().message;
  expect_equal((*read)->hyperparameters, h);
  const std::string name = "model.layers.1.self_attn.kv_b_proj.weight";
  EXPECT_EQ((*read)->read(name)->values, model.read(name)->values);
  // Halves of other shapes than the keys say are no halves.
  const std::string wrong = write(false);
  const auto odd = gguf_model(GgufFile::parse(testing::as_byte_span(wrong), "odd").value());
  ASSERT_TRUE(odd.ok()) << odd.error().message;
  EXPECT_NE((*odd)->read(name).error().message.find("blk.1.attn_k_b.weight must be attn_k_b [3, 5, 4]"),
            std::string::npos);
}

void expect_refused(const std::string& family, const std::string& what,
                    const std::function<void(ModelSource&)>& change) {
  const TemporaryFolder folder;
  FormulaModel model(family == "deepseek_v2" ? small_deepseek() : small_dense(family));
  change(model);
  const auto written = write_gguf_model(folder / "m.gguf", model, GgufType::kF32);
  ASSERT_FALSE(written.ok()) << what;
  EXPECT_NE(written.error().message.find(what), std::string::npos) << written.error().message;
  EXPECT_NE(written.error().message.find("; write a Hugging Face folder"), std::string::npos);
}

// What llama.cpp would not compute, or the file has no room for, would come back as another model.
TEST(GgufRoundTrip, RefusesModelsByTheirCause) {
  expect_refused("llama", "hidden_act is gelu_pytorch_tanh",
                 [](ModelSource& model) { model.hyperparameters.activation = Activation::kGeluTanh; });
  expect_refused("llama", "value head", [](ModelSource& model) { model.hyperparameters.value_head = true; });
  expect_refused("mistral", "sliding window of 7",
                 [](ModelSource& model) { model.hyperparameters.sliding_window = 7; });
  expect_refused("qwen3", "biases (attention_bias), which llama.cpp does not read for the architecture qwen3",
                 [](ModelSource& model) { model.hyperparameters.qkv_bias = model.hyperparameters.o_bias = true; });
  expect_refused("llama", "rotary scaling is dynamic",
                 [](ModelSource& model) { model.hyperparameters.rope.kind = RopeKind::kDynamic; });
  expect_refused("llama", "yarn scaling has beta_fast = 16", [](ModelSource& model) {
    model.hyperparameters.rope.kind = RopeKind::kYarn;
    model.hyperparameters.rope.beta_fast = 16;
  });
  expect_refused("qwen3", "llama3, which llama.cpp reads for the architecture llama alone",
                 [](ModelSource& model) { model.hyperparameters.rope.kind = RopeKind::kLlama3; });
  expect_refused("llama", "low_freq_factor 1.3", [](ModelSource& model) {
    RopeScaling& rope = model.hyperparameters.rope;
    rope.kind = RopeKind::kLlama3;
    rope.factor = 8;
    rope.low_freq_factor = 1.3F;
    model.hyperparameters.head_dim = 64;
  });
  expect_refused("qwen3_moe", "norm_topk_prob = false", [](ModelSource& model) {
    model.hyperparameters.moe.num_experts = 4;
    model.hyperparameters.moe.normalise = false;
  });
  expect_refused("qwen3_moe", "decoder_sparse_step 2", [](ModelSource& model) {
    model.hyperparameters.moe.num_experts = 4;
    model.hyperparameters.moe.normalise = true;
    model.hyperparameters.moe.sparse_step = 2;
  });
}

TEST(GgufRoundTrip, RefusesDeepSeeksByTheirCause) {
  const auto refused = [](const std::string& what, const std::function<void(Hyperparameters&)>& change) {
    expect_refused("deepseek_v2", what, [&](ModelSource& model) { change(model.hyperparameters); });
  };
  refused("group_limited_greedy", [](Hyperparameters& h) { h.moe.num_groups = 3; });
  refused("no shared experts", [](Hyperparameters& h) { h.moe.shared_size = 0; });
  refused("no routed experts", [](Hyperparameters& h) { h.moe.num_experts = 0; });
  refused("27 layers and q_lora_rank 8", [](Hyperparameters& h) { h.num_layers = 27; });
  refused("equal mscale and mscale_all_dim", [](Hyperparameters& h) {
    h.rope.kind = RopeKind::kYarn;
    h.rope.mscale = 1;
    h.rope.mscale_all_dim = 0.5F;
  });
  refused("neither none nor yarn", [](Hyperparameters& h) { h.rope.kind = RopeKind::kLinear; });
}

}  // namespace
}  // namespace plumb
