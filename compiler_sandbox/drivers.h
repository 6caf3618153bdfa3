#pragma once
// The two drivers that stand between the judge and a candidate inside the sandbox. They turn bytes into arguments and
// results into bytes; they know no expected value and decide nothing. Frames over descriptor 3:
//   judge → driver   <nonce, 16 hex digits> <payload bytes, decimal>\n<payload>           the arguments of one call
//   driver → judge   <nonce><kind> <payload bytes, decimal>\n<payload>
// Kinds: V a value; W a value of no type that can be judged (payload: its type); X an exception, L one while loading
// (payload: type, line, text, separated by \n).

#include <string>
#include <string_view>

#include "core/records.h"

namespace plumb {

/// Python source of the driver; run as `python3 -c <driver> <function name> <parameter count>` beside solution.py. With
/// kAnyFunction as the name a call's arguments are three values: the function's name, a tuple and a dict of arguments.
const std::string& python_driver();
inline constexpr const char* kAnyFunction = "*";

/// Python source of what runs a test suite, where no candidate is. Frames over descriptor 3, without nonces, for
/// nothing hostile runs:
///   judge → driver   first of all S and a tuple of helpers, test code (both bytes) and a list of the functions' names
///   driver → judge   <kind> <payload bytes>\n<payload>: T the number of tests; C a call, as for kAnyFunction; R one
///                    test's result (empty: passed; K type, line, text: the candidate's exception ended it; F: failed,
///                    with the exception's type, line of the tests and text); U the suite cannot be run, with the
///                    reason; E the end (not empty: there are files in the work folder now)
///   judge → driver   the same form, kinds V, W and X as above, in answer to C; N: the candidate ended instead, which
///                    ends this test, and the next call is answered by a fresh run of it; D: no call is answered any
///                    more
const std::string& python_suite_driver();

/// The #include lines of what candidates, and the drivers, may use without including it. After it a candidate's own
/// #include lines cost next to nothing.
const std::string& cpp_prelude();

/// C++ source of the templates by which a driver reads and writes values of its types.
const std::string& cpp_driver_interface();

/// C++ source of what all drivers share: frames, plain values, exceptions, and the start of the program.
const std::string& cpp_driver_runtime();

/// The name that the linker knows the call of a C++ candidate's function by (cpp_call.h).
inline constexpr const char* kCandidateSymbol = "plumb_candidate";

/// Before a C++ type that is not a task type but the candidate's own choice, e.g. "c++:const std::vector<long>&".
inline constexpr std::string_view kOwnCppType = "c++:";

/// Whether `type` is kOwnCppType and then nothing but words and signs that types of the standard library are written
/// with: text that may have come from a candidate is compiled into a driver only if it is that. Not all such texts are
/// types.
bool is_own_cpp_type(std::string_view type);

/// C++ source of the driver of every function with the types of `function`: it calls the symbol plumb_candidate.
std::string cpp_driver(const FunctionSignature& function);

/// The C++ type that an argument of `type` (a task type, or one of kOwnCppType) is held in, or a result returned as: no
/// reference, and no const.
std::string cpp_value_type(const std::string& type);

/// How such an argument is passed to kCandidateSymbol: as a variable, which may be changed. Views are passed by value.
std::string cpp_passed_type(const std::string& type);

/// The declaration of kCandidateSymbol for the types of `function`, without the semicolon.
std::string cpp_call_declaration(const FunctionSignature& function);

}  // namespace plumb
