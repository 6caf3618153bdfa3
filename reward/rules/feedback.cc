#include "reward/rules/feedback.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/escape.h"
#include "reward/rules/code_block.h"

namespace plumb {
namespace {

constexpr std::size_t kLineBytes = 200;
constexpr std::size_t kMessageBytes = 600;

std::string_view cut(std::string_view text, std::size_t bytes) {
  while (bytes < text.size() && bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) {
    --bytes;  // not within a character
  }
  return text.substr(0, bytes);
}

std::string_view line_of(std::string_view source, int number) {
  for (int line = 1; line < number; ++line) {
    const std::size_t end = source.find('\n');
    if (end == std::string_view::npos) {
      return {};
    }
    source.remove_prefix(end + 1);
  }
  return source.substr(0, source.find('\n'));
}

const char* words_for(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAC:
      return "passes";
    case Verdict::kWA:
      return "gives a wrong result";
    case Verdict::kPE:
      return "is right but for white space";
    case Verdict::kRE:
      return "ends in an error";
    case Verdict::kTLE:
      return "takes more time than is allowed";
    case Verdict::kMLE:
      return "needs more memory than is allowed";
    case Verdict::kOLE:
      return "writes more output than is allowed";
    case Verdict::kSV:
      return "does what is not allowed here";
    case Verdict::kCE:
      return "does not compile";
    case Verdict::kSE:
      break;
  }
  return "could not be judged";
}

std::string shown_test(const TestCase& test) {
  const auto dump = [](const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  return fmt::format("\nIts arguments are {}; {} is expected.", dump(test.args), dump(test.result));
}

std::string summary(const Evidence& evidence, const FeedbackOptions& options) {
  if (evidence.verdict == Verdict::kCE) {
    return "The program does not compile.";
  }
  const auto& tests = evidence.tests;
  const auto failed = std::find_if(tests.begin(), tests.end(), [](Verdict verdict) { return verdict != Verdict::kAC; });
  if (evidence.verdict == Verdict::kAC) {
    return evidence.total == 1 ? "The test passes." : fmt::format("All {} tests pass.", evidence.total);
  }
  if (failed == tests.end()) {
    return fmt::format("The program {}.", words_for(evidence.verdict));
  }
  const auto index = static_cast<std::size_t>(failed - tests.begin());
  std::string text = fmt::format("Test {} of {} {}.", index + 1, evidence.total, words_for(*failed));
  if (static_cast<int>(tests.size()) == evidence.total && evidence.total > 1) {  // all were run
    text += fmt::format(" {} of {} tests pass.", evidence.passed, evidence.total);
  }
  return index < options.shown_tests.size() ? text + shown_test(options.shown_tests[index]) : text;
}

void append_message(std::string& text, std::string_view source, std::string_view message, int line) {
  const std::string_view shown = cut(message, kMessageBytes);
  text += line > 0 ? fmt::format("\nLine {}: {}", line, shown) : fmt::format("\n{}", shown);
  const std::string_view quoted = line > 0 ? line_of(source, line) : std::string_view();
  if (const std::size_t start = quoted.find_first_not_of(" \t\r"); start != std::string_view::npos) {
    text += fmt::format("\n    {}", cut(quoted.substr(start), kLineBytes));
  }
}

}  // namespace

std::string feedback(const Evidence& evidence, std::string_view source, const FeedbackOptions& options) {
  if (evidence.verdict == Verdict::kSE) {
    return {};
  }
  std::string text = summary(evidence, options);
  std::size_t messages = 0;
  for (const Diagnostic& one : evidence.diagnostics) {
    // What the judge itself notes is in the summary already.
    if (one.severity == "error" && messages < options.max_messages) {
      append_message(text, source, one.message, one.line);
      ++messages;
    }
  }
  for (const StaticFinding& one : evidence.findings) {
    if (messages++ < options.max_messages) {
      append_message(text, source, fmt::format("{} (CWE-{}, {})", one.message, one.cwe, one.severity), one.line);
    }
  }
  std::string safe = strip_terminal(text);
  if (safe.size() > options.max_bytes) {
    const std::string_view kept = cut(safe, options.max_bytes);
    safe = std::string(kept.substr(0, kept.rfind('\n')));  // npos: one long line stays as it was cut
  }
  return safe;
}

std::string feedback(const Score& score, std::string_view response, const FeedbackOptions& options) {
  if (score.unscored) {
    return {};
  }
  const auto block = first_code_block(response);
  if (!block) {
    return "There is no closed code block in the answer: the first one between ``` and ``` is what is run.";
  }
  return score.evidence ? feedback(*score.evidence, block->source, options) : std::string();
}

}  // namespace plumb
