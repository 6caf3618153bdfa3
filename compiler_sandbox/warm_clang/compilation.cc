#include "compiler_sandbox/warm_clang/compilation.h"

#include <clang/Basic/TargetInfo.h>
#include <clang/CodeGen/BackendUtil.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <clang/Frontend/Utils.h>
#include <clang/Lex/Preprocessor.h>
#include <clang/Sema/Sema.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/TargetSelect.h>

namespace plumb {

bool Compilation::start(const std::vector<const char*>& arguments) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::InitializeNativeTargetAsmParser();
  clang_.createDiagnostics(new clang::IgnoringDiagConsumer);
  clang::CreateInvocationOptions options;
  options.Diags = &clang_.getDiagnostics();
  auto invocation = clang::createInvocation(arguments, options);
  if (!invocation) {
    return false;
  }
  clang_.setInvocation(std::move(invocation));
  clang_.createDiagnostics(new clang::IgnoringDiagConsumer);
  clang_.createFileManager();
  clang_.createSourceManager(clang_.getFileManager());
  if (!clang_.createTarget()) {
    return false;
  }
  clang_.createPreprocessor(clang::TU_Complete);
  clang::Preprocessor& preprocessor = clang_.getPreprocessor();
  preprocessor.enableIncrementalProcessing();  // the end of a piece is not the end of the unit
  preprocessor.getBuiltinInfo().initializeBuiltins(preprocessor.getIdentifierTable(), clang_.getLangOpts());
  clang_.createASTContext();
  generator_ = clang::CreateLLVMCodeGen(clang_.getDiagnostics(), "solution.cpp", &clang_.getVirtualFileSystem(),
                                        clang_.getHeaderSearchOpts(), clang_.getPreprocessorOpts(),
                                        clang_.getCodeGenOpts(), llvm_);
  clang_.setASTConsumer(std::unique_ptr<clang::ASTConsumer>(generator_));
  clang_.createSema(clang::TU_Complete, nullptr);
  clang_.getDiagnosticClient().BeginSourceFile(clang_.getLangOpts(), &preprocessor);
  // What LLVM has to say is about a program's assembly. Without a handler it would print that, and end the process.
  llvm_.setDiagnosticHandlerCallBack(
      [](const llvm::DiagnosticInfo& info, void* refused) {
        *static_cast<bool*>(refused) |= info.getSeverity() == llvm::DS_Error;
      },
      &refused_);
  generator_->Initialize(context());
  return is_flawless();
}

// As with -fno-caret-diagnostics and -fdiagnostics-color=never.
void Compilation::keep_messages() {
  clang::DiagnosticOptions& options = clang_.getDiagnosticOpts();
  options.ShowCarets = false;
  options.ShowColors = false;
  clang_.getDiagnostics().setClient(new clang::TextDiagnosticPrinter(message_stream_, &options));
  clang_.getDiagnosticClient().BeginSourceFile(clang_.getLangOpts(), &clang_.getPreprocessor());
}

bool Compilation::is_flawless() const {
  return !refused_ && !clang_.getDiagnostics().hasErrorOccurred();
}

bool Compilation::read(clang::FileID file) {
  clang::Preprocessor& preprocessor = clang_.getPreprocessor();
  clang_.getSourceManager().setMainFileID(file);
  if (!parser_) {
    preprocessor.EnterMainSourceFile();
    parser_ = std::make_unique<clang::Parser>(preprocessor, clang_.getSema(), /*SkipFunctionBodies=*/false);
    parser_->Initialize();
  } else {
    preprocessor.EnterSourceFile(file, nullptr, clang::SourceLocation());
    parser_->ConsumeAnyToken();  // the end of the piece before
  }
  clang::Parser::DeclGroupPtrTy declared;
  auto imports = clang::Sema::ModuleImportState::NotACXX20Module;
  for (bool ended = parser_->ParseFirstTopLevelDecl(declared, imports); !ended && is_flawless();
       ended = parser_->ParseTopLevelDecl(declared, imports)) {
    if (declared) {
      generator_->HandleTopLevelDecl(declared.get());
    }
  }
  return is_flawless();
}

bool Compilation::read_text(const std::string& text, const char* name) {
  // A file, though of this process alone: some of clang asks for the main file's name.
  const auto file = clang_.getFileManager().getVirtualFileRef(name, static_cast<off_t>(text.size()), 0);
  clang_.getSourceManager().overrideFileContents(file, llvm::MemoryBuffer::getMemBufferCopy(text, name));
  return read(clang_.getSourceManager().createFileID(file, clang::SourceLocation(), clang::SrcMgr::C_User));
}

void Compilation::instantiate() {
  clang_.getSema().PerformPendingInstantiations();
}

bool Compilation::read_last(const char* path) {
  // Off, or clang would take statements outside of functions, as its interpreter does. Then the parser ends the unit.
  clang_.getPreprocessor().enableIncrementalProcessing(false);
  if (path == nullptr) {
    clang_.getSema().ActOnEndOfTranslationUnit();
  } else {
    auto file = clang_.getFileManager().getFileRef(path);
    if (!file) {
      llvm::consumeError(file.takeError());
      return false;
    }
    keep_messages();
    read(clang_.getSourceManager().createFileID(*file, clang::SourceLocation(), clang::SrcMgr::C_User));
  }
  for (clang::Decl* declared : clang_.getSema().WeakTopLevelDecls()) {
    generator_->HandleTopLevelDecl(clang::DeclGroupRef(declared));
  }
  return is_flawless();
}

bool Compilation::write_object(const char* path, const std::function<void(const llvm::Module&)>& look) {
  generator_->HandleTranslationUnit(context());
  const std::unique_ptr<llvm::Module> module(is_flawless() ? generator_->ReleaseModule() : nullptr);
  if (!module) {
    return false;
  }
  for (llvm::Function& function : *module) {
    function.setDLLStorageClass(llvm::GlobalValue::DefaultStorageClass);  // library_instances.cc set it
  }
  std::error_code error;
  auto file = std::make_unique<llvm::raw_fd_ostream>(path, error);
  if (error) {
    return false;
  }
  clang::EmitBackendOutput(clang_.getDiagnostics(), clang_.getHeaderSearchOpts(), clang_.getCodeGenOpts(),
                           clang_.getTargetOpts(), clang_.getLangOpts(), clang_.getTarget().getDataLayoutString(),
                           module.get(), clang::Backend_EmitObj, std::move(file));
  if (look) {
    look(*module);
  }
  return is_flawless();
}

}  // namespace plumb
