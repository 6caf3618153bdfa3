#include <clang/AST/RecursiveASTVisitor.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/ADT/StringSet.h>
#include <llvm/Support/raw_ostream.h>

#include "compiler_sandbox/clang_reader/expressions.h"
#include "compiler_sandbox/clang_reader/own_rules.h"

namespace plumb {
namespace {

// By the place of the path among the arguments. std::filesystem's functions are those of "filesystem::".
const llvm::StringMap<unsigned>& checks() {
  static const llvm::StringMap<unsigned> all = {{"access", 0},
                                                {"euidaccess", 0},
                                                {"faccessat", 1},
                                                {"stat", 0},
                                                {"stat64", 0},
                                                {"lstat", 0},
                                                {"filesystem::exists", 0},
                                                {"filesystem::is_regular_file", 0},
                                                {"filesystem::is_directory", 0},
                                                {"filesystem::is_symlink", 0},
                                                {"filesystem::status", 0},
                                                {"filesystem::symlink_status", 0},
                                                {"filesystem::file_size", 0}};
  return all;
}

const llvm::StringMap<unsigned>& uses() {
  static const llvm::StringMap<unsigned> all = {{"open", 0},
                                                {"open64", 0},
                                                {"openat", 1},
                                                {"creat", 0},
                                                {"fopen", 0},
                                                {"fopen64", 0},
                                                {"freopen", 0},
                                                {"remove", 0},
                                                {"unlink", 0},
                                                {"unlinkat", 1},
                                                {"rename", 0},
                                                {"chmod", 0},
                                                {"chown", 0},
                                                {"lchown", 0},
                                                {"truncate", 0},
                                                {"execl", 0},
                                                {"execv", 0},
                                                {"execve", 0},
                                                {"rmdir", 0},
                                                {"filesystem::remove", 0},
                                                {"filesystem::remove_all", 0},
                                                {"filesystem::rename", 0},
                                                {"filesystem::copy_file", 0},
                                                {"filesystem::resize_file", 0},
                                                {"filesystem::permissions", 0}};
  return all;
}

bool is_file_stream(clang::QualType type) {
  const auto* record = type.getCanonicalType()->getAsCXXRecordDecl();
  return record != nullptr && record->isInStdNamespace() && record->getIdentifier() != nullptr &&
         record->getName().startswith("basic_") && record->getName().endswith("fstream");
}

// fopen(path, "wx") and open(path, O_CREAT | O_EXCL) make what was not there, or fail: nothing rests on the check.
bool is_exclusive(const clang::CallExpr& call, const std::string& name, const clang::ASTContext& context) {
  constexpr std::uint64_t kExclusive = 0200;  // O_EXCL on Linux
  const bool opens = name.starts_with("open");
  const unsigned place = name == "openat" ? 2 : 1;
  if (call.getNumArgs() <= place) {
    return false;
  }
  if (const clang::StringLiteral* mode = literal_in(call.getArg(place)); mode != nullptr && name.starts_with("fopen")) {
    return mode->getString().contains('x');
  }
  clang::Expr::EvalResult flags;
  return opens && call.getArg(place)->EvaluateAsInt(flags, context) &&
         (flags.Val.getInt().getZExtValue() & kExclusive) != 0;
}

class PathUses : public clang::RecursiveASTVisitor<PathUses> {
 public:
  PathUses(clang::ASTContext& context, FindingSink& sink) : context_(context), sink_(sink) {}

  // NOLINTBEGIN(readability-identifier-naming): clang's names
  bool VisitCallExpr(clang::CallExpr* call) {
    const std::string name = called_name(*call);
    if (const auto check = checks().find(name); check != checks().end() && check->second < call->getNumArgs()) {
      checked_.insert(path_in(*call->getArg(check->second)));
    } else if (const auto use = uses().find(name); use != uses().end() && use->second < call->getNumArgs()) {
      if (!is_exclusive(*call, name, context_)) {
        used(*call->getArg(use->second), call->getBeginLoc());
      }
    }
    return true;
  }
  bool VisitCXXMemberCallExpr(clang::CXXMemberCallExpr* call) {
    if (call->getMethodDecl() != nullptr && call->getMethodDecl()->getNameAsString() == "open" &&
        call->getNumArgs() > 0 && is_file_stream(call->getImplicitObjectArgument()->getType())) {
      used(*call->getArg(0), call->getExprLoc());
    }
    return true;
  }
  bool VisitCXXConstructExpr(clang::CXXConstructExpr* made) {
    if (made->getNumArgs() > 0 && is_file_stream(made->getType())) {
      used(*made->getArg(0), made->getBeginLoc());
    }
    return true;
  }
  // NOLINTEND

 private:
  // Two expressions with equal texts name the same file.
  std::string path_in(const clang::Expr& argument) {
    const clang::Expr* core = core_of(&argument);
    const auto* call = llvm::dyn_cast<clang::CXXMemberCallExpr>(core);
    while (call != nullptr && call->getMethodDecl() != nullptr && call->getNumArgs() == 0 &&
           conversions().contains(call->getMethodDecl()->getNameAsString())) {
      core = core_of(call->getImplicitObjectArgument());
      call = llvm::dyn_cast<clang::CXXMemberCallExpr>(core);
    }
    std::string text;
    llvm::raw_string_ostream out(text);
    core->printPretty(out, nullptr, context_.getPrintingPolicy());
    return out.str();
  }

  static const llvm::StringSet<>& conversions() {
    static const llvm::StringSet<> all = {"c_str", "data", "string", "native", "path"};
    return all;
  }

  void used(const clang::Expr& argument, clang::SourceLocation where) {
    if (const std::string path = path_in(argument); checked_.contains(path)) {
      sink_.add("check-then-use", where, path + " may be another file than the one that was checked");
    }
  }

  clang::ASTContext& context_;
  FindingSink& sink_;
  llvm::StringSet<> checked_;
};

}  // namespace

void find_check_then_use(clang::ASTContext& context, const clang::FunctionDecl& function, FindingSink& sink) {
  PathUses(context, sink).TraverseStmt(function.getBody());
}

}  // namespace plumb
