#pragma once
// How a C++ candidate's function is called, whatever it is: a plain function (static, constexpr, extern "C", with a
// deduced result ...), a template, a lambda in a variable, a function object, a method of a class Solution. Before the
// source, which stays as it is, stand the types that are asked for and a declaration of the symbol that the driver
// calls; after it that symbol's definition, which calls the candidate's function as any C++ would. The first part takes
// no macro of the candidate; the second uses names that nobody else has, and takes back macros of its keywords. What a
// candidate could do to it, it could do in its function as well: there is no expected value in that process.

#include <string>
#include <vector>

#include "core/records.h"

namespace plumb {

/// What the name of the asked-for function is in a program.
enum class CppCallee {
  kMethod,     // a method of class Solution, of an object that is made for each call
  kFunction,   // anything at the top level that can be called: name(arguments)
  kInherited,  // the same, known at the top level by way of a namespace: an unnamed one, or a directive's
  kObject,     // a type whose objects can be called: name{}(arguments)
};

/// What `name` may be in `source`, going by its words alone; the likeliest first. Never empty.
std::vector<CppCallee> cpp_callees(const std::string& source, const std::string& name);

/// The text that is compiled. The lines of `source` are those of "solution.cpp". Arguments are variables of the
/// asked-for types, or else what is moved from them; the result has to be of the asked-for type exactly, but that bytes
/// may be a std::string both ways, and a std::string a pointer to its characters.
std::string cpp_unit(const FunctionSignature& function, const std::string& source, CppCallee callee);

/// How the callee was found.
enum class CppCallFault {
  kNone,     // it is not the call that is wrong
  kMisfit,   // there is something of that name, with other arguments or another result
  kAbsent,   // there is nothing of that name
  kUnclear,  // the compiler stumbled over the text around the source
};

/// What a compiler that refused cpp_unit() says, less what it says of our own text. Where that is all, one message
/// takes its place that a person can act on.
CppCallFault explain_call(const FunctionSignature& function, const std::string& source,
                          std::vector<Diagnostic>& diagnostics);

}  // namespace plumb
