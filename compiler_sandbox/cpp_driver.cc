#include "compiler_sandbox/drivers.h"
#include "core/signature.h"

namespace plumb {

namespace {

constexpr const char* kPrelude = R"SOURCE(#include <algorithm>
#include <array>
#include <bitset>
#include <cassert>
#include <cctype>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <numeric>
#include <optional>
#include <queue>
#include <set>
#include <sstream>
#include <stack>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>
)SOURCE";

// What the driver of a signature needs of the runtime, and the templates that its types need.
constexpr const char* kInterface = R"SOURCE(
namespace plumb_driver {
struct Input {
  const char* at;
  const char* until(char stop);
};
void parse(Input& in, bool& value);
void parse(Input& in, int& value);
void parse(Input& in, double& value);
void parse(Input& in, std::string& value);
std::size_t parse_count(Input& in);
template <typename T>
void parse(Input& in, std::vector<T>& value) {
  const std::size_t size = parse_count(in);
  for (std::size_t i = 0; i < size; ++i) {
    T item{};
    parse(in, item);
    value.push_back(item);
  }
}
void emit(std::string& out, bool value);
void emit(std::string& out, int value);
void emit(std::string& out, double value);
void emit(std::string& out, const std::string& value);
void emit_count(std::string& out, std::size_t size);
template <typename T>
void emit(std::string& out, const std::vector<T>& value) {
  emit_count(out, value.size());
  for (std::size_t i = 0; i < value.size(); ++i) emit(out, static_cast<const T&>(value[i]));
}
std::string answer(const std::string& payload);
}  // namespace plumb_driver
)SOURCE";

// Everything but types and call. It uses system calls for its frames, so that functions which a candidate defines in
// the place of libc's can at most spoil its own answers. The start code calls __wrap_main (the linker's --wrap=main): a
// main() that a candidate brings along is never called.
constexpr const char* kRuntime = R"SOURCE(
#include <sys/syscall.h>
#include <unistd.h>
namespace plumb_driver {
const char* Input::until(char stop) {
  const char* start = at;
  while (*at != stop) ++at;
  ++at;
  return start;
}
void parse(Input& in, bool& value) { value = *in.at++ == 't'; }
void parse(Input& in, int& value) {
  ++in.at;
  value = static_cast<int>(std::strtoll(in.until(';'), nullptr, 16));
}
void parse(Input& in, double& value) {
  ++in.at;
  value = std::strtod(in.until(';'), nullptr);
}
std::size_t parse_count(Input& in) {
  ++in.at;
  return std::strtoull(in.until(':'), nullptr, 10);
}
void parse(Input& in, std::string& value) {
  const std::size_t size = parse_count(in);
  value.assign(in.at, size);
  in.at += size;
}
void emit(std::string& out, bool value) { out += value ? 't' : 'f'; }
void emit(std::string& out, int value) {
  const long long wide = value;
  const unsigned long long magnitude = static_cast<unsigned long long>(wide < 0 ? -wide : wide);
  char text[32];
  std::snprintf(text, sizeof text, "i%s%llx;", wide < 0 ? "-" : "", magnitude);
  out += text;
}
void emit(std::string& out, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "d%a;", value);
  out += text;
}
void emit(std::string& out, const std::string& value) { out += 's' + std::to_string(value.size()) + ':' + value; }
void emit_count(std::string& out, std::size_t size) { out += 'l' + std::to_string(size) + ':'; }
static void receive(char* data, std::size_t size) {
  while (size > 0) {
    const long got = ::syscall(SYS_read, 3, data, size);
    if (got <= 0) ::syscall(SYS_exit_group, 3);
    data += got;
    size -= static_cast<std::size_t>(got);
  }
}
static void send(const std::string& nonce, char kind, const std::string& payload) {
  std::cout.flush();  // what the candidate printed shows even if this is its last call
  std::fflush(stdout);
  const std::string frame = nonce + kind + ' ' + std::to_string(payload.size()) + '\n' + payload;
  for (std::size_t done = 0; done < frame.size();) {
    const long sent = ::syscall(SYS_write, 3, frame.data() + done, frame.size() - done);
    if (sent <= 0) ::syscall(SYS_exit_group, 3);
    done += static_cast<std::size_t>(sent);
  }
}
}  // namespace plumb_driver
extern "C" int __wrap_main() {
  using namespace plumb_driver;
  for (;;) {
    std::string head;
    for (char c = 0; c != '\n';) {
      receive(&c, 1);
      head += c;
    }
    std::string payload(std::strtoull(head.c_str() + 17, nullptr, 10), '\0');
    receive(payload.data(), payload.size());
    const std::string nonce = head.substr(0, 16);
    try {
      send(nonce, 'V', answer(payload));
    } catch (const std::bad_alloc&) {
      send(nonce, 'X', "std::bad_alloc\n0\nout of memory");
    } catch (const std::exception& error) {
      send(nonce, 'X', "std::exception\n0\n" + std::string(error.what()));
    } catch (...) {
      send(nonce, 'X', "exception\n0\nan exception of another type");
    }
  }
}
)SOURCE";

std::string parameter_type(const std::string& type) {
  const bool by_value = type == "int" || type == "float" || type == "bool";
  return by_value ? cpp_type(type) : "const " + cpp_type(type) + "&";
}

// The declared function under the name `name`, bound to the driver's symbol.
std::string declaration(const FunctionSignature& function, const std::string& name) {
  std::string text = cpp_type(function.returns) + " " + name + "(";
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    text += (i == 0 ? "" : ", ") + parameter_type(function.parameters[i].type);
  }
  return text + ") __asm__(\"" + kCandidateSymbol + "\")";
}

}  // namespace

std::string cpp_declaration(const FunctionSignature& function) {
  // "used" keeps a candidate that is written as inline.
  return declaration(function, function.name) + " __attribute__((used));\n";
}

const std::string& cpp_prelude() {
  static const std::string source = kPrelude;
  return source;
}

const std::string& cpp_driver_runtime() {
  static const std::string source = std::string(kInterface) + kRuntime;
  return source;
}

std::string cpp_driver(const FunctionSignature& function) {
  std::string text = kInterface;
  text += declaration(function, kCandidateSymbol) + ";\n";
  text += "std::string plumb_driver::answer(const std::string& payload) {\n  Input in{payload.c_str()};\n";
  std::string arguments;
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    const std::string name = "a" + std::to_string(i);
    text += "  " + cpp_type(function.parameters[i].type) + " " + name + "{};\n  parse(in, " + name + ");\n";
    arguments += (i == 0 ? "" : ", ") + name;
  }
  text += "  const " + cpp_type(function.returns) + " result = ::" + kCandidateSymbol + "(" + arguments + ");\n";
  return text + "  std::string out;\n  emit(out, result);\n  return out;\n}\n";
}

}  // namespace plumb
