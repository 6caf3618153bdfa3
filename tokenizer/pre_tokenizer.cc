#include "tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tokenizer/regex.h"
#include "tokenizer/unicode.h"

namespace plumb {
namespace {

using Kind = SplitStep::Kind;
using Behavior = SplitStep::Behavior;

// A part of a piece: a match of the step's pattern, or what lies between two.
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_match = false;
};

class Parts {
 public:
  explicit Parts(std::size_t size) : size_(size) {}
  void match(std::size_t begin, std::size_t end) {
    if (begin > at_) {
      parts_.push_back({at_, begin, false});
    }
    parts_.push_back({begin, end, true});
    at_ = end;
  }
  std::vector<Part> finish(bool invert) {
    if (at_ < size_) {
      parts_.push_back({at_, size_, false});
    }
    for (Part& part : parts_) {
      part.is_match ^= invert;
    }
    return std::move(parts_);
  }

 private:
  std::size_t size_;
  std::size_t at_ = 0;
  std::vector<Part> parts_;
};

template <typename Predicate>
void match_characters(std::string_view text, Parts& parts, const Predicate& matches) {
  for (std::size_t at = 0; at < text.size();) {
    const ClassifiedChar c = classify(text.substr(at));
    if (matches(c.kind)) {
      parts.match(at, at + c.size);
    }
    at += c.size;
  }
}

void match_text(std::string_view text, const std::string& pattern, Parts& parts) {
  for (std::size_t at = text.find(pattern); at != std::string_view::npos;
       at = text.find(pattern, at + pattern.size())) {
    parts.match(at, at + pattern.size());
  }
}

std::vector<Part> find_parts(std::string_view text, const SplitStep& rule, const Regex* regex) {
  Parts parts(text.size());
  switch (rule.kind) {
    case Kind::kDigits:
      match_characters(text, parts, [](CharClass kind) { return kind == CharClass::kNumber; });
      break;
    case Kind::kWhitespace:
      match_characters(text, parts,
                       [](CharClass kind) { return kind == CharClass::kSpace || kind == CharClass::kNewline; });
      break;
    case Kind::kText:
    case Kind::kMetaspace:
      match_text(text, rule.pattern, parts);
      break;
    default:
      regex->for_each_match(text, [&](std::size_t begin, std::size_t end) { parts.match(begin, end); });
  }
  return parts.finish(rule.invert);
}

Behavior behavior_of(const SplitStep& rule) {
  switch (rule.kind) {
    case Kind::kDigits:
      return rule.individual ? Behavior::kIsolated : Behavior::kContiguous;
    case Kind::kWhitespace:
      return Behavior::kRemoved;
    case Kind::kMetaspace:
      return Behavior::kMergedWithNext;
    default:
      return rule.behavior;
  }
}

// Joins parts that belong together; drops those that go.
std::vector<Part> join(std::vector<Part> parts, Behavior behavior) {
  if (behavior == Behavior::kRemoved) {
    std::erase_if(parts, [](const Part& part) { return part.is_match; });
    return parts;
  }
  if (behavior == Behavior::kIsolated) {
    return parts;
  }
  const bool backwards = behavior == Behavior::kMergedWithNext;
  if (backwards) {
    std::ranges::reverse(parts);
  }
  std::vector<Part> joined;
  bool previous = false;
  for (const Part& part : parts) {
    const bool joins = behavior == Behavior::kContiguous ? part.is_match == previous : part.is_match && !previous;
    previous = part.is_match;
    if (joins && !joined.empty()) {
      joined.back().begin = std::min(joined.back().begin, part.begin);
      joined.back().end = std::max(joined.back().end, part.end);
    } else {
      joined.push_back(part);
    }
  }
  if (backwards) {
    std::ranges::reverse(joined);
  }
  return joined;
}

// The piece as a rewriting step has it.
std::string rewritten(std::string_view piece, const SplitStep& rule, bool first) {
  if (rule.kind == Kind::kByteLevel) {
    return (rule.prefix_space && !piece.starts_with(' ') ? " " : "") + std::string(piece);
  }
  std::string text;
  for (const char c : piece) {
    if (c == ' ') {
      text += rule.pattern;
    } else {
      text += c;
    }
  }
  const bool prepends =
      rule.prepend == SplitStep::Prepend::kAlways || (rule.prepend == SplitStep::Prepend::kFirst && first);
  return prepends && !text.starts_with(rule.pattern) ? rule.pattern + text : text;
}

}  // namespace

void SplitText::clear() {
  text = {};
  storage.clear();
  ends.clear();
}

Result<PreTokenizer> PreTokenizer::create(const std::string& name) {
  constexpr std::array<std::pair<const char*, ScannerKind>, 4> kNames = {{{"gpt2", ScannerKind::kGpt2},
                                                                          {"smollm", ScannerKind::kSmollm},
                                                                          {"llama-bpe", ScannerKind::kLlama3},
                                                                          {"qwen2", ScannerKind::kQwen2}}};
  const auto* const found = std::ranges::find(kNames, name, [](const auto& entry) { return entry.first; });
  if (found == kNames.end()) {
    return Error{"the pre-tokenizer \"" + name +
                 "\" is not supported; \"gpt2\", \"smollm\", \"llama-bpe\" and \"qwen2\" are"};
  }
  PreTokenizer pre_tokenizer;
  pre_tokenizer.steps_.emplace_back().scanner = found->second;
  return pre_tokenizer;
}

Result<PreTokenizer> PreTokenizer::create(std::span<const SplitStep> steps) {
  PreTokenizer pre_tokenizer;
  for (const SplitStep& rule : steps) {
    Step step{rule, nullptr, std::nullopt};
    if (rule.kind == Kind::kByteLevel && rule.use_regex) {
      step.scanner = ScannerKind::kGpt2;
    } else if (rule.kind == Kind::kRegex) {
      // Where all text is of some match, dropping what is of none drops nothing.
      const bool matches_stay =
          rule.invert ? rule.behavior == Behavior::kRemoved : rule.behavior == Behavior::kIsolated;
      step.scanner = matches_stay ? scanner_for(rule.pattern) : std::nullopt;
      PLUMB_ASSIGN(step.regex, Regex::compile(rule.pattern));
    }
    pre_tokenizer.steps_.push_back(std::move(step));
  }
  return pre_tokenizer;
}

void PreTokenizer::split(std::string_view text, bool at_start, SplitText& out) const {
  out.clear();
  out.text = text;
  if (text.empty()) {
    return;
  }
  if (!steps_.empty() && steps_[0].scanner && !steps_[0].rule.prefix_space) {
    scan_pieces(*steps_[0].scanner, text, 0, out.ends);
  } else {
    out.ends.push_back(text.size());
    if (!steps_.empty()) {
      apply(steps_[0], at_start, out);
    }
  }
  for (std::size_t i = 1; i < steps_.size(); ++i) {
    apply(steps_[i], at_start, out);
  }
}

// Rewriting and dropping steps build the text anew; the others only set more ends.
void PreTokenizer::apply(const Step& step, bool at_start, SplitText& out) const {
  const SplitStep& rule = step.rule;
  const bool rewrites = rule.kind == Kind::kMetaspace || (rule.kind == Kind::kByteLevel && rule.prefix_space);
  const bool splits = rule.kind == Kind::kMetaspace   ? rule.split
                      : rule.kind == Kind::kByteLevel ? rule.use_regex
                                                      : true;
  if (!rewrites && !splits) {
    return;
  }
  const bool drops = !step.scanner && behavior_of(rule) == Behavior::kRemoved;
  std::string built;
  std::vector<std::size_t> ends;
  std::size_t begin = 0;
  for (const std::size_t end : out.ends) {
    std::string_view piece = out.text.substr(begin, end - begin);
    const std::size_t offset = rewrites || drops ? built.size() : begin;
    std::string changed;
    if (rewrites) {
      piece = changed = rewritten(piece, rule, at_start && begin == 0);
    }
    if (rewrites && !drops) {
      built += piece;
    }
    begin = end;
    if (step.scanner) {
      scan_pieces(*step.scanner, piece, offset, ends);
    } else if (!splits) {
      ends.push_back(offset + piece.size());
    } else {
      for (const Part& part : join(find_parts(piece, rule, step.regex.get()), behavior_of(rule))) {
        if (part.begin == part.end) {
          continue;
        }
        built += drops ? piece.substr(part.begin, part.end - part.begin) : std::string_view();
        ends.push_back(drops ? built.size() : offset + part.end);
      }
    }
  }
  out.ends = std::move(ends);
  if (rewrites || drops) {
    out.storage = std::move(built);
    out.text = out.storage;
  }
}

}  // namespace plumb
