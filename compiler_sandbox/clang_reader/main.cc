// plumb-clang-reader: reads a C or C++ program from standard input, inside the sandbox, and prints one JSON object:
// {"findings": [{"rule", "line", "column", "message"}], "structure": {...}, "signature": {...}}. One parse gives all:
// clang's own warnings, its static analyzer, checks of clang-tidy, plumb's rules and measures, a function's types. The
// program is never compiled or run.
//
// usage: plumb-clang-reader WHAT CLANG-ARGUMENTS...
// WHAT is JSON: {"findings": bool, "structure": bool, "forbidden": [names], "signature": name, "arguments": number}.

#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/FrontendAction.h>
#include <clang/Frontend/MultiplexConsumer.h>
#include <clang/Frontend/Utils.h>
#include <clang/Lex/PPCallbacks.h>
#include <clang/Lex/Pragma.h>
#include <clang/Lex/Preprocessor.h>
#include <llvm/Support/VirtualFileSystem.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "compiler_sandbox/clang_reader/checks.h"
#include "compiler_sandbox/clang_reader/diagnostics.h"
#include "compiler_sandbox/clang_reader/forbidden_uses.h"
#include "compiler_sandbox/clang_reader/own_rules.h"
#include "compiler_sandbox/clang_reader/signature_reader.h"
#include "compiler_sandbox/clang_reader/structure_reader.h"

namespace plumb {
namespace {

constexpr const char* kClang = "/usr/lib/llvm-16/bin/clang";  // beside which clang finds its own headers

struct Question {
  bool findings = false;
  bool structure = false;
  std::vector<std::string> forbidden;
  std::string signature;   // of which function; empty: of none
  unsigned arguments = 0;  // of its calls
  std::string text;        // the candidate
  std::string file;        // its name, as it is compiled: the text may ask with __has_include, or read __FILE__
};

class OwnConsumer : public clang::ASTConsumer {
 public:
  OwnConsumer(const Question& question, FindingSink& sink, const DiagnosticReader& diagnostics, nlohmann::json& answer)
      : question_(question), sink_(sink), diagnostics_(diagnostics), answer_(answer) {}

  void HandleTranslationUnit(clang::ASTContext& context) override {
    const std::vector<clang::Decl*> declarations = own_declarations(context);
    context.setTraversalScope(declarations);  // clang-tidy's checks need not look through the library
    if (question_.findings) {
      apply_own_rules(context, declarations, sink_);
    }
    if (!question_.forbidden.empty()) {
      find_forbidden(context, declarations, question_.forbidden, sink_);
    }
    if (question_.structure) {
      answer_["structure"] = structure_of(context, declarations, question_.text, diagnostics_.error_lines());
    }
    if (!question_.signature.empty()) {
      answer_["signature"] = signature_of(declarations, question_.signature, question_.arguments);
    }
  }

 private:
  const Question& question_;
  FindingSink& sink_;
  const DiagnosticReader& diagnostics_;
  nlohmann::json& answer_;
};

// A line marker (# 1 "name" 3) calls what follows a system header, of which nothing is said. This says otherwise at
// once.
class OwnText : public clang::PPCallbacks {
 public:
  explicit OwnText(clang::SourceManager& sources) : sources_(sources) {}

  void FileChanged(clang::SourceLocation where, FileChangeReason reason, clang::SrcMgr::CharacteristicKind kind,
                   clang::FileID) override {
    if (reason != SystemHeaderPragma && kind != clang::SrcMgr::C_User && sources_.isWrittenInMainFile(where)) {
      sources_.AddLineNote(where, 1, -1, /*IsFileEntry=*/false, /*IsFileExit=*/false, clang::SrcMgr::C_User);
    }
  }

 private:
  clang::SourceManager& sources_;
};

class Reading : public clang::ASTFrontendAction {
 public:
  Reading(const Question& question, nlohmann::json& answer) : question_(question), answer_(answer) {}

  bool BeginSourceFileAction(clang::CompilerInstance& clang) override {
    // Candidates do not choose what is said about them: without this, `#pragma clang diagnostic ignored` would.
    for (const char* space : {"clang", "GCC"}) {
      clang.getPreprocessor().AddPragmaHandler(space, new clang::EmptyPragmaHandler("diagnostic"));
    }
    // Nor whether they are read: `#pragma clang __debug crash` ends clang.
    clang.getPreprocessor().AddPragmaHandler("clang", new clang::EmptyPragmaHandler("__debug"));
    clang.getPreprocessor().addPPCallbacks(std::make_unique<OwnText>(clang.getSourceManager()));
    return true;
  }

  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& clang, llvm::StringRef) override {
    sink_ = std::make_unique<FindingSink>(clang.getSourceManager());
    diagnostics_ = std::make_unique<DiagnosticReader>(*checks_, *sink_);
    clang.getDiagnostics().setClient(diagnostics_.get(), /*ShouldOwnClient=*/false);
    std::vector<std::unique_ptr<clang::ASTConsumer>> consumers;
    consumers.push_back(std::make_unique<OwnConsumer>(question_, *sink_, *diagnostics_, answer_));
    if (question_.findings) {
      consumers.push_back(checks_consumer(*checks_, clang));
    }
    return std::make_unique<clang::MultiplexConsumer>(std::move(consumers));
  }

  void EndSourceFileAction() override {
    for (const ClangFinding& one : sink_->findings()) {
      answer_["findings"].push_back(
          {{"rule", one.rule}, {"line", one.line}, {"column", one.column}, {"message", one.message}});
    }
  }

 private:
  const Question& question_;
  nlohmann::json& answer_;
  std::unique_ptr<clang::tidy::ClangTidyContext> checks_ = library_checks();
  std::unique_ptr<FindingSink> sink_;
  std::unique_ptr<DiagnosticReader> diagnostics_;
};

// The candidate as a file that is nowhere on disk.
llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files_with(const Question& question) {
  auto memory = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
  auto files = llvm::makeIntrusiveRefCnt<llvm::vfs::OverlayFileSystem>(llvm::vfs::getRealFileSystem());
  const auto folder = files->getCurrentWorkingDirectory();
  memory->setCurrentWorkingDirectory(folder ? *folder : "/");
  memory->addFile(question.file, 0, llvm::MemoryBuffer::getMemBufferCopy(question.text, question.file));
  files->pushOverlay(memory);
  return files;
}

int answer(const Question& question, const std::vector<const char*>& arguments) {
  const auto files = files_with(question);
  clang::CompilerInstance clang;
  clang::CreateInvocationOptions options;
  options.VFS = files;
  options.Diags = clang::CompilerInstance::createDiagnostics(new clang::DiagnosticOptions);
  auto invocation = clang::createInvocation(arguments, options);
  if (!invocation) {
    return 1;
  }
  clang.setInvocation(std::move(invocation));
  clang.createDiagnostics(new clang::IgnoringDiagConsumer);
  clang.createFileManager(files);
  nlohmann::json found = {{"findings", nlohmann::json::array()}};
  Reading reading(question, found);
  clang.setVerboseOutputStream(std::make_unique<llvm::raw_null_ostream>());  // "2 warnings generated"
  clang.ExecuteAction(reading);  // false where the candidate does not compile: then what was seen of it stands
  std::cout << found.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  return found.contains("structure") || !question.structure ? 0 : 1;
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  const auto what = argc > 1 ? nlohmann::json::parse(argv[1], nullptr, false) : nlohmann::json();
  if (!what.is_object()) {
    std::fputs("usage: plumb-clang-reader {\"findings\": true, ...} CLANG-ARGUMENTS... < source\n", stderr);
    return 2;
  }
  plumb::Question question;
  question.findings = what.value("findings", false);
  question.structure = what.value("structure", false);
  question.forbidden = what.value("forbidden", std::vector<std::string>());
  question.signature = what.value("signature", "");
  question.arguments = what.value("arguments", 0U);
  question.text = std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
  const std::vector<std::string> given(argv + 2, argv + argc);
  question.file = std::ranges::find(given, "c") != given.end() ? "main.c" : "solution.cpp";  // of -x
  std::vector<const char*> arguments = {plumb::kClang};
  arguments.insert(arguments.end(), argv + 2, argv + argc);
  arguments.insert(arguments.end(), {"-fsyntax-only", "-ferror-limit=0", "-fno-spell-checking"});
  arguments.push_back(question.file.c_str());
  return plumb::answer(question, arguments);
}
