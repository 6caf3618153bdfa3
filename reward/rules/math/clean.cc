#include "reward/rules/math/clean.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/escape.h"

namespace plumb::math {

namespace {

const std::unordered_map<char32_t, const char*>& replacements() {
  static const std::unordered_map<char32_t, const char*> kTable = {{0x2212, "-"},
                                                                   {0x2010, "-"},
                                                                   {0x2011, "-"},
                                                                   {0x2013, "-"},
                                                                   {0x2014, "-"},
                                                                   {0xFE63, "-"},
                                                                   {0xD7, "\\times "},
                                                                   {0xB7, "\\cdot "},
                                                                   {0x22C5, "\\cdot "},
                                                                   {0x2219, "\\cdot "},
                                                                   {0x2217, "*"},
                                                                   {0xF7, "\\div "},
                                                                   {0x2215, "/"},
                                                                   {0x2044, "/"},
                                                                   {0x221A, "\\sqrt "},
                                                                   {0x221B, "\\sqrt[3]"},
                                                                   {0x221C, "\\sqrt[4]"},
                                                                   {0xB0, "^\\circ "},
                                                                   {0x2218, "\\circ "},
                                                                   {0xBA, "^\\circ "},
                                                                   {0x221E, "\\infty "},
                                                                   {0xB1, "\\pm "},
                                                                   {0x2213, "\\mp "},
                                                                   {0x2264, "\\le "},
                                                                   {0x2265, "\\ge "},
                                                                   {0x2A7D, "\\le "},
                                                                   {0x2A7E, "\\ge "},
                                                                   {0x2260, "\\ne "},
                                                                   {0x2248, "\\approx "},
                                                                   {0x2261, "\\equiv "},
                                                                   {0x2208, "\\in "},
                                                                   {0x222A, "\\cup "},
                                                                   {0x2229, "\\cap "},
                                                                   {0x2216, "\\setminus "},
                                                                   {0x2205, "\\emptyset "},
                                                                   {0x211D, "\\mathbb{R}"},
                                                                   {0x2124, "\\mathbb{Z}"},
                                                                   {0x2115, "\\mathbb{N}"},
                                                                   {0x211A, "\\mathbb{Q}"},
                                                                   {0x2102, "\\mathbb{C}"},
                                                                   {0x2211, "\\sum "},
                                                                   {0x220F, "\\prod "},
                                                                   {0x222B, "\\int "},
                                                                   {0x230A, "\\lfloor "},
                                                                   {0x230B, "\\rfloor "},
                                                                   {0x2308, "\\lceil "},
                                                                   {0x2309, "\\rceil "},
                                                                   {0x2032, "'"},
                                                                   {0x2018, "'"},
                                                                   {0x2019, "'"},
                                                                   {0x201C, "\""},
                                                                   {0x201D, "\""},
                                                                   {0x2026, "..."},
                                                                   {0x22EF, "..."},
                                                                   {0xBD, "\\frac{1}{2}"},
                                                                   {0xBC, "\\frac{1}{4}"},
                                                                   {0xBE, "\\frac{3}{4}"},
                                                                   {0x2153, "\\frac{1}{3}"},
                                                                   {0x2154, "\\frac{2}{3}"},
                                                                   {0x2155, "\\frac{1}{5}"},
                                                                   {0x2156, "\\frac{2}{5}"},
                                                                   {0x2157, "\\frac{3}{5}"},
                                                                   {0x2158, "\\frac{4}{5}"},
                                                                   {0x2159, "\\frac{1}{6}"},
                                                                   {0x215A, "\\frac{5}{6}"},
                                                                   {0x215B, "\\frac{1}{8}"},
                                                                   {0x215C, "\\frac{3}{8}"},
                                                                   {0x215D, "\\frac{5}{8}"},
                                                                   {0x215E, "\\frac{7}{8}"},
                                                                   {0x3B1, "\\alpha "},
                                                                   {0x3B2, "\\beta "},
                                                                   {0x3B3, "\\gamma "},
                                                                   {0x3B4, "\\delta "},
                                                                   {0x3B5, "\\epsilon "},
                                                                   {0x3B8, "\\theta "},
                                                                   {0x3BB, "\\lambda "},
                                                                   {0x3BC, "\\mu "},
                                                                   {0xB5, "\\mu "},
                                                                   {0x3C0, "\\pi "},
                                                                   {0x3C1, "\\rho "},
                                                                   {0x3C3, "\\sigma "},
                                                                   {0x3C4, "\\tau "},
                                                                   {0x3C6, "\\phi "},
                                                                   {0x3C9, "\\omega "},
                                                                   {0x3A9, "\\Omega "},
                                                                   {0x3D5, "\\phi "},
                                                                   {0x1D70B, "\\pi "},
                                                                   {0x2148, "i"},
                                                                   {0x2147, "e"},
                                                                   {0x2223, "|"},
                                                                   {0x27E8, "\\langle "},
                                                                   {0x27E9, "\\rangle "},
                                                                   {0x20AC, "\\euro "},
                                                                   {0xA3, "\\pounds "},
                                                                   {0xA5, "\\yen "},
                                                                   {0xFFE5, "\\yen "},
                                                                   {0x3001, ","},
                                                                   {0x3002, "."},
                                                                   {0x2236, ":"},
                                                                   {0x2A2F, "\\times "}};
  return kTable;
}

bool invisible(char32_t c) {
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF || c == 0xAD || c == 0x202A ||
         c == 0x202C || c == 0xFE0F;
}

bool blank(char32_t c) {
  return c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
}

// The ASCII character that a super- or subscript shows, or 0.
char script(char32_t c, bool above) {
  constexpr std::u32string_view kAbove = U"⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣ";
  constexpr std::string_view kAboveAscii = "0123456789+-()nix";
  constexpr std::u32string_view kBelow = U"₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙₓ";
  constexpr std::string_view kBelowAscii = "0123456789+-()nx";
  const std::size_t at = (above ? kAbove : kBelow).find(c);
  return at == std::u32string_view::npos ? '\0' : (above ? kAboveAscii : kBelowAscii)[at];
}

// Decodes one character of well-formed UTF-8 and moves `at` behind it.
char32_t next_char(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  char32_t c = more == 0 ? lead : lead & (0x3FU >> more);
  for (int i = 0; i < more; ++i) {
    c = (c << 6) | (static_cast<unsigned char>(text[at++]) & 0x3FU);
  }
  return c;
}

class Cleaner {
 public:
  void add(char32_t c, std::string_view bytes) {
    const char above = script(c, true);
    const char below = above == 0 ? script(c, false) : '\0';
    const char mode = above != 0 ? '^' : below != 0 ? '_' : '\0';
    if (mode != open_) {
      close();
      if (mode != 0) {
        out_ += mode;
        out_ += '{';
      }
      open_ = mode;
    }
    const auto found = replacements().find(c);
    if (mode != 0) {
      out_ += above != 0 ? above : below;
    } else if (found != replacements().end()) {
      out_ += found->second;
    } else if (c >= 0xFF01 && c <= 0xFF5E) {
      out_ += static_cast<char>(c - 0xFF00 + 0x20);
    } else if (c >= 0x660 && c <= 0x669) {
      out_ += static_cast<char>('0' + (c - 0x660));
    } else if (blank(c)) {
      out_ += ' ';
    } else if (!invisible(c)) {
      out_ += bytes;
    }
  }

  std::string take() {
    close();
    return std::move(out_);
  }

 private:
  void close() {
    if (open_ != 0) {
      out_ += '}';
      open_ = '\0';
    }
  }

  std::string out_;
  char open_ = '\0';
};

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n~";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

std::optional<std::string> clean_answer(std::string_view answer) {
  const bool ascii = std::all_of(answer.begin(), answer.end(), [](char c) { return c > 0; });
  if (ascii) {
    return std::string(answer);
  }
  if (!is_utf8(answer) || answer.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  Cleaner cleaner;
  for (std::size_t at = 0; at < answer.size();) {
    const std::size_t begin = at;
    const char32_t c = next_char(answer, at);
    cleaner.add(c, answer.substr(begin, at - begin));
  }
  return cleaner.take();
}

std::string plain_words(std::string_view cleaned) {
  constexpr std::array<std::string_view, 15> kDressing = {
      "\\textbf", "\\textit", "\\textrm", "\\texttt",       "\\textsf", "\\text",  "\\mathrm", "\\mathbf",
      "\\mathit", "\\mathsf", "\\mbox",   "\\operatorname", "\\left",   "\\right", "\\emph"};
  std::string out;
  for (std::size_t at = 0; at < cleaned.size();) {
    const auto rest = cleaned.substr(at);
    const auto dress = std::find_if(kDressing.begin(), kDressing.end(), [&](auto d) { return rest.starts_with(d); });
    if (dress != kDressing.end()) {
      at += dress->size();
      continue;
    }
    const char c = rest[0];
    const bool spacing =
        c == '\\' && rest.size() > 1 && std::string_view(" ,;:!").find(rest[1]) != std::string_view::npos;
    at += spacing ? 2 : 1;
    if (spacing || c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '~') {
      if (!out.empty() && out.back() != ' ') {
        out += ' ';
      }
    } else if (std::string_view("${}\"'*`").find(c) == std::string_view::npos) {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) {
    out.pop_back();
  }
  return out;
}

}  // namespace plumb::math
