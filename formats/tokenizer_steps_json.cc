#include "formats/tokenizer_steps_json.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "formats/json_access.h"

namespace plumb {
namespace {

using nlohmann::json;
using Behavior = SplitStep::Behavior;
using Prepend = SplitStep::Prepend;

// A Sequence may hold Sequences; files that people ship have one level.
constexpr int kMaxNesting = 8;

std::string text_of(const json& object, const char* key) {
  const json& value = get(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag(const json& object, const char* key, bool otherwise) {
  const json& value = get(object, key);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

Error unsupported(const char* what, const json& step, const char* known) {
  return Error{std::string("the ") + what + " " + show(get(step, "type").is_string() ? get(step, "type") : step) +
               " is not supported; " + known + " are"};
}

// Calls `read` with each step of `value`, which is null, a step or a Sequence (its list under `key`).
template <typename Read>
Result<void> for_each_step(const json& value, const char* key, const Read& read, int depth = 0) {
  if (value.is_null()) {
    return {};
  }
  if (text_of(value, "type") != "Sequence") {
    return read(value);
  }
  const json& steps = get(value, key);
  if (!steps.is_array() || depth >= kMaxNesting) {
    return Error{std::string("a Sequence needs a list \"") + key + "\", nested at most " + std::to_string(kMaxNesting) +
                 " deep"};
  }
  for (const json& step : steps) {
    PLUMB_TRY(for_each_step(step, key, read, depth + 1));
  }
  return {};
}

// {"String": s} or {"Regex": s}.
struct Pattern {
  std::string text;
  bool is_regex = false;
};

std::optional<Pattern> pattern_of(const json& step) {
  const json& pattern = get(step, "pattern");
  const bool is_regex = get(pattern, "Regex").is_string();
  const std::string text = text_of(pattern, is_regex ? "Regex" : "String");
  return text.empty() ? std::nullopt : std::optional(Pattern{text, is_regex});
}

Result<void> read_normalizer(const json& step, TokenizerData& data) {
  using Kind = NormalizerStep::Kind;
  const std::string type = text_of(step, "type");
  NormalizerStep read;
  if (type == "Prepend") {
    read.kind = Kind::kPrepend;
    read.content = text_of(step, "prepend");
  } else if (type == "Replace") {
    const auto pattern = pattern_of(step);
    if (!pattern) {
      return Error{"the normalizer " + show(step) + " needs a pattern that is not empty"};
    }
    read.kind = pattern->is_regex ? Kind::kReplaceRegex : Kind::kReplace;
    read.pattern = pattern->text;
    read.content = text_of(step, "content");
  } else if (type == "Strip") {
    read.kind = Kind::kStrip;
    read.strip_left = flag(step, "strip_left", true);
    read.strip_right = flag(step, "strip_right", true);
  } else {
    constexpr std::array<std::pair<const char*, Kind>, 5> kPlain = {{{"NFC", Kind::kNfc},
                                                                     {"NFD", Kind::kNfd},
                                                                     {"NFKC", Kind::kNfkc},
                                                                     {"NFKD", Kind::kNfkd},
                                                                     {"Lowercase", Kind::kLowercase}}};
    const auto* const found = std::ranges::find(kPlain, type, [](const auto& entry) { return entry.first; });
    if (found == kPlain.end()) {
      return unsupported("normalizer", step, "Sequence, Prepend, Replace, Strip, NFC, NFD, NFKC, NFKD and Lowercase");
    }
    read.kind = found->second;
  }
  data.normalizer.push_back(std::move(read));
  return {};
}

Result<Behavior> behavior_of(const json& step) {
  constexpr std::array<std::pair<const char*, Behavior>, 5> kNames = {
      {{"Isolated", Behavior::kIsolated},
       {"Removed", Behavior::kRemoved},
       {"MergedWithPrevious", Behavior::kMergedWithPrevious},
       {"MergedWithNext", Behavior::kMergedWithNext},
       {"Contiguous", Behavior::kContiguous}}};
  const std::string name = text_of(step, "behavior");
  const auto* const found = std::ranges::find(kNames, name, [](const auto& entry) { return entry.first; });
  if (found == kNames.end()) {
    return Error{"the pre_tokenizer " + show(step) + " has no behavior that is known"};
  }
  return found->second;
}

// Newer files say prepend_scheme, older ones add_prefix_space.
Result<Prepend> prepend_of(const json& step) {
  const std::string scheme = text_of(step, "prepend_scheme");
  if (scheme == "first" || scheme == "always" || scheme == "never") {
    return scheme == "first" ? Prepend::kFirst : scheme == "always" ? Prepend::kAlways : Prepend::kNever;
  }
  if (!get(step, "prepend_scheme").is_null()) {
    return Error{"the prepend_scheme of " + show(step) + " is none of first, always and never"};
  }
  return flag(step, "add_prefix_space", true) ? Prepend::kAlways : Prepend::kNever;
}

Result<SplitStep> split_step(const json& step) {
  using Kind = SplitStep::Kind;
  const std::string type = text_of(step, "type");
  SplitStep read;
  if (type == "ByteLevel") {
    read.use_regex = flag(step, "use_regex", true);
    read.prefix_space = flag(step, "add_prefix_space", true);
  } else if (type == "Split") {
    const auto pattern = pattern_of(step);
    if (!pattern) {
      return Error{"the pre_tokenizer " + show(step) + " needs a pattern that is not empty"};
    }
    read.kind = pattern->is_regex ? Kind::kRegex : Kind::kText;
    read.pattern = pattern->text;
    read.invert = flag(step, "invert", false);
    PLUMB_ASSIGN(read.behavior, behavior_of(step));
  } else if (type == "Digits") {
    read.kind = Kind::kDigits;
    read.individual = flag(step, "individual_digits", false);
  } else if (type == "Metaspace") {
    read.kind = Kind::kMetaspace;
    read.pattern = text_of(step, "replacement");
    read.split = flag(step, "split", true);
    PLUMB_ASSIGN(read.prepend, prepend_of(step));
    if (read.pattern.empty()) {
      return Error{"the pre_tokenizer " + show(step) + " needs a replacement"};
    }
  } else if (type == "WhitespaceSplit") {
    read.kind = Kind::kWhitespace;
  } else {
    return unsupported("pre_tokenizer", step, "Sequence, ByteLevel, Split, Digits, Metaspace and WhitespaceSplit");
  }
  return read;
}

bool is_gpt2(const SplitStep& step) {
  return step.kind == SplitStep::Kind::kByteLevel && step.use_regex && !step.prefix_space;
}

Result<void> read_pre_tokenizer(const json& root, TokenizerData& data) {
  std::vector<SplitStep>& steps = data.split_steps;
  PLUMB_TRY(for_each_step(get(root, "pre_tokenizer"), "pretokenizers", [&](const json& step) -> Result<void> {
    PLUMB_ASSIGN(auto read, split_step(step));
    if (!steps.empty() && steps.back().kind == SplitStep::Kind::kByteLevel) {
      return Error{"the pre_tokenizer " + show(step) + " comes after ByteLevel, which is only supported as the last"};
    }
    steps.push_back(std::move(read));
    return {};
  }));
  data.byte_level = !steps.empty() && steps.back().kind == SplitStep::Kind::kByteLevel;
  if (steps.size() == 1 && is_gpt2(steps[0])) {
    data.pre_tokenizer = "gpt2";
  } else if (steps.size() == 2 && steps[0].kind == SplitStep::Kind::kDigits && steps[0].individual &&
             is_gpt2(steps[1])) {
    data.pre_tokenizer = "smollm";
  }
  if (!data.pre_tokenizer.empty()) {
    steps.clear();
  }
  return {};
}

Result<void> read_decoder(const json& step, TokenizerData& data) {
  const std::string type = text_of(step, "type");
  if (type == "Replace") {
    const auto pattern = pattern_of(step);
    if (!pattern || pattern->is_regex) {
      return Error{"the decoder " + show(step) + " needs a String pattern that is not empty"};
    }
    data.decoder.replace.emplace_back(pattern->text, text_of(step, "content"));
  } else if (type == "Metaspace") {
    data.decoder.replace.emplace_back(text_of(step, "replacement"), " ");
    PLUMB_ASSIGN(const Prepend prepend, prepend_of(step));
    data.decoder.strip_spaces = prepend == Prepend::kNever ? 0 : 1;
    if (data.decoder.replace.back().first.empty()) {
      return Error{"the decoder " + show(step) + " needs a replacement"};
    }
  } else if (type == "Strip") {
    const json& start = get(step, "start");
    if (text_of(step, "content") != " " || get(step, "stop") != 0 || !start.is_number_unsigned() || start > 1024) {
      return Error{"the decoder " + show(step) + " is not supported; Strip of spaces at the start is"};
    }
    data.decoder.strip_spaces = start.get<std::int32_t>();
  } else if (type != "ByteLevel" && type != "ByteFallback" && type != "Fuse") {
    return unsupported("decoder", step, "Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip and Metaspace");
  }
  return {};
}

// {"single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}], "special_tokens": {"<s>": {"ids": [1]}}}
Result<void> read_template(const json& step, TokenizerData& data) {
  const json& pieces = get(step, "single");
  bool seen_text = false;
  for (const json& piece : pieces.is_array() ? pieces : json::array()) {
    if (!get(piece, "Sequence").is_null()) {
      seen_text = true;
      continue;
    }
    const std::string name = text_of(get(piece, "SpecialToken"), "id");
    const json& ids = get(get(get(step, "special_tokens"), name.c_str()), "ids");
    for (const json& id : ids.is_array() ? ids : json::array({-1})) {
      if (!id.is_number_unsigned() || id >= data.tokens.size()) {
        return Error{"the post_processor's token \"" + name + "\" has an id outside the vocabulary"};
      }
      (seen_text ? data.suffix_ids : data.prefix_ids).push_back(id.get<std::int32_t>());
    }
  }
  return seen_text ? Result<void>() : Error{"the post_processor's \"single\" must hold the text itself"};
}

Result<void> read_post_processor(const json& step, TokenizerData& data) {
  const std::string type = text_of(step, "type");
  if (type == "TemplateProcessing") {
    if (!data.prefix_ids.empty() || !data.suffix_ids.empty()) {
      return Error{"the post_processor holds TemplateProcessing twice"};
    }
    return read_template(step, data);
  }
  return type == "ByteLevel" ? Result<void>()
                             : unsupported("post_processor", step, "Sequence, TemplateProcessing and ByteLevel");
}

}  // namespace

Result<void> read_tokenizer_steps(const json& root, TokenizerData& data) {
  PLUMB_TRY(for_each_step(get(root, "normalizer"), "normalizers",
                          [&](const json& step) { return read_normalizer(step, data); }));
  PLUMB_TRY(read_pre_tokenizer(root, data));
  PLUMB_TRY(for_each_step(get(root, "post_processor"), "processors",
                          [&](const json& step) { return read_post_processor(step, data); }));
  return for_each_step(get(root, "decoder"), "decoders", [&](const json& step) { return read_decoder(step, data); });
}

}  // namespace plumb
