#pragma once
// Rules of plumb, for what neither the analyzer nor clang-tidy has: CWE-78, 190, 338, 367 and 798.

#include <clang/AST/ASTContext.h>

#include <vector>

#include "compiler_sandbox/clang_reader/finding.h"

namespace plumb {

/// Looks at `declarations`, the candidate's own:
///   hard-coded-secret   (798) a literal given to, or compared with, what is named as a secret
///   predictable-random  (338) rand() or an engine of <random> for what is named as a secret; anything else that they
///                             are good for, simulations and tests above all, is no finding. (clang-tidy's
///                             cert-msc50-cpp and the analyzer's security.insecureAPI.rand report every rand().)
///   check-then-use      (367) access(), stat(), exists() ... of a path that the same function opens, removes ... later
///   shell-command       (78)  system() or popen() of a text that is not written in the program
///   widened-product     (190) a product of two ints that is converted to 64 bits when it has overflowed already
void apply_own_rules(clang::ASTContext& context, const std::vector<clang::Decl*>& declarations, FindingSink& sink);

/// check-then-use in one function.
void find_check_then_use(clang::ASTContext& context, const clang::FunctionDecl& function, FindingSink& sink);

}  // namespace plumb
