#include "reward/rules/math/names.h"

#include <algorithm>
#include <unordered_map>

#include "reward/rules/math/expr.h"

namespace plumb::math {

namespace {

using Table = std::unordered_map<std::string_view, Name>;

template <typename Code>
Name make(Meaning meaning, Code code) {
  return {meaning, static_cast<unsigned char>(code)};
}

void add_functions(Table& table) {
  using F = Function;
  const std::pair<std::string_view, F> kFunctions[] = {{"sin", F::kSin},
                                                       {"cos", F::kCos},
                                                       {"tan", F::kTan},
                                                       {"cot", F::kCot},
                                                       {"sec", F::kSec},
                                                       {"csc", F::kCsc},
                                                       {"cosec", F::kCsc},
                                                       {"tg", F::kTan},
                                                       {"ctg", F::kCot},
                                                       {"arcsin", F::kAsin},
                                                       {"arccos", F::kAcos},
                                                       {"arctan", F::kAtan},
                                                       {"arccot", F::kAcot},
                                                       {"arcsec", F::kAsec},
                                                       {"arccsc", F::kAcsc},
                                                       {"asin", F::kAsin},
                                                       {"acos", F::kAcos},
                                                       {"atan", F::kAtan},
                                                       {"arctg", F::kAtan},
                                                       {"sinh", F::kSinh},
                                                       {"cosh", F::kCosh},
                                                       {"tanh", F::kTanh},
                                                       {"coth", F::kCoth},
                                                       {"arcsinh", F::kAsinh},
                                                       {"arccosh", F::kAcosh},
                                                       {"arctanh", F::kAtanh},
                                                       {"arsinh", F::kAsinh},
                                                       {"arcosh", F::kAcosh},
                                                       {"artanh", F::kAtanh},
                                                       {"exp", F::kExp},
                                                       {"ln", F::kLn},
                                                       {"log", F::kLog},
                                                       {"lg", F::kLg},
                                                       {"abs", F::kAbs},
                                                       {"floor", F::kFloor},
                                                       {"ceil", F::kCeil},
                                                       {"sgn", F::kSign},
                                                       {"sign", F::kSign},
                                                       {"gcd", F::kGcd},
                                                       {"lcm", F::kLcm},
                                                       {"max", F::kMax},
                                                       {"min", F::kMin},
                                                       {"Re", F::kRe},
                                                       {"Im", F::kIm},
                                                       {"arg", F::kArg},
                                                       {"det", F::kDet},
                                                       {"binomial", F::kBinomial}};
  for (const auto& [name, function] : kFunctions) {
    table[name] = make(Meaning::kFunction, function);
  }
}

Table command_table() {
  Table table;
  add_functions(table);
  for (const char* blank :
       {"left",     "right",      "big",       "Big",        "bigg",      "Bigg",         "bigl",      "bigr",
        "Bigl",     "Bigr",       "biggl",     "biggr",      "middle",    "displaystyle", "textstyle", "limits",
        "nolimits", "quad",       "qquad",     "hspace",     "thinspace", "medspace",     "small",     "large",
        "Large",    "normalsize", "mathstrut", "hfill",      "hline",     "bf",           "rm",        "it",
        "nonumber", "notag",      "centering", "scriptstyle"}) {
    table[blank] = make(Meaning::kBlank, 0);
  }
  for (const char* symbol :
       {"alpha",    "beta",   "gamma",  "delta", "epsilon", "varepsilon", "zeta",  "eta",     "theta",  "vartheta",
        "iota",     "kappa",  "lambda", "mu",    "nu",      "xi",         "rho",   "sigma",   "tau",    "upsilon",
        "phi",      "varphi", "chi",    "psi",   "omega",   "Gamma",      "Delta", "Theta",   "Lambda", "Xi",
        "Pi",       "Sigma",  "Phi",    "Psi",   "Omega",   "ell",        "hbar",  "partial", "star",   "ast",
        "triangle", "square", "circ",   "angle", "imath",   "nabla"}) {
    table[symbol] = make(Meaning::kSymbol, 0);
  }
  for (const char* text :
       {"text",       "textbf", "textit", "textrm",   "texttt",  "textsf",   "mathrm",       "mathbf",
        "mathit",     "emph",   "mathsf", "mathtt",   "mbox",    "hbox",     "operatorname", "textnormal",
        "boldsymbol", "bm",     "pmb",    "mathcal",  "mathscr", "mathfrak", "vec",          "overrightarrow",
        "hat",        "bold",   "textsc", "rmfamily", "textup",  "underline"}) {
    table[text] = make(Meaning::kText, 0);
  }
  for (const char* fraction : {"frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac", "rfrac"}) {
    table[fraction] = make(Meaning::kFraction, 0);
  }
  for (const char* binomial : {"binom", "dbinom", "tbinom"}) {
    table[binomial] = make(Meaning::kBinomial, 0);
  }
  const std::pair<std::string_view, Name> kOthers[] = {{"pi", make(Meaning::kConstant, Kind::kPi)},
                                                       {"infty", make(Meaning::kConstant, Kind::kInfinity)},
                                                       {"infinity", make(Meaning::kConstant, Kind::kInfinity)},
                                                       {"sqrt", make(Meaning::kRoot, 2)},
                                                       {"cbrt", make(Meaning::kRoot, 3)},
                                                       {"boxed", make(Meaning::kBoxed, 0)},
                                                       {"fbox", make(Meaning::kBoxed, 0)},
                                                       {"cdot", make(Meaning::kTimes, 0)},
                                                       {"times", make(Meaning::kTimes, 0)},
                                                       {"bullet", make(Meaning::kTimes, 0)},
                                                       {"div", make(Meaning::kOver, 0)},
                                                       {"over", make(Meaning::kOver, 'o')},
                                                       {"choose", make(Meaning::kOver, 'c')},
                                                       {"pm", make(Meaning::kPlusMinus, 0)},
                                                       {"mp", make(Meaning::kPlusMinus, 1)},
                                                       {"le", make(Meaning::kRelation, Sign::kLessEqual)},
                                                       {"leq", make(Meaning::kRelation, Sign::kLessEqual)},
                                                       {"leqslant", make(Meaning::kRelation, Sign::kLessEqual)},
                                                       {"ge", make(Meaning::kRelation, Sign::kGreaterEqual)},
                                                       {"geq", make(Meaning::kRelation, Sign::kGreaterEqual)},
                                                       {"geqslant", make(Meaning::kRelation, Sign::kGreaterEqual)},
                                                       {"lt", make(Meaning::kRelation, Sign::kLess)},
                                                       {"gt", make(Meaning::kRelation, Sign::kGreater)},
                                                       {"ne", make(Meaning::kRelation, Sign::kNotEqual)},
                                                       {"neq", make(Meaning::kRelation, Sign::kNotEqual)},
                                                       {"approx", make(Meaning::kRelation, Sign::kEqual)},
                                                       {"in", make(Meaning::kRelation, Sign::kIn)},
                                                       {"equiv", make(Meaning::kRelation, Sign::kCongruent)},
                                                       {"cup", make(Meaning::kUnion, 0)},
                                                       {"bigcup", make(Meaning::kUnion, 0)},
                                                       {"cap", make(Meaning::kIntersection, 0)},
                                                       {"bigcap", make(Meaning::kIntersection, 0)},
                                                       {"setminus", make(Meaning::kDifference, 0)},
                                                       {"smallsetminus", make(Meaning::kDifference, 0)},
                                                       {"backslash", make(Meaning::kDifference, 0)},
                                                       {"emptyset", make(Meaning::kNamedSet, 0)},
                                                       {"varnothing", make(Meaning::kNamedSet, 0)},
                                                       {"mathbb", make(Meaning::kBlackboard, 0)},
                                                       {"Bbb", make(Meaning::kBlackboard, 0)},
                                                       {"sum", make(Meaning::kBig, Kind::kBigSum)},
                                                       {"prod", make(Meaning::kBig, Kind::kBigProduct)},
                                                       {"int", make(Meaning::kBig, Kind::kIntegral)},
                                                       {"bmod", make(Meaning::kModulo, 0)},
                                                       {"mod", make(Meaning::kModulo, 0)},
                                                       {"pmod", make(Meaning::kPmod, 0)},
                                                       {"lfloor", make(Meaning::kOpen, 'F')},
                                                       {"rfloor", make(Meaning::kClose, 'F')},
                                                       {"lceil", make(Meaning::kOpen, 'C')},
                                                       {"rceil", make(Meaning::kClose, 'C')},
                                                       {"lvert", make(Meaning::kOpen, '|')},
                                                       {"rvert", make(Meaning::kClose, '|')},
                                                       {"lVert", make(Meaning::kOpen, 'N')},
                                                       {"rVert", make(Meaning::kClose, 'N')},
                                                       {"langle", make(Meaning::kOpen, '<')},
                                                       {"rangle", make(Meaning::kClose, '<')},
                                                       {"lbrace", make(Meaning::kOpen, '{')},
                                                       {"rbrace", make(Meaning::kClose, '{')},
                                                       {"lbrack", make(Meaning::kOpen, '[')},
                                                       {"rbrack", make(Meaning::kClose, '[')},
                                                       {"lparen", make(Meaning::kOpen, '(')},
                                                       {"rparen", make(Meaning::kClose, '(')},
                                                       {"mid", make(Meaning::kBar, 0)},
                                                       {"vert", make(Meaning::kBar, 0)},
                                                       {"ldots", make(Meaning::kDots, 0)},
                                                       {"dots", make(Meaning::kDots, 0)},
                                                       {"cdots", make(Meaning::kDots, 0)},
                                                       {"land", make(Meaning::kAnd, 0)},
                                                       {"lor", make(Meaning::kAnd, 0)},
                                                       {"wedge", make(Meaning::kAnd, 0)},
                                                       {"vee", make(Meaning::kAnd, 0)},
                                                       {"begin", make(Meaning::kBegin, 0)},
                                                       {"end", make(Meaning::kEnd, 0)},
                                                       {"euro", make(Meaning::kCurrency, 'e')},
                                                       {"pounds", make(Meaning::kCurrency, 'p')},
                                                       {"yen", make(Meaning::kCurrency, 'y')},
                                                       {"overline", make(Meaning::kOverline, 0)},
                                                       {"bar", make(Meaning::kOverline, 0)},
                                                       {"prime", make(Meaning::kPrime, 0)}};
  table.insert(std::begin(kOthers), std::end(kOthers));
  table["degree"] = make(Meaning::kCircle, 0);
  return table;
}

Table word_table() {
  Table table;
  add_functions(table);
  const std::pair<std::string_view, Name> kOthers[] = {{"pi", make(Meaning::kConstant, Kind::kPi)},
                                                       {"Pi", make(Meaning::kConstant, Kind::kPi)},
                                                       {"infinity", make(Meaning::kConstant, Kind::kInfinity)},
                                                       {"Infinity", make(Meaning::kConstant, Kind::kInfinity)},
                                                       {"inf", make(Meaning::kConstant, Kind::kInfinity)},
                                                       {"oo", make(Meaning::kConstant, Kind::kInfinity)},
                                                       {"sqrt", make(Meaning::kRoot, 2)},
                                                       {"cbrt", make(Meaning::kRoot, 3)},
                                                       {"mod", make(Meaning::kModulo, 0)},
                                                       {"and", make(Meaning::kAnd, 0)},
                                                       {"or", make(Meaning::kAnd, 0)},
                                                       {"union", make(Meaning::kUnion, 0)},
                                                       {"theta", make(Meaning::kSymbol, 0)},
                                                       {"alpha", make(Meaning::kSymbol, 0)},
                                                       {"beta", make(Meaning::kSymbol, 0)},
                                                       {"lambda", make(Meaning::kSymbol, 0)},
                                                       {"phi", make(Meaning::kSymbol, 0)},
                                                       {"omega", make(Meaning::kSymbol, 0)}};
  table.insert(std::begin(kOthers), std::end(kOthers));
  for (const char* ambiguous : {"Re", "Im", "arg", "sign", "tg", "lg"}) {
    table.erase(ambiguous);
  }
  return table;
}

Name look_up(const Table& table, std::string_view name) {
  const auto found = table.find(name);
  return found == table.end() ? Name{} : found->second;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c < 0;
}

// Room 12, April 5: words, then a number and what belongs to it. No product of letters is written like that.
bool reads_as_numbered_words(std::string_view cleaned) {
  const std::size_t digit = cleaned.find_first_of("0123456789");
  if (digit == std::string_view::npos || digit < 2 || cleaned[digit - 1] != ' ') {
    return false;
  }
  return reads_as_text(cleaned.substr(0, digit - 1)) && std::all_of(cleaned.begin(), cleaned.end(), [](char c) {
           return is_letter(c) || std::string_view(" -',.:0123456789").find(c) != std::string_view::npos;
         });
}

}  // namespace

Name command_meaning(std::string_view name) {
  static const Table kTable = command_table();
  return look_up(kTable, name);
}

Name word_meaning(std::string_view word) {
  static const Table kTable = word_table();
  return look_up(kTable, word);
}

bool reads_as_text(std::string_view cleaned) {
  if (reads_as_numbered_words(cleaned)) {
    return true;
  }
  std::size_t words = 0;
  std::size_t longest = 0;
  std::string_view first;
  for (std::size_t at = 0; at < cleaned.size();) {
    if (!is_letter(cleaned[at])) {
      if (std::string_view(" -',.!?:;\"\n\t").find(cleaned[at]) == std::string_view::npos) {
        return false;
      }
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < cleaned.size() && is_letter(cleaned[end])) {
      ++end;
    }
    const auto word = cleaned.substr(at, end - at);
    const Meaning meaning = word_meaning(word).meaning;
    if (meaning != Meaning::kUnknown && meaning != Meaning::kAnd) {
      return false;
    }
    if (meaning == Meaning::kUnknown) {
      first = words == 0 ? word : first;
      ++words;
      longest = std::max(longest, word.size());
    }
    at = end;
  }
  constexpr std::string_view kAlgebra = "abcdkmnpqrtuvwxyz";
  const auto algebraic = [&](std::string_view word) {
    return word.find_first_not_of(kAlgebra) == std::string_view::npos;
  };
  if (words == 1) {
    const bool repeated = first.find_first_not_of(first.substr(0, 1)) == std::string_view::npos;
    return !repeated && (first.size() >= 4 || (first.size() == 3 && !algebraic(first)) || first == "no" ||
                         first == "No" || first == "NO");
  }
  return words >= 2 && longest >= 3;
}

}  // namespace plumb::math
