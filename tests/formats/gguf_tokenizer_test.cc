// Tokenizers that GGUF has a name for come back equal, through tokenizer.json too; others are refused by name.

#include <gtest/gtest.h>

#include <functional>

#include "formats/gguf_model.h"
#include "formats/tokenizer_json.h"
#include "tests/formats/formula_model.h"
#include "tests/support/model_files.h"

namespace plumb {
namespace {

using testing::FormulaModel;
using testing::small_dense;
using testing::TemporaryFolder;

FormulaModel model_with(TokenizerData tokenizer) {
  Hyperparameters h = small_dense("llama");
  h.vocab_size = static_cast<std::int64_t>(tokenizer.tokens.size());
  FormulaModel model(h);
  model.tokenizer = std::move(tokenizer);
  return model;
}

TokenizerData golden(const std::string& kind) {
  const std::string path = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/tokenizer_kind_" + kind + ".json";
  TokenizerData data = parse_tokenizer_json(testing::read_text(path), path).value();
  data.bos_id = 0;
  data.eos_id = 1;
  return data;
}

TokenizerData read_back(const FormulaModel& model) {
  const TemporaryFolder folder;
  const auto written = write_gguf_model(folder / "m.gguf", model, GgufType::kF32);
  EXPECT_TRUE(written.ok()) << written.error().message;
  auto again = open_model(folder / "m.gguf");
  EXPECT_TRUE(again.ok()) << again.error().message;
  return std::move((*again)->tokenizer);
}

void expect_equal(const TokenizerData& a, const TokenizerData& b) {
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.kinds, b.kinds);
  EXPECT_EQ(a.merges, b.merges);
  EXPECT_EQ(a.pre_tokenizer, b.pre_tokenizer);
  EXPECT_EQ(a.ignore_merges, b.ignore_merges);
  EXPECT_EQ(std::tie(a.prefix_ids, a.suffix_ids), std::tie(b.prefix_ids, b.suffix_ids));
  ASSERT_EQ(a.split_steps.size(), b.split_steps.size());
  for (std::size_t i = 0; i < a.split_steps.size(); ++i) {
    const SplitStep& x = a.split_steps[i];
    const SplitStep& y = b.split_steps[i];
    EXPECT_EQ(std::tie(x.kind, x.behavior, x.pattern, x.invert, x.use_regex, x.prefix_space),
              std::tie(y.kind, y.behavior, y.pattern, y.invert, y.use_regex, y.prefix_space));
  }
  ASSERT_EQ(a.normalizer.size(), b.normalizer.size());
  for (std::size_t i = 0; i < a.normalizer.size(); ++i) {
    EXPECT_EQ(a.normalizer[i].kind, b.normalizer[i].kind);
  }
}

TEST(GgufTokenizer, Llama3AndQwen2ComeBackByTheirNames) {
  for (const auto& [kind, name] : {std::pair{"llama3", "llama-bpe"}, {"qwen2", "qwen2"}}) {
    const FormulaModel model = model_with(golden(kind));
    EXPECT_EQ(model.tokenizer.ignore_merges, std::string(kind) == "llama3");
    EXPECT_EQ(model.tokenizer.normalizer.empty(), std::string(kind) == "llama3");
    const TemporaryFolder folder;
    ASSERT_TRUE(write_gguf_model(folder / "m.gguf", model, GgufType::kF32).ok());
    const auto file = GgufFile::open(folder / "m.gguf").value();
    EXPECT_EQ(file.get<std::string>("tokenizer.ggml.pre").value(), name);
    EXPECT_EQ(file.get<bool>("tokenizer.ggml.add_bos_token").value(), std::string(kind) == "llama3");
    TokenizerData found = read_back(model);
    expect_equal(found, model.tokenizer);
    // And as a tokenizer.json made from nothing else.
    ASSERT_TRUE(found.json_text.empty());
    found.suffix_ids = {1};
    const auto files = make_tokenizer_files(found, "", 64);
    ASSERT_TRUE(files.ok()) << files.error().message;
    const auto parsed = parse_tokenizer_json(files->tokenizer_json, "made");
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    expect_equal(*parsed, found);
  }
}

// A file that says nothing of the begin-of-sequence token has llama.cpp put it in front for Llama 3 alone.
TEST(GgufTokenizer, BeginOfSequenceGoesByTheNameWhereNothingIsSaid) {
  const auto prefix = [](const std::string& pre) {
    const std::string bytes = testing::small_llama_metadata("llama", pre).u32("tokenizer.ggml.bos_token_id", 0).build();
    return gguf_model(GgufFile::parse(testing::as_byte_span(bytes), "m").value()).value()->tokenizer.prefix_ids;
  };
  for (const char* pre : {"llama-bpe", "llama3", "llama-v3"}) {
    EXPECT_EQ(prefix(pre), std::vector<std::int32_t>{0}) << pre;
  }
  EXPECT_EQ(prefix("qwen2"), std::vector<std::int32_t>{});
  EXPECT_EQ(prefix("smollm"), std::vector<std::int32_t>{});
}

// llama.cpp takes the vocabulary's size from the list of tokens.
TEST(GgufTokenizer, FillersMakeTheTokensAsManyAsRows) {
  const TemporaryFolder folder;
  FormulaModel model(small_dense("qwen2"));
  model.tokenizer.kinds[3] = TokenKind::kUnused;  // an id that no token has
  model.tokenizer.tokens[3].clear();
  model.tokenizer.merges.clear();
  ASSERT_TRUE(write_gguf_model(folder / "m.gguf", model, GgufType::kF32).ok());
  const auto file = GgufFile::open(folder / "m.gguf").value();
  EXPECT_EQ(file.get<std::vector<std::string>>("tokenizer.ggml.tokens").value(),
            (std::vector<std::string>{"<s>", "</s>", "a", "[PAD3]", "ab", "[PAD5]", "[PAD6]", "[PAD7]", "[PAD8]"}));
  EXPECT_EQ(file.get<std::vector<std::int64_t>>("tokenizer.ggml.token_type").value(),
            (std::vector<std::int64_t>{3, 3, 1, 5, 1, 5, 5, 5, 5}));
  expect_equal(read_back(model), model.tokenizer);
}

// A filler that a special id names is that token; a token that merely looks like a filler stays.
TEST(GgufTokenizer, KeepsFillersThatAreTokens) {
  FormulaModel model(small_dense("llama"));
  model.tokenizer.tokens.insert(model.tokenizer.tokens.end(), {"[PAD5]", "[PAD5000]", "[PAD7]"});
  model.tokenizer.kinds.insert(model.tokenizer.kinds.end(),
                               {TokenKind::kNormal, TokenKind::kUnused, TokenKind::kUnused});
  model.tokenizer.pad_id = 7;
  expect_equal(read_back(model), model.tokenizer);
}

TEST(GgufTokenizer, RefusesByCause) {
  const auto refused = [](const std::string& kind, const std::string& what,
                          const std::function<void(TokenizerData&)>& change) {
    const TemporaryFolder folder;
    FormulaModel model = model_with(golden(kind));
    change(model.tokenizer);
    const auto written = write_gguf_model(folder / "m.gguf", model, GgufType::kF32);
    ASSERT_FALSE(written.ok()) << what;
    EXPECT_NE(written.error().message.find("tokenizer cannot be written as GGUF: "), std::string::npos);
    EXPECT_NE(written.error().message.find(what), std::string::npos) << written.error().message;
  };
  const auto as_it_is = [](TokenizerData&) {};
  refused("llama2", "it is no byte-level BPE", as_it_is);
  refused("deepseek_v3", "its pre_tokenizer is none of those", as_it_is);
  refused("llama3", "its ignore_merges is false", [](TokenizerData& data) { data.ignore_merges = false; });
  refused("qwen2", "its ignore_merges is true", [](TokenizerData& data) { data.ignore_merges = true; });
  refused("qwen2", "its normalizer is none", [](TokenizerData& data) { data.normalizer.clear(); });
  refused("qwen2", "its normalizer is NFC, Lowercase", [](TokenizerData& data) {
    data.normalizer.resize(2);
    data.normalizer[1].kind = NormalizerStep::Kind::kLowercase;
  });
  refused("llama3", "its normalizer is NFKC", [](TokenizerData& data) {
    data.normalizer.resize(1);
    data.normalizer[0].kind = NormalizerStep::Kind::kNfkc;
  });
  refused("llama3", "its post_processor", [](TokenizerData& data) { data.prefix_ids = {5}; });
  refused("qwen2", "\"<x>\" has the option lstrip",
          [](TokenizerData& data) { data.added_tokens.push_back({.id = 4, .text = "<x>", .lstrip = true}); });
  refused("qwen2", "GGUF calls [PAD6]", [](TokenizerData& data) {
    data.tokens[2] = "[PAD6]";
    data.tokens[6].clear();
    data.kinds[6] = TokenKind::kUnused;
  });
}

}  // namespace
}  // namespace plumb
