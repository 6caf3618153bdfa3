#include "reward/rules/constraints.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <vector>

namespace plumb {
namespace {

using nlohmann::json;
using Texts = std::vector<std::string>;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return std::string(text.substr(0, text.find_last_not_of(kBlanks) + 1));
}

bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '\'' || (c & 0x80) != 0;
}

Texts words_of(std::string_view text) {
  Texts words(1);
  for (const char c : text) {
    if (is_word_byte(c)) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) {
    words.pop_back();
  }
  return words;
}

// The pieces between `separator`s, trimmed; empty ones are kept.
Texts split(std::string_view text, std::string_view separator) {
  Texts pieces;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    pieces.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + separator.size();
  }
  return pieces;
}

std::size_t count(std::string_view text, std::string_view piece) {
  std::size_t found = 0;
  for (std::size_t at = text.find(piece); at != std::string_view::npos && !piece.empty();
       at = text.find(piece, at + piece.size())) {
    ++found;
  }
  return found;
}

// How often `phrase` stands in `text` as whole words, in any case.
std::size_t count_phrase(std::string_view text, std::string_view phrase) {
  const std::string all = lower(text);
  const std::string wanted = lower(phrase);
  std::size_t found = 0;
  for (std::size_t at = all.find(wanted); at != std::string::npos && !wanted.empty(); at = all.find(wanted, at + 1)) {
    const bool begins = at == 0 || !is_word_byte(all[at - 1]);
    const std::size_t end = at + wanted.size();
    found += begins && (end == all.size() || !is_word_byte(all[end])) ? 1 : 0;
  }
  return found;
}

std::size_t count_sentences(std::string_view text) {
  std::size_t sentences = 0;
  bool open = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ends = (text[i] == '.' || text[i] == '!' || text[i] == '?') &&
                      (i + 1 == text.size() || std::isspace(static_cast<unsigned char>(text[i + 1])) != 0);
    sentences += ends && open ? 1 : 0;
    open = !ends && (open || is_word_byte(text[i]));
  }
  return sentences + (open ? 1 : 0);
}

std::size_t count_bullets(std::string_view text) {
  std::size_t bullets = 0;
  for (const std::string& line : split(text, "\n")) {
    const bool starred = line.starts_with("* ") || (line.starts_with("*") && !line.starts_with("**"));
    bullets += starred || line.starts_with("- ") ? 1 : 0;
  }
  return bullets;
}

// Non-empty stretches between `open` and `close` within a line.
std::size_t count_spans(std::string_view text, std::string_view open, std::string_view close) {
  std::size_t spans = 0;
  for (const std::string& line : split(text, "\n")) {
    for (std::size_t at = line.find(open); at != std::string::npos;) {
      const std::size_t end = line.find(close, at + open.size());
      if (end == std::string::npos) {
        break;
      }
      const bool full = !trimmed(std::string_view(line).substr(at + open.size(), end - at - open.size())).empty();
      spans += full ? 1 : 0;
      at = line.find(open, full ? end + close.size() : at + 1);
    }
  }
  return spans;
}

bool compares(const std::string& relation, std::size_t found, const json& wanted) {
  const auto number = wanted.get<std::size_t>();
  return relation == "less than" ? found < number : found >= number;
}

bool is_json(std::string_view text) {
  std::string inner = trimmed(text);
  for (const std::string_view fence : {"```json", "```Json", "```JSON", "```"}) {
    inner = inner.starts_with(fence) ? inner.substr(fence.size()) : inner;
  }
  inner = inner.ends_with("```") ? inner.substr(0, inner.size() - 3) : inner;
  return json::accept(inner);
}

bool all_of_case(std::string_view text, int (*other_case)(int)) {
  return std::none_of(text.begin(), text.end(), [&](unsigned char c) { return other_case(c) != 0; });
}

using Check = std::function<bool(const json&, const std::string&)>;

Check counted(std::size_t (*counter)(std::string_view), const char* number, const char* relation) {
  return [=](const json& args, const std::string& text) {
    return compares(args.value(relation, "at least"), counter(text), args.at(number));
  };
}

bool first_word_of_paragraph(const json& args, const std::string& text) {
  Texts paragraphs = split(text, "\n\n");
  std::erase_if(paragraphs, [](const std::string& paragraph) { return paragraph.empty(); });
  const auto nth = args.at("nth_paragraph").get<std::size_t>();
  const bool right_number = paragraphs.size() == args.at("num_paragraphs").get<std::size_t>();
  if (!right_number || nth < 1 || nth > paragraphs.size()) {
    return false;
  }
  const Texts words = words_of(paragraphs[nth - 1]);
  return !words.empty() && lower(words[0]) == lower(args.at("first_word").get<std::string>());
}

std::map<std::string, Check, std::less<>> keyword_checks() {
  return {
      {"keywords:existence",
       [](const json& args, const std::string& text) {
         const auto words = args.at("keywords").get<Texts>();
         return std::all_of(words.begin(), words.end(), [&](const auto& word) { return count_phrase(text, word) > 0; });
       }},
      {"keywords:forbidden_words",
       [](const json& args, const std::string& text) {
         const auto words = args.at("forbidden_words").get<Texts>();
         return std::all_of(words.begin(), words.end(),
                            [&](const auto& word) { return count_phrase(text, word) == 0; });
       }},
      {"keywords:frequency",
       [](const json& args, const std::string& text) {
         return compares(args.value("relation", "at least"), count_phrase(text, args.at("keyword").get<std::string>()),
                         args.at("frequency"));
       }},
      {"keywords:letter_frequency",
       [](const json& args, const std::string& text) {
         return compares(args.value("let_relation", "at least"),
                         count(lower(text), lower(args.at("letter").get<std::string>())), args.at("let_frequency"));
       }},
      {"combination:repeat_prompt",
       [](const json& args, const std::string& text) {
         return lower(trimmed(text)).starts_with(lower(trimmed(args.at("prompt_to_repeat").get<std::string>())));
       }},
      {"startend:end_checker",
       [](const json& args, const std::string& text) {
         return lower(trimmed(text)).ends_with(lower(trimmed(args.at("end_phrase").get<std::string>())));
       }},
      {"detectable_content:postscript",
       [](const json& args, const std::string& text) {
         return lower(text).find(lower(args.at("postscript_marker").get<std::string>())) != std::string::npos;
       }},
  };
}

std::map<std::string, Check, std::less<>> format_checks() {
  return {
      {"punctuation:no_comma",
       [](const json&, const std::string& text) { return text.find(',') == std::string::npos; }},
      {"startend:quotation",
       [](const json&, const std::string& text) {
         const std::string inner = trimmed(text);
         return inner.size() > 1 && inner.front() == '"' && inner.back() == '"';
       }},
      {"change_case:english_capital",
       [](const json&, const std::string& text) { return all_of_case(text, [](int c) { return std::islower(c); }); }},
      {"change_case:english_lowercase",
       [](const json&, const std::string& text) { return all_of_case(text, [](int c) { return std::isupper(c); }); }},
      {"detectable_format:json_format", [](const json&, const std::string& text) { return is_json(text); }},
      {"detectable_format:title",
       [](const json&, const std::string& text) { return count_spans(text, "<<", ">>") > 0; }},
      {"detectable_format:constrained_response",
       [](const json&, const std::string& text) {
         const Texts allowed = {"My answer is yes.", "My answer is no.", "My answer is maybe."};
         return std::any_of(allowed.begin(), allowed.end(),
                            [&](const auto& one) { return text.find(one) != std::string::npos; });
       }},
      {"detectable_format:number_bullet_lists",
       [](const json& args, const std::string& text) {
         return count_bullets(text) == args.at("num_bullets").get<std::size_t>();
       }},
      {"detectable_format:multiple_sections",
       [](const json& args, const std::string& text) {
         return count(text, args.at("section_spliter").get<std::string>()) >=
                args.at("num_sections").get<std::size_t>();
       }},
      {"combination:two_responses",
       [](const json&, const std::string& text) {
         const Texts responses = split(text, "******");
         return responses.size() == 2 && !responses[0].empty() && !responses[1].empty() && responses[0] != responses[1];
       }},
      {"length_constraints:number_paragraphs",
       [](const json& args, const std::string& text) {
         const Texts paragraphs = split(text, "***");
         return paragraphs.size() == args.at("num_paragraphs").get<std::size_t>() &&
                std::none_of(paragraphs.begin(), paragraphs.end(), [](const auto& one) { return one.empty(); });
       }},
      {"length_constraints:nth_paragraph_first_word", first_word_of_paragraph},
  };
}

std::map<std::string, Check, std::less<>> counting_checks() {
  return {
      {"length_constraints:number_words",
       counted([](std::string_view text) { return words_of(text).size(); }, "num_words", "relation")},
      {"length_constraints:number_sentences", counted(count_sentences, "num_sentences", "relation")},
      {"detectable_content:number_placeholders",
       counted([](std::string_view text) { return count_spans(text, "[", "]"); }, "num_placeholders", "")},
      {"detectable_format:number_highlighted_sections",
       counted([](std::string_view text) { return count_spans(text, "*", "*"); }, "num_highlights", "")},
      {"change_case:capital_word_frequency",
       counted(
           [](std::string_view text) {
             const Texts words = words_of(text);
             return static_cast<std::size_t>(std::count_if(words.begin(), words.end(), [](const std::string& word) {
               return std::any_of(word.begin(), word.end(), [](unsigned char c) { return std::isupper(c) != 0; }) &&
                      all_of_case(word, [](int c) { return std::islower(c); });
             }));
           },
           "capital_frequency", "capital_relation")},
  };
}

const std::map<std::string, Check, std::less<>>& checks() {
  static const auto kAll = [] {
    auto all = keyword_checks();
    all.merge(format_checks());
    all.merge(counting_checks());
    return all;
  }();
  return kAll;
}

}  // namespace

Result<ConstraintReport> check_constraints(const json& constraints, std::string_view response) {
  if (!constraints.is_array() || constraints.empty()) {
    return Error{"constraints: expected a list of {instruction_id, kwargs}"};
  }
  ConstraintReport report;
  const std::string text(response);
  for (const json& constraint : constraints) {
    const std::string id = constraint.is_object() ? constraint.value("instruction_id", "") : "";
    const auto check = checks().find(id);
    if (check == checks().end()) {
      return Error{"constraints: '" + id + "' cannot be checked"};
    }
    try {
      const bool kept = !trimmed(text).empty() && check->second(constraint.value("kwargs", json::object()), text);
      ++report.total;
      report.kept += kept ? 1 : 0;
      report.broken += kept ? "" : (report.broken.empty() ? "" : ", ") + id;
    } catch (const json::exception& error) {
      return Error{"constraints: " + id + ": " + error.what()};
    }
  }
  return report;
}

}  // namespace plumb
