#pragma once
// Takes what clang, its static analyzer and clang-tidy's checks have to say.

#include <clang-tidy/ClangTidyDiagnosticConsumer.h>
#include <clang/Basic/Diagnostic.h>

#include <vector>

#include "compiler_sandbox/clang_reader/finding.h"

namespace plumb {

/// Warnings become findings, named as clang-tidy names them without its prefix ("core.NullDereference",
/// "bugprone-use-after-move") or by their option ("-Wformat-security"); of errors in the candidate's file the lines are
/// kept. No comment in the candidate (NOLINT) keeps a finding back, as it would with clang-tidy's own consumer.
class DiagnosticReader : public clang::DiagnosticConsumer {
 public:
  DiagnosticReader(const clang::tidy::ClangTidyContext& checks, FindingSink& sink) : checks_(checks), sink_(sink) {}

  void HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) override;
  [[nodiscard]] const std::vector<int>& error_lines() const { return error_lines_; }

 private:
  const clang::tidy::ClangTidyContext& checks_;
  FindingSink& sink_;
  std::vector<int> error_lines_;
};

}  // namespace plumb
