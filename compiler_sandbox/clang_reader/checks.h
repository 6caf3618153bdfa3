#pragma once
// Which checkers of clang's static analyzer and which checks of clang-tidy are asked; what they are taken for is in
// compiler_sandbox/findings.cc.

#include <clang-tidy/ClangTidyDiagnosticConsumer.h>
#include <clang/AST/ASTConsumer.h>
#include <clang/Frontend/CompilerInstance.h>

#include <memory>

namespace plumb {

std::unique_ptr<clang::tidy::ClangTidyContext> library_checks();

/// What runs them when the candidate has been read. `checks` has to live as long.
std::unique_ptr<clang::ASTConsumer> checks_consumer(clang::tidy::ClangTidyContext& checks,
                                                    clang::CompilerInstance& clang);

}  // namespace plumb
