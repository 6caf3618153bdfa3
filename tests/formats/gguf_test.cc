#include "formats/gguf.h"

#include <gtest/gtest.h>

#include "formats/gguf_model.h"
#include "formats/model_folder.h"
#include "tests/formats/formula_model.h"
#include "tests/support/model_files.h"

namespace plumb {
namespace {

using testing::GgufBuilder;

Result<GgufFile> parse(const std::string& bytes) {
  return GgufFile::parse(testing::as_byte_span(bytes), "file.gguf");
}

// Parses and, where that succeeds, opens the model and reads every tensor: neither may crash, and an error says
// something about the file.
void use(const std::string& bytes) {
  auto file = parse(bytes);
  if (file) {
    auto model = gguf_model(std::move(file).value());
    if (model) {
      for (const std::string& name : (*model)->tensor_names()) {
        const auto tensor = (*model)->read(name);
        EXPECT_TRUE(tensor.ok() || tensor.error().message.starts_with("file.gguf: "));
      }
    } else {
      EXPECT_TRUE(model.error().message.starts_with("file.gguf: ")) << model.error().message;
    }
  } else {
    EXPECT_TRUE(file.error().message.starts_with("file.gguf: ")) << file.error().message;
  }
}

void expect_refused(const std::string& bytes, const std::string& part) {
  const auto file = parse(bytes);
  ASSERT_FALSE(file.ok()) << part;
  EXPECT_NE(file.error().message.find(part), std::string::npos) << file.error().message;
}

TEST(Gguf, ReadsMetadataAndTensors) {
  const std::string bytes = testing::small_llama_gguf();
  const auto file = parse(bytes);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->get<std::string>("general.architecture").value(), "llama");
  EXPECT_EQ(file->get<std::int64_t>("llama.block_count").value(), 1);
  EXPECT_FALSE(file->get<double>("llama.block_count").ok());
  EXPECT_FALSE(file->get<double>("no.such.key").ok());
  EXPECT_EQ(file->get<std::vector<std::string>>("tokenizer.ggml.tokens").value().size(), 7U);
  ASSERT_EQ(file->tensors().size(), 11U);
  EXPECT_EQ(file->tensors()[0].shape, (std::vector<std::int64_t>{7, 8}));
}

TEST(Gguf, EveryTruncationIsAClearError) {
  const std::string bytes = testing::small_llama_gguf();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto file = parse(bytes.substr(0, size));
    ASSERT_FALSE(file.ok()) << size;
    EXPECT_TRUE(file.error().message.starts_with("file.gguf: ")) << file.error().message;
  }
  EXPECT_TRUE(parse(bytes).ok());
}

TEST(Gguf, NoFlippedBitCrashes) {
  const std::string bytes = testing::small_llama_gguf();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const unsigned bit : {0U, 2U, 5U, 7U}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      use(damaged);
    }
  }
}

// The keys and names of a latent model, and of one with Llama 3's rotary scaling.
TEST(Gguf, FlippedBitsOfOtherModelsDoNotCrash) {
  Hyperparameters scaled = testing::small_dense("llama");
  scaled.rope.kind = RopeKind::kLlama3;
  scaled.rope.factor = 8;
  scaled.rope.original_positions = 64;
  for (const Hyperparameters& h : {testing::small_deepseek(), scaled}) {
    const testing::TemporaryFolder folder;
    ASSERT_TRUE(write_gguf_model(folder / "m.gguf", testing::FormulaModel(h), GgufType::kF16).ok());
    const std::string bytes = testing::read_text(folder / "m.gguf");
    const std::size_t header = bytes.find("output_norm.weight");
    ASSERT_NE(header, std::string::npos);
    for (std::size_t at = 0; at < header; ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << at % 8));
      use(damaged);
    }
  }
}

TEST(Gguf, RefusesImpossibleHeaders) {
  expect_refused("no gguf at all", "no GGUF file");
  std::string bytes = testing::small_llama_gguf();
  bytes[4] = 9;
  expect_refused(bytes, "version 9");
  expect_refused(GgufBuilder().tensor_header("t", {4}, 99, 0).build(), "type 99");
  expect_refused(GgufBuilder().tensor_header("t", {1, 1, 1, 1, 1}, 0, 0).build(), "5 dimensions");
  expect_refused(GgufBuilder().tensor_header("t", {1ULL << 40, 1ULL << 40}, 0, 0).build(), "impossible dimension");
  expect_refused(GgufBuilder().tensor_header("t", {0}, 0, 0).build(), "impossible dimension 0");
  expect_refused(GgufBuilder().tensor_header("t", {31}, 3, 0).build(), "multiple of 32");
  expect_refused(GgufBuilder().tensor_header("t", {8}, 0, 4).data(std::string(64, 'x')).build(), "alignment");
  expect_refused(GgufBuilder().tensor_header("t", {8}, 0, ~31ULL).data(std::string(64, 'x')).build(), "truncated");
  expect_refused(GgufBuilder().tensor("t", {8}, testing::counted(8)).tensor("t", {8}, testing::counted(8)).build(),
                 "occurs twice");
  expect_refused(
      GgufBuilder().tensor_header("a", {16}, 0, 0).tensor_header("b", {8}, 0, 32).data(std::string(128, 'x')).build(),
      "overlap");
  expect_refused(GgufBuilder().u32("k", 1).u32("k", 2).build(), "k occurs twice");
  expect_refused(GgufBuilder().u32("general.alignment", 48).build(), "power of two");
  expect_refused(GgufBuilder().entry("k", 77, "").u32("l", 1).build(), "unknown type 77");
  const std::string nested = GgufBuilder::raw<std::uint32_t>(9) + GgufBuilder::raw<std::uint64_t>(1);
  expect_refused(GgufBuilder().entry("k", 9, nested).build(), "array of the unsupported type 9");
  const std::string huge = GgufBuilder::raw<std::uint32_t>(8) + GgufBuilder::raw<std::uint64_t>(~0ULL);
  expect_refused(GgufBuilder().entry("k", 9, huge).build(), "more than its");
  expect_refused(GgufBuilder().entry("k", 10, GgufBuilder::raw(~0ULL)).build(), "too large");
}

TEST(Gguf, AbsentFilesAndFoldersAreClearErrors) {
  EXPECT_NE(GgufFile::open("/no/such/file.gguf").error().message.find("/no/such/file.gguf"), std::string::npos);
  EXPECT_FALSE(GgufFile::open("/").ok());
  EXPECT_NE(open_model("/no/such/file.gguf").error().message.find("no such file"), std::string::npos);
}

TEST(GgufModel, UndoesThePermutationOfQueriesAndKeys) {
  const std::string bytes = testing::small_llama_gguf();
  const auto model = gguf_model(parse(bytes).value());
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto query = (*model)->read("model.layers.0.self_attn.q_proj.weight");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->shape, (std::vector<std::int64_t>{8, 8}));
  // Heads of 4 rows, stored as 0 2 1 3 of the order that rotate-half expects. Row r of the file starts with 8 r.
  std::vector<float> starts;
  for (std::size_t row = 0; row < 8; ++row) {
    starts.push_back(query->values[row * 8] / 8);
  }
  EXPECT_EQ(starts, (std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7}));
  const auto key = (*model)->read("model.layers.0.self_attn.k_proj.weight");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->values[8], 16.0F);
  EXPECT_EQ((*model)->read("model.layers.0.self_attn.v_proj.weight")->values[8], 8.0F);
  EXPECT_FALSE((*model)->read("lm_head.weight").ok());
  EXPECT_TRUE((*model)->hyperparameters.tie_embeddings);
  EXPECT_EQ((*model)->hyperparameters.head_dim, 4);
  EXPECT_EQ((*model)->tokenizer.eos_id, 1);
}

TEST(GgufModel, RefusesByName) {
  const auto message = [](const GgufBuilder& builder) {
    const std::string bytes = builder.build();
    const auto model = gguf_model(parse(bytes).value());
    return model ? std::string("accepted") : model.error().message;
  };
  EXPECT_NE(message(testing::small_llama_metadata("gpt2")).find("gpt2"), std::string::npos);
  EXPECT_NE(message(testing::small_llama_metadata().u32("llama.expert_count", 8)).find("expert_used_count"),
            std::string::npos);
  EXPECT_NE(message(testing::small_llama_metadata().string("llama.rope.scaling.type", "longrope")).find("longrope"),
            std::string::npos);
  EXPECT_NE(message(testing::small_llama_metadata().u32("llama.rope.dimension_count", 2)).find("dimension_count"),
            std::string::npos);
  EXPECT_NE(message(testing::small_llama_metadata().tensor("rope_freqs.weight", {2}, {2, 1})).find("rope_freqs"),
            std::string::npos);
  EXPECT_NE(message(testing::small_llama_metadata().u32("tokenizer.ggml.bos_token_id", 70)).find("70"),
            std::string::npos);
  EXPECT_NE(message(GgufBuilder().u32("x", 1)).find("general.architecture is missing"), std::string::npos);
}

TEST(GgufModel, ReadsTheRealFile) {
  const auto model = open_model(testing::test_model_path());
  if (!model) {
    GTEST_SKIP() << "set PLUMB_TEST_MODEL: " << model.error().message;
  }
  const Hyperparameters& h = (*model)->hyperparameters;
  EXPECT_EQ(h.num_layers, 30);
  EXPECT_EQ(h.num_heads, 9);
  EXPECT_EQ(h.num_kv_heads, 3);
  EXPECT_EQ(h.vocab_size, 49152);
  EXPECT_EQ(h.rope_theta, 100000.0F);
  EXPECT_TRUE(h.tie_embeddings);
  EXPECT_EQ((*model)->tensor_names().size(), 272U);
  const auto down = (*model)->read("model.layers.29.mlp.down_proj.weight");
  ASSERT_TRUE(down.ok()) << down.error().message;
  EXPECT_EQ(down->shape, (std::vector<std::int64_t>{576, 1536}));
}

}  // namespace
}  // namespace plumb
