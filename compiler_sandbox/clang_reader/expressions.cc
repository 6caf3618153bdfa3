#include "compiler_sandbox/clang_reader/expressions.h"

#include <clang/AST/DeclCXX.h>
#include <clang/AST/ExprCXX.h>

namespace plumb {

const clang::Expr* core_of(const clang::Expr* expr) {
  while (expr != nullptr) {
    const clang::Expr* inner = expr->IgnoreUnlessSpelledInSource()->IgnoreParenCasts();
    if (const auto* made = llvm::dyn_cast<clang::CXXConstructExpr>(inner); made != nullptr && made->getNumArgs() > 0) {
      inner = made->getArg(0);
    } else if (const auto* list = llvm::dyn_cast<clang::InitListExpr>(inner);
               list != nullptr && list->getNumInits() == 1) {
      inner = list->getInit(0);
    } else if (const auto* suffixed = llvm::dyn_cast<clang::UserDefinedLiteral>(inner);  // "..."s
               suffixed != nullptr && suffixed->getNumArgs() > 0) {
      inner = suffixed->getArg(0);
    }
    if (inner == expr) {
      return expr;
    }
    expr = inner;
  }
  return nullptr;
}

const clang::StringLiteral* literal_in(const clang::Expr* expr) {
  return llvm::dyn_cast_or_null<clang::StringLiteral>(core_of(expr));
}

const clang::NamedDecl* named_in(const clang::Expr* expr) {
  const clang::Expr* core = core_of(expr);
  if (const auto* name = llvm::dyn_cast_or_null<clang::DeclRefExpr>(core)) {
    return name->getDecl();
  }
  if (const auto* element = llvm::dyn_cast_or_null<clang::ArraySubscriptExpr>(core)) {
    return named_in(element->getBase());
  }
  const auto* member = llvm::dyn_cast_or_null<clang::MemberExpr>(core);
  return member != nullptr ? member->getMemberDecl() : nullptr;
}

std::string full_name(const clang::NamedDecl& declaration) {
  std::string name = declaration.getNameAsString();
  for (const clang::DeclContext* scope = declaration.getDeclContext(); scope != nullptr; scope = scope->getParent()) {
    const auto* named = llvm::dyn_cast<clang::NamedDecl>(scope);
    if (named != nullptr && !scope->isTransparentContext() && !scope->isInlineNamespace() &&
        !scope->isFunctionOrMethod() && !named->getNameAsString().empty()) {
      name = named->getNameAsString() + "::" + name;
    }
  }
  return name;
}

std::string called_name(const clang::CallExpr& call) {
  const auto* function = llvm::dyn_cast_or_null<clang::NamedDecl>(call.getCalleeDecl());
  std::string name = function != nullptr ? full_name(*function) : "";
  return name.starts_with("std::") ? name.substr(5) : name;
}

}  // namespace plumb
