#include "compiler_sandbox/clang_reader/checks.h"

#include <clang-tidy/ClangTidy.h>
#include <clang-tidy/ClangTidyModule.h>
#include <clang-tidy/ClangTidyModuleRegistry.h>
#include <clang-tidy/ClangTidyOptions.h>
#include <clang-tidy/bugprone/DanglingHandleCheck.h>
#include <clang-tidy/bugprone/InfiniteLoopCheck.h>
#include <clang-tidy/bugprone/MisplacedOperatorInStrlenInAllocCheck.h>
#include <clang-tidy/bugprone/NotNullTerminatedResultCheck.h>
#include <clang-tidy/bugprone/SizeofExpressionCheck.h>
#include <clang-tidy/bugprone/UseAfterMoveCheck.h>

namespace plumb {
namespace {

namespace tidy = clang::tidy;

// Checks one by one: a module of clang-tidy's would bring all of its own, and other modules.
class ChosenChecks : public tidy::ClangTidyModule {
 public:
  void addCheckFactories(tidy::ClangTidyCheckFactories& factories) override {
    factories.registerCheck<tidy::bugprone::DanglingHandleCheck>("bugprone-dangling-handle");
    factories.registerCheck<tidy::bugprone::InfiniteLoopCheck>("bugprone-infinite-loop");
    factories.registerCheck<tidy::bugprone::MisplacedOperatorInStrlenInAllocCheck>(
        "bugprone-misplaced-operator-in-strlen-in-alloc");
    factories.registerCheck<tidy::bugprone::NotNullTerminatedResultCheck>("bugprone-not-null-terminated-result");
    factories.registerCheck<tidy::bugprone::SizeofExpressionCheck>("bugprone-sizeof-expression");
    factories.registerCheck<tidy::bugprone::UseAfterMoveCheck>("bugprone-use-after-move");
  }
};
const tidy::ClangTidyModuleRegistry::Add<ChosenChecks> kChosen("plumb", "the checks that plumb asks");

constexpr const char* kNames =
    "-*,bugprone-*,clang-analyzer-core.*,clang-analyzer-unix.*,clang-analyzer-cplusplus.*,"
    "clang-analyzer-security.insecureAPI.gets,clang-analyzer-security.insecureAPI.strcpy,"
    "clang-analyzer-security.insecureAPI.mktemp,clang-analyzer-security.insecureAPI.UncheckedReturn,"
    "clang-analyzer-security.insecureAPI.bcopy,clang-analyzer-security.FloatLoopCounter,"
    "clang-analyzer-alpha.security.ArrayBoundV2,clang-analyzer-alpha.security.taint.*,"
    "clang-analyzer-alpha.unix.cstring.OutOfBounds,clang-analyzer-alpha.security.MallocOverflow,"
    "clang-analyzer-apiModeling.*";

}  // namespace

std::unique_ptr<tidy::ClangTidyContext> library_checks() {
  tidy::ClangTidyOptions options = tidy::ClangTidyOptions::getDefaults();
  options.Checks = kNames;
  return std::make_unique<tidy::ClangTidyContext>(
      std::make_unique<tidy::DefaultOptionsProvider>(tidy::ClangTidyGlobalOptions(), options),
      /*AllowEnablingAnalyzerAlphaCheckers=*/true);
}

std::unique_ptr<clang::ASTConsumer> checks_consumer(tidy::ClangTidyContext& checks, clang::CompilerInstance& clang) {
  checks.setDiagnosticsEngine(&clang.getDiagnostics());
  return tidy::ClangTidyASTConsumerFactory(checks).createASTConsumer(clang, "candidate");
}

}  // namespace plumb
