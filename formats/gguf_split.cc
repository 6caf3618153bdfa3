#include "formats/gguf_split.h"

#include <algorithm>
#include <array>

#include "formats/split_patterns.h"

namespace plumb {
namespace {

struct NamedSplit {
  const char* name;
  const char* pattern;
  bool ignore_merges;
  bool nfc;
};

constexpr NamedSplit kLlama3 = {"llama-bpe", kLlama3Pattern, true, false};
constexpr NamedSplit kQwen2 = {"qwen2", kQwen2Pattern, false, true};

const NamedSplit* split_of_name(const std::string& name) {
  if (name == kLlama3.name || name == "llama3" || name == "llama-v3") {
    return &kLlama3;
  }
  return name == kQwen2.name ? &kQwen2 : nullptr;
}

const NamedSplit* split_of_steps(const std::vector<SplitStep>& steps) {
  if (!is_pattern_and_bytes(steps)) {
    return nullptr;
  }
  for (const NamedSplit* known : {&kLlama3, &kQwen2}) {
    if (steps[0].pattern == known->pattern) {
      return known;
    }
  }
  return nullptr;
}

const char* kind_name(NormalizerStep::Kind kind) {
  using Kind = NormalizerStep::Kind;
  switch (kind) {
    case Kind::kPrepend:
      return "Prepend";
    case Kind::kReplace:
    case Kind::kReplaceRegex:
      return "Replace";
    case Kind::kNfc:
      return "NFC";
    case Kind::kNfd:
      return "NFD";
    case Kind::kNfkc:
      return "NFKC";
    case Kind::kNfkd:
      return "NFKD";
    case Kind::kLowercase:
      return "Lowercase";
    case Kind::kStrip:
      return "Strip";
  }
  return "";
}

std::string normalizer_names(const TokenizerData& data) {
  std::string names;
  for (const NormalizerStep& step : data.normalizer) {
    names += (names.empty() ? "" : ", ") + std::string(kind_name(step.kind));
  }
  return names.empty() ? "none" : names;
}

}  // namespace

void set_gguf_split(const std::string& name, TokenizerData& data) {
  const NamedSplit* split = split_of_name(name);
  if (split == nullptr) {
    data.pre_tokenizer = name == "gpt-2" ? "gpt2" : name;
    return;
  }
  SplitStep words;
  words.kind = SplitStep::Kind::kRegex;
  words.pattern = split->pattern;
  SplitStep bytes;
  bytes.kind = SplitStep::Kind::kByteLevel;
  bytes.use_regex = false;
  data.split_steps = {words, bytes};
  data.ignore_merges = split->ignore_merges;
  if (split->nfc) {
    data.normalizer.resize(1);
    data.normalizer[0].kind = NormalizerStep::Kind::kNfc;
  }
}

Result<std::string> gguf_split_name(const TokenizerData& data) {
  const NamedSplit* split = data.pre_tokenizer.empty() ? split_of_steps(data.split_steps) : nullptr;
  if (data.pre_tokenizer.empty() && split == nullptr) {
    return Error{
        "its pre_tokenizer is none of those that have a name in GGUF and that plumb knows: gpt-2, smollm, "
        "llama-bpe and qwen2"};
  }
  const std::string name = split != nullptr ? split->name : data.pre_tokenizer == "gpt2" ? "gpt-2" : data.pre_tokenizer;
  const bool ignores_merges = split != nullptr && split->ignore_merges;
  if (data.ignore_merges != ignores_merges) {
    return Error{std::string("its ignore_merges is ") + (data.ignore_merges ? "true" : "false") +
                 ", but llama.cpp takes a tokenizer that splits text as " + name + " to have " +
                 (ignores_merges ? "true" : "false")};
  }
  const bool nfc = split != nullptr && split->nfc;
  const auto is_nfc = [](const NormalizerStep& step) { return step.kind == NormalizerStep::Kind::kNfc; };
  if (data.normalizer.size() != (nfc ? 1U : 0U) || !std::ranges::all_of(data.normalizer, is_nfc)) {
    return Error{"its normalizer is " + normalizer_names(data) + ", but that of a tokenizer that splits text as " +
                 name + " is " + (nfc ? "NFC" : "none")};
  }
  return name;
}

bool gguf_adds_bos(const TokenizerData& data) {
  return split_of_steps(data.split_steps) == &kLlama3;
}

}  // namespace plumb
