#pragma once
// Which types a candidate gave the function that is asked for (compiler_sandbox/own_signature.h).

#include <clang/AST/DeclBase.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plumb {

/// {"returns", "parameters"}: C++ types in words, of the first thing called `name` that a call with `arguments`
/// arguments fits: a function, a variable or class that can be called, a method of Solution. What stands at the top
/// level comes before what stands in a namespace. null where there is none, or where one of its types is no type of the
/// standard library's that values can have.
nlohmann::json signature_of(const std::vector<clang::Decl*>& declarations, const std::string& name, unsigned arguments);

}  // namespace plumb
