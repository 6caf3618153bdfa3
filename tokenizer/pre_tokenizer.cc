#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/pre_tokenizer.h"

#include <pcre2.h>

#include <algorithm>

#include "core/check.h"
#include "tokenizer/utf8.h"

namespace plumb {
namespace {

// Unicode's White_Space, spelled out: PCRE2's \s also holds U+180E, which is none any more.
#define PLUMB_WHITE \
  "\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"

constexpr const char* kGpt2Pattern = "'(?:[stmd]|re|ve|ll)| ?\\p{L}+| ?\\p{N}+| ?[^" PLUMB_WHITE
                                     "\\p{L}\\p{N}]+"
                                     "|[" PLUMB_WHITE "]+(?![^" PLUMB_WHITE "])|[" PLUMB_WHITE "]+";

// Cutting the digits out first means that a digit ends a run of white space as the end of the text does.
constexpr const char* kSmollmPattern = "\\p{N}|'(?:[stmd]|re|ve|ll)| ?\\p{L}+| ?[^" PLUMB_WHITE
                                       "\\p{L}\\p{N}]+"
                                       "|[" PLUMB_WHITE "]+(?![^" PLUMB_WHITE "\\p{N}])|[" PLUMB_WHITE "]+";

#undef PLUMB_WHITE

// Bytes of no character replaced, one for one, by U+0001, which the patterns see as a symbol.
std::string mask_ill_formed(std::string_view text) {
  std::string masked(text);
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text.substr(at));
    if (step.kind != Utf8Kind::kCharacter) {
      std::fill_n(masked.begin() + static_cast<std::ptrdiff_t>(at), step.size, '\x01');
    }
    at += step.size;
  }
  return masked;
}

}  // namespace

struct PreTokenizer::Pattern {
  explicit Pattern(const char* text) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &error,
                         &offset, nullptr);
    PLUMB_CHECK(code != nullptr, "the pre-tokenizer's pattern does not compile");
    // Where the system allows no executable pages this fails and matching is interpreted, with the same result.
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  }
  ~Pattern() { pcre2_code_free(code); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  pcre2_code* code = nullptr;
};

Result<PreTokenizer> PreTokenizer::create(const std::string& name) {
  if (name != "gpt2" && name != "smollm") {
    return Error{"the pre-tokenizer \"" + name + "\" is not supported; \"gpt2\" and \"smollm\" are"};
  }
  return PreTokenizer(std::make_shared<const Pattern>(name == "gpt2" ? kGpt2Pattern : kSmollmPattern));
}

void PreTokenizer::split(std::string_view text, const std::function<void(std::string_view)>& piece) const {
  const std::string masked = mask_ill_formed(text);
  const auto subject = reinterpret_cast<PCRE2_SPTR>(masked.data());
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create_from_pattern(pattern_->code, nullptr), &pcre2_match_data_free);
  for (std::size_t at = 0; at < text.size();) {
    // Every character is of some alternative, so a match starts at `at` and is not empty.
    const int found = pcre2_match(pattern_->code, subject, masked.size(), at, PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK,
                                  match.get(), nullptr);
    std::size_t end = text.size();
    if (found > 0) {
      end = pcre2_get_ovector_pointer(match.get())[1];
    }
    piece(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace plumb
