#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>

#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace plumb {
namespace {

constexpr std::uint32_t kMatchLimit = 1'000'000;
constexpr std::size_t kMaxPatternBytes = 1 << 16;

pcre2_code* code_of(void* code) {
  return static_cast<pcre2_code*>(code);
}

// Bytes of no character replaced, one for one, by U+0001, which patterns see as a symbol. Empty: there are none.
std::string mask_ill_formed(std::string_view text) {
  std::string masked;
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const Utf8Step step = utf8_step(text.substr(at, 4));
    if (step.kind != Utf8Kind::kCharacter) {
      if (masked.empty()) {
        masked = text;
      }
      std::fill_n(masked.begin() + static_cast<std::ptrdiff_t>(at), step.size, '\x01');
    }
    at += step.size;
  }
  return masked;
}

struct MatchData {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  MatchData() { pcre2_set_match_limit(context, kMatchLimit); }
  ~MatchData() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  MatchData(const MatchData&) = delete;
  MatchData& operator=(const MatchData&) = delete;
};

}  // namespace

Result<std::shared_ptr<const Regex>> Regex::compile(const std::string& pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return Error{"a regular expression has " + std::to_string(pattern.size()) + " bytes; at most " +
                 std::to_string(kMaxPatternBytes) + " are supported"};
  }
  PLUMB_ASSIGN(const std::string translated, pcre_pattern(pattern));
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), &pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), 100);
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, context.get());
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return Error{"the regular expression \"" + pattern.substr(0, 200) +
                 "\" does not compile: " + reinterpret_cast<const char*>(text.data())};
  }
  // Where the system allows no executable pages this fails and matching is interpreted, with the same result.
  (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return std::shared_ptr<const Regex>(new Regex(code));
}

Regex::~Regex() {
  pcre2_code_free(code_of(code_));
}

void Regex::for_each_match(std::string_view text, const std::function<void(std::size_t, std::size_t)>& match) const {
  thread_local const MatchData scratch;
  const std::string masked = mask_ill_formed(text);
  const std::string_view subject = masked.empty() ? text : std::string_view(masked);
  std::size_t last_end = std::string_view::npos;
  for (std::size_t at = 0; at <= subject.size();) {
    const int found = pcre2_match(code_of(code_), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), at,
                                  PCRE2_NO_UTF_CHECK, scratch.data, scratch.context);
    if (found < 0) {
      return;
    }
    const PCRE2_SIZE* const ends = pcre2_get_ovector_pointer(scratch.data);
    const std::size_t begin = ends[0];
    const std::size_t end = ends[1];
    if (begin == end && end == last_end) {
      at += at < subject.size() ? decode_char(subject.substr(at)).size : 1;
      continue;
    }
    at = last_end = end;
    match(begin, end);
  }
}

}  // namespace plumb
