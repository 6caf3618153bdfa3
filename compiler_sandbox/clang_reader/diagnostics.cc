#include "compiler_sandbox/clang_reader/diagnostics.h"

#include <llvm/ADT/SmallString.h>

namespace plumb {
namespace {

std::string rule_of(const clang::tidy::ClangTidyContext& checks, const clang::Diagnostic& info) {
  const std::string check = checks.getCheckName(info.getID());
  llvm::StringRef name = check;
  if (name.consume_front("clang-diagnostic-")) {
    return "-W" + name.str();
  }
  name.consume_front("clang-analyzer-");
  return name.str();
}

}  // namespace

void DiagnosticReader::HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) {
  DiagnosticConsumer::HandleDiagnostic(level, info);
  if (!info.hasSourceManager() || info.getLocation().isInvalid()) {
    return;
  }
  const clang::SourceManager& sources = info.getSourceManager();
  if (level >= clang::DiagnosticsEngine::Error) {
    const clang::SourceLocation at = sources.getExpansionLoc(info.getLocation());
    if (sources.isWrittenInMainFile(at)) {
      error_lines_.push_back(static_cast<int>(sources.getSpellingLineNumber(at)));
    }
  } else if (level == clang::DiagnosticsEngine::Warning) {
    llvm::SmallString<256> words;
    info.FormatDiagnostic(words);
    const std::string rule = rule_of(checks_, info);
    llvm::StringRef text = words;
    if (!rule.empty() && rule.front() != '-') {
      text = text.rsplit(" [").first;  // a check's words end with its name
    }
    sink_.add(rule, info.getLocation(), text.str());
  }
}

}  // namespace plumb
