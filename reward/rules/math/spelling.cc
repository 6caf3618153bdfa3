#include "reward/rules/math/spelling.h"

#include <algorithm>
#include <cctype>

#include "reward/rules/math/clean.h"
#include "reward/rules/math/scanner.h"

namespace plumb::math {

namespace {

std::string squeezed(std::string_view text) {
  std::string out;
  Scanner scan(text);
  for (;;) {
    const bool spaced = scan.skip_blanks();
    if (scan.at_end()) {
      break;
    }
    const auto joins = [](char c) { return is_digit(c) || is_letter(c) || c == '.'; };
    if (spaced && !out.empty() && joins(out.back()) && joins(scan.peek())) {
      out += ' ';  // 4 2 is not 42
    }
    // A command's name and what follows it stay apart: \pi x is not \pix.
    const auto command = scan.command();
    if (!command.empty()) {
      out += '\\';
      out += command;
      out += ' ';
      scan.advance(command.size() + 1);
      continue;
    }
    out += scan.peek();
    scan.advance(1);
  }
  return out;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The letter that a text of words and brackets begins with, if it stands alone there; `whole`: nothing else follows.
char leading_choice(std::string_view words, bool& whole) {
  words = trimmed(words);
  const bool bracket = words.starts_with('(');
  words.remove_prefix(bracket ? 1 : 0);
  words = trimmed(words);
  if (words.empty() || words[0] < 'a' || words[0] > 'j') {
    return '\0';
  }
  const char letter = words[0];
  words.remove_prefix(1);
  if (bracket) {
    if (!words.starts_with(')')) {
      return '\0';
    }
    words.remove_prefix(1);
  } else if (!words.empty() && words[0] != ')' && words[0] != '.' && words[0] != ':') {
    return '\0';
  }
  if (!bracket && !words.empty()) {
    words.remove_prefix(1);
  }
  whole = trimmed(words).empty();
  return letter;
}

}  // namespace

bool same_spelling(std::string_view a, std::string_view b) {
  const std::string x = squeezed(a);
  const std::string y = squeezed(b);
  if (x.empty() || y.empty()) {
    return false;
  }
  return x == y || (x.size() == 1 && y.size() == 1 && is_letter(x[0]) && lower(x[0]) == lower(y[0]));
}

std::optional<bool> compare_choices(std::string_view truth, std::string_view answer) {
  constexpr std::size_t kLongest = 400;
  if (truth.size() > kLongest || answer.size() > kLongest) {
    return std::nullopt;
  }
  const bool capital = std::any_of(truth.begin(), truth.end(), [](char c) { return c >= 'A' && c <= 'J'; });
  bool whole = false;
  const char wanted = capital ? leading_choice(plain_words(truth), whole) : '\0';
  if (wanted == 0 || !whole) {
    return std::nullopt;
  }
  const char chosen = leading_choice(plain_words(answer), whole);
  return chosen == 0 ? std::nullopt : std::optional(chosen == wanted);
}

std::optional<std::string> with_decimal_point(std::string_view answer) {
  std::string text(squeezed(answer));
  const std::size_t comma = text.find(',');
  const bool one = comma != std::string::npos && comma > 0 && comma + 1 < text.size() &&
                   text.find(',', comma + 1) == std::string::npos;
  if (!one || !std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == ',' || c == '-'; })) {
    return std::nullopt;
  }
  text[comma] = '.';
  return text;
}

int find_symbol(const Expr& expr, int root, int name) {
  for (const int id : expr.order(root)) {
    if (expr[id].kind == Kind::kSymbol && expr[id].data == name) {
      return id;
    }
  }
  return root;
}

bool is_added(const Expr& expr, int root, int name) {
  while (true) {
    const Node& node = expr[root];
    if (node.kind == Kind::kSymbol) {
      return node.data == name;
    }
    if (node.kind == Kind::kRelation) {
      root = expr.kid(root, node.count - 1);
      continue;
    }
    if (node.kind != Kind::kSum) {
      return false;
    }
    const Node& right = expr[node.b];
    if (right.kind == Kind::kSymbol && right.data == name) {
      return true;
    }
    root = node.a;
  }
}

}  // namespace plumb::math
