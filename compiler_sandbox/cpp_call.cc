#include "compiler_sandbox/cpp_call.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

#include "compiler_sandbox/drivers.h"
#include "core/signature.h"

namespace plumb {

namespace {

constexpr std::string_view kFile = "plumb_call";  // the file that our own lines belong to
constexpr std::string_view kMark = "plumb: ";     // before the words of an assertion of ours
constexpr std::string_view kAbsence = "the program does not define ";

// %R the result's type, %D the declaration in words, %N the name, %A the arguments' types, %S, %B and %T what texts and
// bytes need. The library's traits would take as long to compile as a candidate does.
constexpr const char* kBefore = R"SOURCE(#line 1 "plumb_call"
namespace plumb_call {
using plumb_Result = %R;
struct plumb_Absent {
  template <class... A>
  plumb_Absent operator()(A&&...) const { return {}; }
};
template <class T> struct Value { using type = T; };
template <class T> struct Value<const T> : Value<T> {};
template <class T> struct Value<T&> : Value<T> {};
template <class T> struct Value<T&&> : Value<T> {};
template <class T> inline constexpr bool gives = __is_same(T, plumb_Result);
%S
template <class Call, class... A>
concept takes = requires(A&&... a) { Call::plumb_call(static_cast<A&&>(a)...); };
template <class Call, class R, class... A>
R call(A&&... a) {
  using Got = typename Value<decltype(Call::plumb_call(static_cast<A&&>(a)...))>::type;
  static_assert(!__is_same(Got, plumb_Absent), "plumb: the program does not define %D");
  static_assert(__is_same(Got, plumb_Absent) || gives<Got>, "plumb: %N does not return %R");
  %Bif constexpr (gives<Got>) {
    return Call::plumb_call(static_cast<A&&>(a)...);
  }
}
template <class Call, class... A>
plumb_Result plumb_run(A&... a) {
  if constexpr (takes<Call, A&...>) {
    return call<Call, plumb_Result, A&...>(a...);
  } else if constexpr (takes<Call, A...>) {
    return call<Call, plumb_Result, A...>(static_cast<A&&>(a)...);
  } %Telse {
    static_assert(takes<Call, A&...>, "plumb: %N cannot be called with (%A)");
  }
}
}  // namespace plumb_call
)SOURCE";

// Where the result is a std::string: characters are one, too.
constexpr const char* kCharacters =
    "template <> inline constexpr bool gives<const char*> = true;\n"
    "template <> inline constexpr bool gives<char*> = true;\n";

// Where the result are bytes, and where an argument is of them: a std::string is, too.
constexpr const char* kTextResult = "template <> inline constexpr bool gives<std::string> = true;\n";
constexpr const char* kTextReturned = R"SOURCE(if constexpr (__is_same(Got, std::string)) {
    const Got text = Call::plumb_call(static_cast<A&&>(a)...);
    return R(text.begin(), text.end());
  } else )SOURCE";
constexpr const char* kAsText = R"SOURCE(template <class T>
T& as_text(T& value) { return value; }
inline std::string as_text(std::vector<unsigned char>& value) { return std::string(value.begin(), value.end()); }
)SOURCE";
constexpr const char* kTextPassed = R"SOURCE(else if constexpr (takes<Call, decltype(as_text(a))...>) {
    return call<Call, plumb_Result, decltype(as_text(a))...>(as_text(a)...);
  } )SOURCE";

constexpr const char* kAfter = R"SOURCE(


#line 1 "plumb_call"
#undef auto
#undef constexpr
#undef decltype
#undef inline
#undef namespace
#undef requires
#undef return
#undef static
#undef static_cast
#undef struct
#undef template
#undef typename
#undef using
)SOURCE";

// A name that the program does not have itself is found here, and a name of the library that it asked for with `using
// namespace` is ambiguous.
constexpr const char* kFallback = R"SOURCE(namespace plumb_absent { inline constexpr ::plumb_call::plumb_Absent %N; }
using namespace plumb_absent;
)SOURCE";

constexpr const char* kCall = R"SOURCE(struct plumb_Call {
  template <typename... plumb_A>
  static decltype(auto) plumb_call(plumb_A&&... plumb_a) requires requires { %C(static_cast<plumb_A&&>(plumb_a)...); } {
    return %C(static_cast<plumb_A&&>(plumb_a)...);
  }
};
)SOURCE";

constexpr const char* kMethodCall = R"SOURCE(template <typename plumb_S>
struct plumb_Method {
  template <typename... plumb_A>
  static decltype(auto) plumb_call(plumb_A&&... plumb_a)
      requires requires(plumb_S& plumb_s) { plumb_s.%N(static_cast<plumb_A&&>(plumb_a)...); } {
    plumb_S plumb_s{};
    return plumb_s.%N(static_cast<plumb_A&&>(plumb_a)...);
  }
};
using plumb_Call = plumb_Method<::Solution>;
)SOURCE";

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whether `source` has the word `name` right after one of `before`.
bool has_words(const std::string& source, std::initializer_list<std::string_view> before, const std::string& name) {
  for (std::size_t at = source.find(name); at != std::string::npos; at = source.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const std::size_t gap = at == 0 ? std::string::npos : source.find_last_not_of(" \t\r\n", at - 1);
    if ((end < source.size() && is_word_character(source[end])) || gap == std::string::npos || gap + 1 == at) {
      continue;
    }
    const std::string_view front = std::string_view(source).substr(0, gap + 1);
    const bool follows = std::any_of(before.begin(), before.end(), [&](std::string_view word) {
      return front.ends_with(word) &&
             (front.size() == word.size() || !is_word_character(front[front.size() - word.size() - 1]));
    });
    if (follows) {
      return true;
    }
  }
  return false;
}

// A namespace that the source makes: one followed by a brace, or by a name and a brace.
bool has_own_namespace(const std::string& source) {
  static constexpr std::string_view kWord = "namespace";
  for (std::size_t at = source.find(kWord); at != std::string::npos; at = source.find(kWord, at + 1)) {
    const std::size_t next = source.find_first_of("{;=", at);
    if (next != std::string::npos && source[next] == '{') {
      return true;
    }
  }
  return false;
}

std::string filled_in(std::string text, char letter, const std::string& word) {
  const std::string mark{'%', letter};
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + word.size())) {
    text.replace(at, mark.size(), word);
  }
  return text;
}

std::string in_words(const FunctionSignature& function) {
  const auto of_task = [](const Parameter& parameter) { return is_task_type(parameter.type); };
  const bool plain =
      is_task_type(function.returns) && std::all_of(function.parameters.begin(), function.parameters.end(), of_task);
  return plain ? signature_text(function, Language::kCpp) : function.name;
}

// What stands before the source.
std::string before(const FunctionSignature& function) {
  std::string arguments;
  std::string aliases;
  bool takes_bytes = false;
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    const std::string& type = function.parameters[i].type;
    takes_bytes = takes_bytes || type == "bytes";
    arguments += (i == 0 ? "" : ", ") + cpp_value_type(type);
    aliases += "using plumb_P" + std::to_string(i) + " = " + cpp_passed_type(type) + "; ";
  }
  const bool gives_bytes = function.returns == "bytes";
  const std::string result = cpp_value_type(function.returns);
  std::string specials = gives_bytes ? kTextResult : result == "std::string" ? kCharacters : "";
  specials += takes_bytes ? kAsText : "";
  std::string text = kBefore;
  for (const auto& [letter, words] : std::map<char, std::string>{{'S', specials},
                                                                 {'B', gives_bytes ? kTextReturned : ""},
                                                                 {'T', takes_bytes ? kTextPassed : ""},
                                                                 {'R', result},
                                                                 {'D', in_words(function)},
                                                                 {'A', arguments},
                                                                 {'N', function.name}}) {
    text = filled_in(text, letter, words);
  }
  return text + "namespace plumb_call { " + aliases + "}\n" + cpp_call_declaration(function) +
         " __attribute__((used));\n";
}

// The symbol's definition: types by their names in plumb_call, which no macro of the candidate changes.
std::string definition(const FunctionSignature& function) {
  std::string text = "::plumb_call::plumb_Result " + std::string(kCandidateSymbol) + "(";
  std::string arguments;
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    const std::string number = std::to_string(i);
    text += (i == 0 ? "" : ", ") + ("::plumb_call::plumb_P" + number) + " plumb_" + number;
    arguments += (i == 0 ? "" : ", ") + ("plumb_" + number);
  }
  return text + ") { return ::plumb_call::plumb_run<plumb_Call>(" + arguments + "); }\n";
}

bool is_ours(const Diagnostic& diagnostic) {
  return diagnostic.file.starts_with(kFile) && diagnostic.file.substr(kFile.size()).starts_with(':');
}

bool is_error(const Diagnostic& diagnostic) {
  return diagnostic.severity == "error";
}

int last_line(const std::string& source) {
  const std::size_t end = source.find_last_not_of(" \t\r\n");
  const auto until = source.begin() + static_cast<std::ptrdiff_t>(end == std::string::npos ? 0 : end);
  return 1 + static_cast<int>(std::count(source.begin(), until, '\n'));
}

// Of errors in our own text alone.
Diagnostic in_words_of_the_source(const FunctionSignature& function, const std::string& source,
                                  const std::vector<Diagnostic>& errors, CppCallFault& fault) {
  const auto is_marked = [](const Diagnostic& one) { return one.message.find(kMark) != std::string::npos; };
  const auto ends_early = [](const Diagnostic& one) {
    return one.message.starts_with("expected") && one.message.find('}') != std::string::npos;
  };
  const auto is_lookup = [&](const Diagnostic& one) {
    return one.message.starts_with("no member named '" + function.name) ||
           one.message.starts_with("reference to '" + function.name) ||
           one.message.find(function.name + "’ has not been declared") != std::string::npos ||
           one.message.find(function.name + "’ is ambiguous") != std::string::npos;
  };
  fault = CppCallFault::kUnclear;
  if (std::any_of(errors.begin(), errors.end(), ends_early)) {
    return {"error", "the program breaks off: expected '}'", last_line(source), 0, "solution.cpp"};
  }
  if (const auto marked = std::find_if(errors.begin(), errors.end(), is_marked); marked != errors.end()) {
    const std::string words = marked->message.substr(marked->message.find(kMark) + kMark.size());
    fault = words.starts_with(kAbsence) ? CppCallFault::kAbsent : CppCallFault::kMisfit;
    return {"error", words, 0, 0};
  }
  if (std::any_of(errors.begin(), errors.end(), is_lookup)) {
    fault = CppCallFault::kAbsent;
    return {"error", std::string(kAbsence) + in_words(function), 0, 0};
  }
  return {"error", function.name + " cannot be called: " + errors.front().message, 0, 0};
}

}  // namespace

std::vector<CppCallee> cpp_callees(const std::string& source, const std::string& name) {
  std::vector<CppCallee> callees;
  if (has_words(source, {"class", "struct", "using"}, "Solution")) {
    callees.push_back(CppCallee::kMethod);
  }
  callees.push_back(CppCallee::kFunction);
  if (source.find("namespace") != std::string::npos && has_own_namespace(source)) {
    callees.push_back(CppCallee::kInherited);
  }
  if (has_words(source, {"class", "struct", "using"}, name)) {
    callees.push_back(CppCallee::kObject);
  }
  return callees;
}

std::string cpp_unit(const FunctionSignature& function, const std::string& source, CppCallee callee) {
  std::string after = kAfter;
  if (callee == CppCallee::kMethod) {
    after += kMethodCall;
  } else {
    after += callee == CppCallee::kFunction ? kFallback : "";
    after += filled_in(kCall, 'C', callee == CppCallee::kObject ? "::%N{}" : "::%N");
  }
  // A byte order mark is one at the beginning of a file alone.
  const std::string text = source.starts_with("\xEF\xBB\xBF") ? source.substr(3) : source;
  return before(function) + "#line 1 \"solution.cpp\"\n" + text + filled_in(after, 'N', function.name) +
         definition(function);
}

CppCallFault explain_call(const FunctionSignature& function, const std::string& source,
                          std::vector<Diagnostic>& diagnostics) {
  const auto is_foreign = [](const Diagnostic& one) { return is_error(one) && !is_ours(one); };
  std::vector<Diagnostic> errors;
  std::copy_if(diagnostics.begin(), diagnostics.end(), std::back_inserter(errors),
               [](const Diagnostic& one) { return is_error(one) && is_ours(one); });
  const bool others = std::any_of(diagnostics.begin(), diagnostics.end(), is_foreign);
  std::erase_if(diagnostics, is_ours);
  if (errors.empty() || others) {
    return CppCallFault::kNone;
  }
  CppCallFault fault = CppCallFault::kUnclear;
  diagnostics.insert(diagnostics.begin(), in_words_of_the_source(function, source, errors, fault));
  return fault;
}

}  // namespace plumb
