#include "reward/rules/math/verify.h"

#include <algorithm>

#include "reward/rules/math/caps.h"
#include "reward/rules/math/clean.h"
#include "reward/rules/math/compare.h"
#include "reward/rules/math/extract.h"
#include "reward/rules/math/names.h"
#include "reward/rules/math/parser.h"
#include "reward/rules/math/rewrite.h"
#include "reward/rules/math/spelling.h"

namespace plumb {

namespace math {
namespace {

// Both sides in one arena.
struct Pair {
  Expr expr;
  Parsed truth;
  Parsed answer;
};

void parse_pair(std::string_view truth, std::string_view answer, const ParseOptions& options, Pair& pair) {
  pair.expr.clear();
  pair.truth = parse_answer(truth, options, pair.expr);
  pair.answer = pair.truth.root >= 0 ? parse_answer(answer, options, pair.expr) : Parsed{};
}

Outcome compare_parsed(Pair& pair, const MathOptions& options, Work& work) {
  const Context context{pair.expr, options, work};
  return compare_trees(context, pair.truth.root, pair.answer.root);
}

// A constant of integration may have another name.
std::optional<Outcome> with_renamed_constant(Pair& pair, const MathOptions& options, Work& work) {
  const auto constant = [&](int id, int other) {
    const auto symbols = free_symbols(pair.expr, id);
    const auto others = free_symbols(pair.expr, other);
    int found = -1;
    for (const int name : symbols) {
      const int top = find_symbol(pair.expr, id, name);
      const std::string& spelled = pair.expr.name(top);
      const bool usual = spelled == "C" || spelled == "c" || spelled == "K" || spelled == "k" || spelled == "C_1";
      if (usual && is_added(pair.expr, id, name) && std::find(others.begin(), others.end(), name) == others.end()) {
        found = name;
      }
    }
    return found;
  };
  const int left = constant(pair.truth.root, pair.answer.root);
  const int right = constant(pair.answer.root, pair.truth.root);
  if (left < 0 || right < 0) {
    return std::nullopt;
  }
  const int by = find_symbol(pair.expr, pair.truth.root, left);
  pair.answer.root = substitute(pair.expr, pair.answer.root, right, by);
  return compare_parsed(pair, options, work);
}

// k in Z of a general solution may have another name; -1 where there is no such symbol.
int parameter(const Expr& expr, int root) {
  for (const int id : expr.order(root)) {
    const bool member = expr[id].kind == Kind::kRelation && expr[id].count == 2 && expr.sign(id, 0) == Sign::kIn;
    if (member && expr[expr.kid(id, 0)].kind == Kind::kSymbol && expr[expr.kid(id, 1)].kind == Kind::kNamedSet) {
      return expr.kid(id, 0);
    }
  }
  return -1;
}

std::optional<Outcome> with_renamed_parameter(Pair& pair, const MathOptions& options, Work& work) {
  const int left = parameter(pair.expr, pair.truth.root);
  const int right = parameter(pair.expr, pair.answer.root);
  if (left < 0 || right < 0 || pair.expr[left].data == pair.expr[right].data) {
    return std::nullopt;
  }
  const auto symbols = free_symbols(pair.expr, pair.answer.root);
  if (std::find(symbols.begin(), symbols.end(), pair.expr[left].data) != symbols.end()) {
    return std::nullopt;
  }
  pair.answer.root = substitute(pair.expr, pair.answer.root, pair.expr[right].data, left);
  return compare_parsed(pair, options, work);
}

// "red, blue" as its words in an order of their own.
std::vector<std::string> sorted_words(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    words.emplace_back(trimmed(std::string_view(text).substr(at, comma - at)));
    at = comma + 1;
  }
  std::sort(words.begin(), words.end());
  return words;
}

Outcome compare_texts(std::string_view truth, std::string_view answer, const MathOptions& options) {
  const std::string left = plain_words(truth);
  const std::string right = plain_words(answer);
  const bool same = left == right || (options.unordered_lists && left.size() == right.size() &&
                                      sorted_words(left) == sorted_words(right));
  return same ? Outcome{MathVerdict::kEqual, "the same words"} : Outcome{MathVerdict::kNotEqual, "words that differ"};
}

bool is_list(const Expr& expr, int id) {
  return expr[id].kind == Kind::kList;
}

Outcome compare_cleaned(const std::string& truth, const std::string& answer, const MathOptions& options, Work& work) {
  if (const auto choice = compare_choices(truth, answer)) {
    return *choice ? Outcome{MathVerdict::kEqual, "the same choice"}
                   : Outcome{MathVerdict::kNotEqual, "another choice"};
  }
  if (same_spelling(truth, answer)) {
    return {MathVerdict::kEqual, "spelled alike"};
  }
  if (reads_as_text(plain_words(truth)) || reads_as_text(trimmed(truth))) {
    return compare_texts(truth, answer, options);
  }
  Pair pair;
  parse_pair(truth, answer, {}, pair);
  if (pair.truth.root < 0) {
    return {MathVerdict::kUndecided, "the truth is not understood: " + pair.truth.error};
  }
  if (pair.answer.root < 0) {
    if (reads_as_text(trimmed(answer)) || pair.answer.malformed) {
      return {MathVerdict::kNotEqual, "the answer is malformed: " + pair.answer.error};
    }
    return {MathVerdict::kUndecided, "the answer is not understood: " + pair.answer.error};
  }
  if (reads_as_text(trimmed(answer))) {
    return {MathVerdict::kNotEqual, "words against mathematics"};
  }
  Outcome outcome = compare_parsed(pair, options, work);
  if (counts_as_equal(outcome)) {
    return outcome;
  }
  if (options.decimal_comma && pair.expr[pair.truth.root].kind == Kind::kNumber && pair.expr[pair.truth.root].a > 0) {
    if (const auto pointed = with_decimal_point(answer)) {
      Pair other;
      parse_pair(truth, *pointed, {}, other);
      if (const Outcome again = compare_parsed(other, options, work); counts_as_equal(again)) {
        return again;
      }
    }
  }
  const bool grouped = pair.truth.thousands || pair.answer.thousands;
  if (grouped && (is_list(pair.expr, pair.truth.root) || is_list(pair.expr, pair.answer.root))) {
    Pair other;
    parse_pair(truth, answer, {.thousands = false}, other);
    if (other.truth.root >= 0 && other.answer.root >= 0) {
      if (const Outcome again = compare_parsed(other, options, work); counts_as_equal(again)) {
        return again;
      }
    }
  }
  if (const auto renamed = with_renamed_parameter(pair, options, work); renamed && counts_as_equal(*renamed)) {
    return *renamed;
  }
  if (const auto renamed = with_renamed_constant(pair, options, work); renamed && counts_as_equal(*renamed)) {
    return *renamed;
  }
  return outcome;
}

// The name after `at`, skipping what may stand before it: "\\def\\x", "\\newcommand{\\x}", "\\let \\x".
std::string_view command_after(std::string_view text, std::size_t at) {
  at = text.find_first_not_of("*{ ", at);
  if (at == std::string_view::npos || text[at] != '\\') {
    return {};
  }
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  std::size_t end = at + 1;
  while (end < text.size() && is_letter(text[end])) {
    ++end;
  }
  return text.substr(at, std::max(end, std::min(at + 2, text.size())) - at);
}

// Whether the answer uses a command that the response defines itself. It then says nothing by itself, and expanding it
// would let a response of a line write answers of any length. Linear time in each definition's kind.
bool uses_own_macro(std::string_view response, std::string_view answer) {
  if (answer.find('\\') == std::string_view::npos) {
    return false;
  }
  constexpr int kMost = 64;  // definitions looked at
  int seen = 0;
  for (const std::string_view definition :
       {"\\def", "\\gdef", "\\edef", "\\xdef", "\\let", "\\newcommand", "\\renewcommand", "\\DeclareMathOperator"}) {
    for (std::size_t at = response.find(definition); at != std::string_view::npos && seen < kMost; ++seen) {
      const std::string_view name = command_after(response, at + definition.size());
      if (!name.empty() && answer.find(name) != std::string_view::npos) {
        return true;
      }
      at = response.find(definition, at + definition.size());
    }
  }
  return false;
}

}  // namespace
}  // namespace math

MathResult compare_math_answers(std::string_view truth, std::string_view answer, const MathOptions& options) {
  MathResult result;
  result.extracted = answer.substr(0, math::kMaxAnswerBytes);
  if (answer.size() > math::kMaxAnswerBytes || truth.size() > math::kMaxAnswerBytes) {
    result.reason = "an answer longer than " + std::to_string(math::kMaxAnswerBytes) + " bytes";
    return result;
  }
  const auto left = math::clean_answer(truth);
  const auto right = math::clean_answer(answer);
  if (!left || !right) {
    result.reason = std::string(left ? "the answer" : "the truth") + " holds bytes that are no text";
    return result;
  }
  if (math::trimmed(*right).empty() || math::trimmed(*left).empty()) {
    result.verdict = math::trimmed(*left).empty() ? MathVerdict::kUndecided : MathVerdict::kNotEqual;
    result.reason = result.verdict == MathVerdict::kUndecided ? "the truth is empty" : "the answer is empty";
    return result;
  }
  math::Work work(options.max_work);
  math::Outcome outcome = math::compare_cleaned(*left, *right, options, work);
  result.verdict = outcome.verdict;
  result.reason = std::move(outcome.reason);
  result.work = work.used();
  return result;
}

MathResult verify_math(std::string_view truth, std::string_view response, const MathOptions& options) {
  const auto answer = extract_math_answer(response, options);
  if (!answer) {
    MathResult result;
    result.verdict = MathVerdict::kNotEqual;
    result.reason = "no answer: neither a complete \\boxed{} nor an answer marker";
    return result;
  }
  if (math::uses_own_macro(response, *answer)) {
    MathResult result;
    result.verdict = MathVerdict::kNotEqual;
    result.extracted = answer->substr(0, math::kMaxAnswerBytes);
    result.reason = "the answer is malformed: it uses a command that the response defines itself";
    return result;
  }
  return compare_math_answers(truth, *answer, options);
}

}  // namespace plumb
