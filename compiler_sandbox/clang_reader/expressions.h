#pragma once
// Small questions about expressions that several rules ask.

#include <clang/AST/ASTContext.h>
#include <clang/AST/Expr.h>

#include <string>

namespace plumb {

/// `expr` without conversions, temporaries and the constructors of one argument that surround what is written.
const clang::Expr* core_of(const clang::Expr* expr);

/// The literal that `expr` is, also as a std::string, a string view or a list of one; null: something else.
const clang::StringLiteral* literal_in(const clang::Expr* expr);

/// The variable, parameter or member that `expr` names; null: something else.
const clang::NamedDecl* named_in(const clang::Expr* expr);

/// "std::filesystem::exists", "std::vector::push_back": without inline namespaces and template arguments.
std::string full_name(const clang::NamedDecl& declaration);

/// The function that is called, by its full name without a leading "std::"; C's functions are the same in both.
std::string called_name(const clang::CallExpr& call);

}  // namespace plumb
