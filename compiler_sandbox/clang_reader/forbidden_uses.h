#pragma once
// Names that a task forbids, where the candidate uses them: by what names mean, not by what the text looks like.

#include <clang/AST/ASTContext.h>

#include <string>
#include <vector>

#include "compiler_sandbox/clang_reader/finding.h"

namespace plumb {

/// One finding "forbidden-api" for each use. A name is a full one ("std::sort", "std::regex",
/// "std::vector::push_back"); C's functions have one with and one without "std::", which are the same. A name without
/// "::" means whatever is called so outside of the candidate.
void find_forbidden(clang::ASTContext& context, const std::vector<clang::Decl*>& declarations,
                    const std::vector<std::string>& names, FindingSink& sink);

}  // namespace plumb
