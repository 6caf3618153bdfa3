#pragma once
// One run of clang, driven from outside so that it can stop between the standard library and what uses it.

#include <clang/CodeGen/ModuleBuilder.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Parse/Parser.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/Support/raw_ostream.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace plumb {

/// A translation unit that is read in pieces. What it has to say about them is whether there is something, and of the
/// last the words.
class Compilation {
 public:
  /// From the command line of clang++. False where it cannot be understood.
  bool start(const std::vector<const char*>& arguments);
  /// Reads `text`, a piece of our own that is no file. False where it is not flawless C++.
  bool read_text(const std::string& text, const char* name);
  /// Makes everything that what was read so far asks for of templates.
  void instantiate();
  /// Ends reading, with a file (null: with what was read). What the unit defines is complete from here on. False where
  /// the file cannot be read, or as above.
  bool read_last(const char* path);
  /// Makes the code of everything that must be defined, and writes it as an object; `look` sees it once it has been
  /// optimised. False as above, or where the file cannot be opened; where it cannot be written, LLVM's handler of
  /// fatal errors is called.
  bool write_object(const char* path, const std::function<void(const llvm::Module&)>& look = nullptr);

  /// What clang said of the file that was read last, in the form of cpp_compiler.cc's command lines.
  [[nodiscard]] const std::string& messages() const { return messages_; }

  [[nodiscard]] clang::ASTContext& context() { return clang_.getASTContext(); }
  /// Has the code of `function` made in any case.
  void define(clang::FunctionDecl* function) { generator_->HandleTopLevelDecl(clang::DeclGroupRef(function)); }

 private:
  bool read(clang::FileID file);
  void keep_messages();
  [[nodiscard]] bool is_flawless() const;

  std::string messages_;
  llvm::raw_string_ostream message_stream_{messages_};
  llvm::LLVMContext llvm_;  // outlives what clang makes in it
  bool refused_ = false;    // by LLVM
  clang::CompilerInstance clang_;
  clang::CodeGenerator* generator_ = nullptr;  // clang_'s
  std::unique_ptr<clang::Parser> parser_;
};

}  // namespace plumb
