#include <array>
#include <cctype>
#include <utility>

#include "reward/rules/audit_probes.h"

namespace plumb {
namespace {

struct Edit {
  std::size_t at;
  std::size_t size;
  std::string text;
};

bool word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Longest first, so that "<=" is not read as "<".
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kOperators = {{{"<=", "<"},
                                                                                       {">=", ">"},
                                                                                       {"==", "!="},
                                                                                       {"!=", "=="},
                                                                                       {"&&", "||"},
                                                                                       {"||", "&&"},
                                                                                       {" < ", " <= "},
                                                                                       {" > ", " >= "},
                                                                                       {" + ", " - "},
                                                                                       {" - ", " + "},
                                                                                       {" * ", " + "},
                                                                                       {" / ", " * "},
                                                                                       {" // ", " % "},
                                                                                       {" % ", " / "}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kWords = {{{"True", "False"},
                                                                                  {"False", "True"},
                                                                                  {"true", "false"},
                                                                                  {"false", "true"},
                                                                                  {"and", "or"},
                                                                                  {"or", "and"},
                                                                                  {"min", "max"},
                                                                                  {"max", "min"}}};

std::vector<Edit> edits_of(const std::string& source) {
  std::vector<Edit> edits;
  const std::string_view text = source;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest[0] == '"' || rest[0] == '\'') {
      const std::size_t close = text.find(rest[0], at + 1);
      at = close == std::string_view::npos ? text.size() : close + 1;
      continue;
    }
    if (word_byte(rest[0])) {
      std::size_t size = 0;
      while (size < rest.size() && word_byte(rest[size])) {
        ++size;
      }
      const std::string word(rest.substr(0, size));
      if (word.find_first_not_of("0123456789") == std::string::npos && size < 9) {
        edits.push_back({at, size, std::to_string(std::stol(word) + 1)});
      }
      for (const auto& [from, to] : kWords) {
        if (word == from) {
          edits.push_back({at, size, std::string(to)});
        }
      }
      at += size;
      continue;
    }
    std::size_t step = 1;
    for (const auto& [from, to] : kOperators) {
      if (rest.starts_with(from)) {
        edits.push_back({at, from.size(), std::string(to)});
        step = from.size() > 2 ? from.size() - 1 : from.size();
        break;
      }
    }
    at += step;
  }
  return edits;
}

}  // namespace

std::vector<std::string> source_mutants(const std::string& source, std::size_t limit) {
  const std::vector<Edit> edits = edits_of(source);
  std::vector<std::string> mutants;
  const std::size_t count = std::min(limit, edits.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Edit& edit = edits[i * edits.size() / count];
    mutants.push_back(source.substr(0, edit.at) + edit.text + source.substr(edit.at + edit.size));
  }
  return mutants;
}

}  // namespace plumb
