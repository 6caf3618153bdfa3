#pragma once
// The instances of the library's templates: which they are, and whose task it is to define them.

#include <clang/AST/ASTContext.h>
#include <clang/AST/Decl.h>
#include <llvm/IR/Module.h>

#include <istream>
#include <string>
#include <vector>

namespace plumb {

/// Functions of the standard library that are instances of templates and have a body, in the order of the unit.
class LibraryInstances {
 public:
  /// Of everything that was instantiated in `context` so far.
  static LibraryInstances find(clang::ASTContext& context);

  /// A digest of their names as the linker knows them.
  [[nodiscard]] const std::string& digest() const { return digest_; }
  [[nodiscard]] const std::vector<clang::FunctionDecl*>& all() const { return all_; }

  /// Makes each one that this unit has to define (`here`), or that another one defines.
  void set_defined(bool here) const;
  /// How many instructions each has in `optimized`, and its name, a line for each, in order; 0 for one that is not
  /// there.
  [[nodiscard]] std::string sizes(clang::ASTContext& context, const llvm::Module& optimized) const;
  /// Reads what sizes() wrote. False where it is of other instances.
  bool read_sizes(std::istream& text);
  /// Lets no body of those that are too large for inlining be made, by their sizes. To be called when everything has
  /// been read, for the mark would be seen in constant expressions.
  void leave_out_large(clang::ASTContext& context) const;

 private:
  std::vector<clang::FunctionDecl*> all_;
  std::vector<clang::FunctionDecl*> large_;
  std::string digest_;
};

}  // namespace plumb
