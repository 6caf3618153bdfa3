#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <set>
#include <system_error>

#include "compiler_sandbox/drivers.h"
#include "core/signature.h"

namespace plumb {

namespace {

// A driver is compiled for a candidate's own types, so what that costs is bounded: names of nested containers grow by a
// factor a level, and an array's elements are each initialised.
constexpr std::size_t kMaxOwnType = 500;
constexpr int kMaxOwnNesting = 5;
constexpr std::uint64_t kMaxOwnArrays = 4096;  // extents of all arrays multiplied

bool is_own_type(const std::string& type) {
  return type.starts_with(kOwnCppType);
}

// Without the reference, and without the const of what is a value.
std::string plain(std::string type) {
  type.resize(type.find_last_not_of("& ") + 1);
  constexpr std::string_view kConst = "const ";
  return type.starts_with(kConst) && !type.ends_with('*') ? type.substr(kConst.size()) : type;
}

// A view, whose text lies elsewhere, is passed as it is.
bool is_view(const std::string& type) {
  return type.ends_with('*') || type == "std::string_view";
}

}  // namespace

std::string cpp_value_type(const std::string& type) {
  return is_own_type(type) ? plain(type.substr(kOwnCppType.size())) : cpp_type(type);
}

std::string cpp_passed_type(const std::string& type) {
  const std::string value = cpp_value_type(type);
  return is_view(value) ? value : value + "&";
}

std::string cpp_call_declaration(const FunctionSignature& function) {
  std::string text = cpp_value_type(function.returns) + " " + kCandidateSymbol + "(";
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    text += (i == 0 ? "" : ", ") + cpp_passed_type(function.parameters[i].type);
  }
  return text + ") __asm__(\"" + kCandidateSymbol + "\")";
}

std::string cpp_driver(const FunctionSignature& function) {
  std::string text = cpp_driver_interface();
  text += cpp_call_declaration(function) + ";\n";
  text += "std::string plumb_driver::answer(const std::string& payload) {\n  Input in{payload.c_str()};\n";
  std::string arguments;
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    const std::string name = "a" + std::to_string(i);
    text += "  Holder<" + cpp_value_type(function.parameters[i].type) + "> " + name + ";\n  parse(in, " + name +
            ".value);\n";
    arguments += (i == 0 ? "" : ", ") + name + ".get()";
  }
  text += "  (void)in;\n";
  const std::string call = std::string("::") + kCandidateSymbol + "(" + arguments + ");\n";
  text += cpp_value_type(function.returns) == "void"
              ? "  " + call + "  return \"n\";\n}\n"
              : "  auto&& result = " + call + "  std::string out;\n  emit(out, result);\n  return out;\n}\n";
  return text;
}

bool is_own_cpp_type(std::string_view type) {
  if (!type.starts_with(kOwnCppType) || type.size() > kMaxOwnType) {
    return false;
  }
  static const std::set<std::string, std::less<>> words = {"const",
                                                           "void",
                                                           "bool",
                                                           "char",
                                                           "signed",
                                                           "unsigned",
                                                           "short",
                                                           "int",
                                                           "__int128",
                                                           "long",
                                                           "float",
                                                           "double",
                                                           "std::string",
                                                           "std::vector",
                                                           "std::pair",
                                                           "std::tuple",
                                                           "std::map",
                                                           "std::set",
                                                           "std::optional",
                                                           "std::deque",
                                                           "std::list",
                                                           "std::array",
                                                           "std::string_view",
                                                           "std::unordered_map",
                                                           "std::unordered_set",
                                                           "std::multiset",
                                                           "std::less",
                                                           "std::greater"};
  std::string_view rest = type.substr(kOwnCppType.size());
  int nesting = 0;
  std::uint64_t elements = 1;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(" <>,&*"), rest.size());
    const std::string_view word = rest.substr(0, end);
    std::uint64_t extent = 1;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), extent);
    const bool number = read.ec == std::errc() && read.ptr == word.data() + word.size();
    if (!word.empty() && !number && !words.contains(word)) {
      return false;
    }
    nesting += end == rest.size() ? 0 : rest[end] == '<' ? 1 : rest[end] == '>' ? -1 : 0;
    if (nesting > kMaxOwnNesting || extent > kMaxOwnArrays ||
        (elements *= std::max<std::uint64_t>(extent, 1)) > kMaxOwnArrays) {
      return false;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return true;
}

}  // namespace plumb
