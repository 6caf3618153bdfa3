#pragma once
// What the candidate is made of (compiler_sandbox/structure.h).

#include <clang/AST/ASTContext.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

namespace plumb {

/// The top-level declarations of the candidate's own file; of namespaces and linkage specifications what they hold.
std::vector<clang::Decl*> own_declarations(clang::ASTContext& context);

/// The fields of CodeStructure as JSON; `text` is the candidate, `error_lines` in any order.
nlohmann::json structure_of(clang::ASTContext& context, const std::vector<clang::Decl*>& declarations,
                            std::string_view text, std::vector<int> error_lines);

}  // namespace plumb
