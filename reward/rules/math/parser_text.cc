// \text{...} and its kin, and environments.

#include <algorithm>

#include "reward/rules/math/clean.h"
#include "reward/rules/math/parser_state.h"
#include "reward/rules/math/units.h"

namespace plumb::math {

namespace {

bool has_any(std::string_view text, std::string_view signs) {
  return text.find_first_of(signs) != std::string_view::npos;
}

}  // namespace

void Parser::text_argument(std::string_view command, bool expects) {
  const auto argument = scan_.argument();
  if (!argument) {
    return not_known("an argument is missing or too long");
  }
  const auto content = trimmed(*argument);
  const bool named_operator = command == "operatorname";
  const Name name = content.starts_with('\\') ? Name{}
                    : named_operator          ? command_meaning(content)
                                              : word_meaning(content);
  if (content.empty()) {
    return;
  }
  if (name.meaning == Meaning::kFunction && !expects) {
    juxtapose();
    return meaning(name, content, true);
  }
  if (content == "," || content == ";") {
    return expects ? fail("a comma where a value is expected") : separator();
  }
  if (name.meaning != Meaning::kUnknown && name.meaning != Meaning::kSymbol) {
    return expects && name.meaning == Meaning::kAnd ? fail("a connection without a first part")
                                                    : meaning(name, content, expects);
  }
  if (expects) {
    return text_value(content);
  }
  const bool bare_symbol = content.size() == 1 && command != "text" && command != "mathrm" && command != "textrm";
  if (bare_symbol) {
    juxtapose();
    return symbol(std::string(content));
  }
  // A unit with its powers: \text{ cm}^2, \text{ m}/\text{s}.
  std::string words(content);
  for (bool more = true; more;) {
    const std::size_t place = scan_.place();
    scan_.skip_blanks();
    more = false;
    if (scan_.peek() == '^' && !scan_.rest().starts_with("^\\circ") && !scan_.rest().starts_with("^{\\circ")) {
      scan_.advance(1);
      words += "^" + std::string(scan_.argument().value_or(""));
      more = true;
    } else if (scan_.peek() == '/') {
      scan_.advance(1);
      scan_.skip_blanks();
      if (const auto next = scan_.command(); !next.empty() && command_meaning(next).meaning == Meaning::kText) {
        scan_.advance(next.size() + 1);
        words += "/" + std::string(scan_.argument().value_or(""));
        more = true;
      }
    }
    if (!more) {
      scan_.back_to(place);
    }
  }
  unit(words);
}

// A text where a value is expected: mathematics in disguise (\text{5}, \text{x = 3}) or words.
void Parser::text_value(std::string_view content) {
  if (content.size() == 1 && is_letter(content[0])) {
    return symbol(std::string(content));
  }
  const bool mathematics = std::any_of(content.begin(), content.end(), is_digit) && !content.starts_with('\\') &&
                           (is_digit(content[0]) || content[0] == '-' || content[0] == '.' || has_any(content, "=<>"));
  if (!mathematics) {
    return value(expr_.named(Kind::kText, plain_words(content)));
  }
  const Parsed inner = parse_answer(content, options_, expr_);
  thousands_ = thousands_ || inner.thousands;
  value(inner.root >= 0 ? inner.root : expr_.named(Kind::kText, plain_words(content)));
  if (!expects_operand_ && inner.root >= 0 && std::all_of(content.begin(), content.end(), is_digit)) {
    last_digits_ = content;  // \text{1011}_2
  }
}

void Parser::begin_environment() {
  const auto name = trimmed(scan_.argument().value_or(""));
  constexpr std::string_view kLists[] = {"cases", "aligned", "align", "align*", "gathered", "split", "equation"};
  constexpr std::string_view kMatrices[] = {"pmatrix",     "bmatrix", "matrix",  "Bmatrix",
                                            "smallmatrix", "array",   "Vmatrix", "vmatrix"};
  const bool list = std::find(std::begin(kLists), std::end(kLists), name) != std::end(kLists);
  const bool matrix = std::find(std::begin(kMatrices), std::end(kMatrices), name) != std::end(kMatrices);
  if (!list && !matrix) {
    return not_known("an environment that is not known");
  }
  if (name == "array") {
    scan_.argument();
  }
  open(Frame::kMatrixGroup);
  frames_.back().code = list ? 'l' : name == "vmatrix" ? 'v' : 'm';
}

void Parser::end_environment() {
  scan_.argument();
  close('M');
}

}  // namespace plumb::math
