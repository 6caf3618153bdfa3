// GGUF files that plumb writes, read again; dense models as mixtures of experts.

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "formats/gguf_model.h"
#include "formats/half.h"
#include "formats/upcycle.h"
#include "tests/support/model_files.h"

namespace plumb {
namespace {

using testing::TemporaryFolder;

std::unique_ptr<ModelSource> small_llama(const std::string& bytes) {
  return gguf_model(GgufFile::parse(testing::as_byte_span(bytes), "small").value()).value();
}

void expect_same(const ModelSource& found, const ModelSource& expected) {
  EXPECT_EQ(found.tensor_names().size(), expected.tensor_names().size());
  for (const std::string& name : expected.tensor_names()) {
    const auto a = found.read(name);
    ASSERT_TRUE(a.ok()) << a.error().message;
    EXPECT_EQ(a->shape, expected.read(name)->shape) << name;
    EXPECT_EQ(a->values, expected.read(name)->values) << name;
  }
}

TEST(GgufWriter, RoundTripsInF32) {
  const TemporaryFolder folder;
  const std::string bytes = testing::small_llama_gguf();
  const auto model = small_llama(bytes);
  model->chat_template = "{{ 'x' }}";
  ASSERT_TRUE(write_gguf_model(folder / "m.gguf", *model, GgufType::kF32).ok());
  const auto again = open_model(folder / "m.gguf");
  ASSERT_TRUE(again.ok()) << again.error().message;
  expect_same(**again, *model);
  EXPECT_EQ((*again)->chat_template, model->chat_template);
  EXPECT_EQ((*again)->tokenizer.tokens, model->tokenizer.tokens);
  EXPECT_EQ((*again)->tokenizer.kinds, model->tokenizer.kinds);
  EXPECT_EQ((*again)->tokenizer.merges, model->tokenizer.merges);
  EXPECT_EQ((*again)->tokenizer.eos_id, model->tokenizer.eos_id);
  const Hyperparameters& a = (*again)->hyperparameters;
  const Hyperparameters& b = model->hyperparameters;
  EXPECT_EQ(std::tie(a.num_layers, a.head_dim, a.max_positions, a.rope_theta, a.rms_norm_eps, a.tie_embeddings),
            std::tie(b.num_layers, b.head_dim, b.max_positions, b.rope_theta, b.rms_norm_eps, b.tie_embeddings));
}

TEST(GgufWriter, TokenizersComeBackByName) {
  const TemporaryFolder folder;
  const std::string bytes = testing::small_llama_gguf();
  const auto model = small_llama(bytes);
  model->tokenizer.pre_tokenizer = "gpt2";
  ASSERT_TRUE(write_gguf_model(folder / "m.gguf", *model, GgufType::kF32).ok());
  EXPECT_EQ(open_model(folder / "m.gguf").value()->tokenizer.pre_tokenizer, "gpt2");
}

TEST(GgufWriter, RoundsToSixteenBits) {
  const TemporaryFolder folder;
  const std::string bytes = testing::small_llama_gguf();
  const auto model = small_llama(bytes);
  const std::string name = "model.layers.0.mlp.down_proj.weight";
  for (const GgufType type : {GgufType::kF16, GgufType::kBf16}) {
    ASSERT_TRUE(write_gguf_model(folder / "m.gguf", *model, type).ok());
    const auto expected = model->read(name)->values;
    const auto found = open_model(folder / "m.gguf").value()->read(name)->values;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(found[i], type == GgufType::kF16 ? half_to_float(float_to_half(expected[i]))
                                                 : bfloat16_to_float(float_to_bfloat16(expected[i])));
    }
  }
}

TEST(Half, EveryHalfSurvivesAndHalvesRoundToEven) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
    } else {
      ASSERT_EQ(float_to_half(value), half);
    }
    const auto next = static_cast<std::uint16_t>(bits + 1);
    if (bits < 0x7BFF) {  // between this and the next
      const float middle = 0.5F * (value + half_to_float(next));
      ASSERT_EQ(float_to_half(middle), bits % 2 == 0 ? half : next);
      ASSERT_EQ(float_to_half(std::nextafter(middle, 1e9F)), next);
    }
  }
  EXPECT_EQ(float_to_half(65520.0F), 0x7C00);
  EXPECT_EQ(float_to_half(65519.0F), 0x7BFF);
}

// A mixture with rows of 32 values: what Q8_0 can hold.
std::unique_ptr<ModelSource> wide_mixture(const TemporaryFolder& folder) {
  testing::GgufBuilder file;
  file.string("general.architecture", "llama").u32("llama.block_count", 1).u32("llama.embedding_length", 32);
  file.u32("llama.feed_forward_length", 64).u32("llama.context_length", 64).u32("llama.attention.head_count", 4);
  file.u32("llama.attention.head_count_kv", 2).f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  file.string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", "smollm");
  file.strings("tokenizer.ggml.merges", {"a b"}).strings("tokenizer.ggml.tokens", {"a", "b", "ab"});
  file.i32s("tokenizer.ggml.token_type", {1, 1, 1});
  std::uint64_t seed = 0;
  const auto random = [&](std::int64_t count) {
    const RngStream stream(RngPurpose::kInit, 3, seed++);
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(static_cast<float>(stream.normal(static_cast<std::uint32_t>(i))));
    }
    return values;
  };
  file.tensor("token_embd.weight", {32, 3}, random(96)).tensor("output_norm.weight", {32}, random(32));
  file.tensor("blk.0.attn_norm.weight", {32}, random(32)).tensor("blk.0.ffn_norm.weight", {32}, random(32));
  file.tensor("blk.0.attn_q.weight", {32, 32}, random(1024)).tensor("blk.0.attn_k.weight", {32, 16}, random(512));
  file.tensor("blk.0.attn_v.weight", {32, 16}, random(512)).tensor("blk.0.attn_output.weight", {32, 32}, random(1024));
  file.tensor("blk.0.ffn_gate.weight", {32, 64}, random(2048)).tensor("blk.0.ffn_up.weight", {32, 64}, random(2048));
  file.tensor("blk.0.ffn_down.weight", {64, 32}, random(2048));
  testing::write_text(folder / "dense.gguf", file.build());
  return upcycle(open_model(folder / "dense.gguf").value(), {.num_experts = 3, .top_k = 2}).value();
}

TEST(Upcycle, CopiesTheBlockIntoEveryExpertBehindARouter) {
  const TemporaryFolder folder;
  const auto mixture = wide_mixture(folder);
  const auto dense = open_model(folder / "dense.gguf").value();
  EXPECT_EQ(mixture->hyperparameters.architecture, "mixtral");
  EXPECT_EQ(mixture->tensor_names().size(), dense->tensor_names().size() - 3 + 9 + 1);
  const std::string layer = "model.layers.0.";
  for (const std::string e : {"0", "1", "2"}) {
    const std::string expert = layer + "block_sparse_moe.experts." + e;
    EXPECT_EQ(mixture->read(expert + ".w1.weight")->values, dense->read(layer + "mlp.gate_proj.weight")->values);
    EXPECT_EQ(mixture->read(expert + ".w3.weight")->values, dense->read(layer + "mlp.up_proj.weight")->values);
    EXPECT_EQ(mixture->read(expert + ".w2.weight")->values, dense->read(layer + "mlp.down_proj.weight")->values);
  }
  const auto router = mixture->read(layer + "block_sparse_moe.gate.weight");
  ASSERT_TRUE(router.ok());
  EXPECT_EQ(router->shape, (std::vector<std::int64_t>{3, 32}));
  EXPECT_NE(router->values[0], router->values[32]);
  EXPECT_FALSE(upcycle(wide_mixture(folder), {}).ok());
  EXPECT_NE(
      upcycle(open_model(folder / "dense.gguf").value(), {.num_experts = 2, .top_k = 3}).error().message.find("3"),
      std::string::npos);
}

TEST(GgufWriter, StacksExpertsAndQuantises) {
  const TemporaryFolder folder;
  const auto mixture = wide_mixture(folder);
  ASSERT_TRUE(write_gguf_model(folder / "f32.gguf", *mixture, GgufType::kF32).ok());
  const auto again = open_model(folder / "f32.gguf");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ((*again)->hyperparameters.moe, mixture->hyperparameters.moe);
  expect_same(**again, *mixture);
  ASSERT_TRUE(write_gguf_model(folder / "q8.gguf", *mixture, GgufType::kQ8_0).ok());
  const auto rounded = open_model(folder / "q8.gguf").value();
  for (const std::string& name : mixture->tensor_names()) {
    const auto expected = mixture->read(name)->values;
    const auto found = rounded->read(name)->values;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      float largest = 0;
      for (std::size_t j = i / 32 * 32; j < i / 32 * 32 + 32; ++j) {
        largest = std::max(largest, std::abs(expected[j]));
      }
      // Half a step, and the scale's own rounding to f16 (2^-11) times up to 127 steps.
      ASSERT_LE(std::abs(found[i] - expected[i]), largest * (0.5F / 127 + 1.0F / 2048) * 1.001F) << name;
    }
    EXPECT_EQ(name.find("norm") != std::string::npos || name.find(".gate.weight") != std::string::npos,
              found == expected)
        << name;
  }
}

}  // namespace
}  // namespace plumb
