#include <gtest/gtest.h>

#include <string>

#include "reward/rules/math/caps.h"
#include "reward/rules/math/verify.h"

namespace plumb {
namespace {

using std::string;

MathVerdict verdict(const string& truth, const string& answer, const MathOptions& options = {}) {
  return compare_math_answers(truth, answer, options).verdict;
}

TEST(CompareMathAnswers, ProofsAreToldFromProbabilities) {
  EXPECT_EQ(verdict("\\frac{1}{2}", "0.5"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("(x+1)^{1000}", "(1+x)^{1000}"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("\\sqrt{5+2\\sqrt6}", "\\sqrt2+\\sqrt3"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("\\ln 8", "3\\ln 2"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("4\\arctan\\frac15-\\arctan\\frac1{239}", "\\frac{\\pi}{4}"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("\\sin 2x", "2\\sin x\\cos x"), MathVerdict::kProbablyEqual);
  EXPECT_EQ(verdict("e^{\\pi\\sqrt{163}}", "262537412640768744"), MathVerdict::kNotEqual);
  EXPECT_EQ(verdict("x^2+1", "x^2+2"), MathVerdict::kNotEqual);
  EXPECT_EQ(verdict("10^{10^{10}}", "10^{10^{10}}+1"), MathVerdict::kUndecided);
}

TEST(VerifyMath, AnAnswerInCommandsOfItsOwnIsMalformed) {
  for (const char* response : {"\\def\\x{\\x\\x}\\boxed{\\x}", "\\newcommand{\\ans}{5} so \\boxed{\\ans}",
                               "\\let \\y=5 \\boxed{\\y}", "\\renewcommand*{\\frac}[2]{5}\\boxed{\\frac{1}{2}}"}) {
    EXPECT_EQ(verify_math("5", response).verdict, MathVerdict::kNotEqual) << response;
  }
  EXPECT_EQ(verify_math("5", "\\def\\x{7}\\boxed{\\left(5\\right)}").verdict, MathVerdict::kEqual);
  EXPECT_EQ(verify_math("5", "\\boxed{\\unknown}").verdict, MathVerdict::kUndecided);
}

TEST(CompareMathAnswers, WordsBesideNumbersAreNoProducts) {
  EXPECT_EQ(verdict("April 5", "april 5"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("red, blue", "Blue, red"), MathVerdict::kEqual);
  const std::pair<const char*, const char*> others[] = {{"Room 12", "mooR 12"}, {"Room 12", "Room 21"},
                                                        {"dog 3", "god 3"},     {"10 PM", "10 MP"},
                                                        {"10 PM", "10 AM"},     {"red, blue", "red, red"}};
  for (const auto& [truth, answer] : others) {
    EXPECT_EQ(verdict(truth, answer), MathVerdict::kNotEqual) << truth << " and " << answer;
  }
  EXPECT_EQ(verdict("ab+3", "3+ba"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("3 ab", "3 ba"), MathVerdict::kEqual);
}

TEST(CompareMathAnswers, UnitsThatLookLikeLettersOrFunctions) {
  const std::pair<const char*, const char*> same[] = {{"5 min", "300 s"},    {"2 h", "120 min"}, {"2 L", "2000 mL"},
                                                      {"3 sec", "3 s"},      {"2 kg", "2000 g"}, {"2 gal", "2 gallons"},
                                                      {"5 sq ft", "5 ft^2"}, {"1.5 m", "150 cm"}};
  for (const auto& [truth, answer] : same) {
    EXPECT_EQ(verdict(truth, answer), MathVerdict::kEqual) << truth << " and " << answer;
    EXPECT_EQ(verdict(answer, truth), MathVerdict::kEqual) << answer << " and " << truth;
  }
  EXPECT_EQ(verdict("2 kg", "2000 m"), MathVerdict::kNotEqual);
  EXPECT_EQ(verdict("2 L", "200 mL"), MathVerdict::kNotEqual);
  EXPECT_EQ(verdict("3 \\sec x", "\\frac{3}{\\cos x}"), MathVerdict::kProbablyEqual);
}

TEST(CompareMathAnswers, OptionsChangeTheConventions) {
  MathOptions options;
  options.probably_counts = false;
  const MathResult probable = compare_math_answers("\\sin 2x", "2\\sin x\\cos x", options);
  EXPECT_FALSE(accepted(probable, options));
  EXPECT_TRUE(accepted(probable, {}));
  options = {};
  options.decimal_digits = 3;
  EXPECT_EQ(verdict("\\pi", "3.14"), MathVerdict::kNotEqual);
  EXPECT_EQ(verdict("\\pi", "3.14", options), MathVerdict::kEqual);
  EXPECT_EQ(verdict("\\pi", "3.15", options), MathVerdict::kNotEqual);
  options.decimal_digits = 0;
  EXPECT_EQ(verdict("\\pi", "3.14159265358979"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("\\pi", "3.14159265358979", options), MathVerdict::kNotEqual);
  options = {};
  options.bare_percent = false;
  EXPECT_EQ(verdict("50\\%", "50", options), MathVerdict::kNotEqual);
  options = {};
  options.optional_unit = false;
  EXPECT_EQ(verdict("5\\text{ cm}", "5", options), MathVerdict::kNotEqual);
  options = {};
  options.convert_units = false;
  EXPECT_EQ(verdict("5\\text{ cm}", "50\\text{ mm}", options), MathVerdict::kNotEqual);
  options = {};
  options.unordered_lists = false;
  EXPECT_EQ(verdict("1,2", "2,1", options), MathVerdict::kNotEqual);
  EXPECT_EQ(verdict("1,2", "1,2.0", options), MathVerdict::kEqual);
  EXPECT_EQ(verdict("2.5", "2,5"), MathVerdict::kEqual);
  options = {};
  options.decimal_comma = false;
  EXPECT_EQ(verdict("2.5", "2,5", options), MathVerdict::kNotEqual);
}

TEST(CompareMathAnswers, WorkIsBounded) {
  MathOptions tight;
  tight.max_work = 1000;
  const MathResult result = compare_math_answers("\\sin 2x", "2\\sin x\\cos x", tight);
  EXPECT_EQ(result.verdict, MathVerdict::kUndecided);
  string symbols;
  symbols.assign(100000, 'x');
  for (const string& hostile :
       {symbols, string(20000, '-') + "1", string(10000, '{') + "1" + string(10000, '}'), "0." + string(100000, '9'),
        string(300, '(') + "2" +
            [] {
              string powers;
              for (int i = 0; i < 300; ++i) {
                powers += ")^9";
              }
              return powers;
            }(),
        string("9^{9^{9^{9}}}"), string("10000000000!"), string("\\binom{10^9}{5\\cdot10^8}"),
        string("\\prod_{k=1}^{10^9}k"), string("(a+b+c+d+e+f+g)^{5000}"),
        string("\\sum_{k=1}^{2000}\\sum_{j=1}^{2000}\\sum_{i=1}^{2000}\\frac1{ijk}"), string("x^{x^{x^{x^{x^{x}}}}}"),
        string(30000, '|') + "1" + string(30000, '|')}) {
    const MathResult r = compare_math_answers("5", hostile);
    EXPECT_FALSE(accepted(r, {})) << hostile.substr(0, 60);
    EXPECT_LE(r.work, MathOptions{}.max_work * 2) << hostile.substr(0, 60);
  }
  EXPECT_EQ(verdict("1", string(20000, '-') + "1"), MathVerdict::kEqual);
  EXPECT_EQ(verdict("1", string(10000, '(') + "1" + string(10000, ')')), MathVerdict::kEqual);
  EXPECT_EQ(verdict("1", "0." + string(100000, '9')), MathVerdict::kNotEqual);
  EXPECT_EQ(verdict("1", string(math::kMaxAnswerBytes + 1, '1')), MathVerdict::kUndecided);
}

TEST(CompareMathAnswers, BytesThatAreNoText) {
  EXPECT_EQ(verdict("5", string("5\xFF")), MathVerdict::kUndecided);
  EXPECT_EQ(verdict("5", string("5\0", 2)), MathVerdict::kUndecided);
  EXPECT_EQ(verdict("5", "\xEF\xBC\x95"), MathVerdict::kEqual);   // full width
  EXPECT_EQ(verdict("5", "5\xE2\x80\x8B"), MathVerdict::kEqual);  // zero-width space
  EXPECT_EQ(verdict("-4",
                    "\xE2\x88\x92"
                    "4"),
            MathVerdict::kEqual);  // minus
  EXPECT_EQ(verdict("5", ""), MathVerdict::kNotEqual);
  EXPECT_EQ(verdict("", "5"), MathVerdict::kUndecided);
}

// Random text over the alphabet of mathematics: no crash, the same verdict again, and nothing equal to an odd number.
TEST(CompareMathAnswers, RandomTextsDoNoHarm) {
  const string pieces[] = {"1",
                           "2",
                           "x",
                           "y",
                           "+",
                           "-",
                           "*",
                           "/",
                           "^",
                           "_",
                           "(",
                           ")",
                           "[",
                           "]",
                           "{",
                           "}",
                           "|",
                           ",",
                           "=",
                           "<",
                           "!",
                           "%",
                           ".",
                           " ",
                           "\\frac",
                           "\\sqrt",
                           "\\sin",
                           "\\pi",
                           "\\text{ cm}",
                           "\\pm",
                           "\\cup",
                           "\\infty",
                           "\\{",
                           "\\}",
                           "\\sum",
                           "\\begin{pmatrix}",
                           "\\end{pmatrix}",
                           "&",
                           "\\\\",
                           "\\le",
                           "\\in",
                           "e",
                           "i",
                           "'",
                           ":",
                           "\\int",
                           "d",
                           "\\log",
                           "\\left",
                           "\\right",
                           "°",
                           "10"};
  constexpr std::size_t kPieces = std::size(pieces);
  MathOptions options;
  options.max_work = 20000;
  std::uint64_t state = 7;
  for (int round = 0; round < 3000; ++round) {
    string text;
    const int length = 1 + round % 14;
    for (int i = 0; i < length; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += pieces[(state >> 33) % kPieces];
    }
    const MathResult first = compare_math_answers("7654321", text, options);
    EXPECT_FALSE(accepted(first, options)) << text;
    const MathResult second = compare_math_answers(text, text, options);
    EXPECT_TRUE(second.verdict != MathVerdict::kNotEqual || text.find_first_not_of(' ') == string::npos) << text;
  }
}

}  // namespace
}  // namespace plumb
