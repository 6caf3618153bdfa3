#include "compiler_sandbox/drivers.h"
#include "core/signature.h"

namespace plumb {

namespace {

// Everything but the call itself. It uses system calls for its frames, so that functions which a candidate defines in
// the place of libc's can at most spoil its own answers.
constexpr const char* kPrelude = R"SOURCE(
#include <sys/syscall.h>
#include <unistd.h>
namespace plumb_driver {
struct Input {
  const char* at;
  const char* until(char stop) {
    const char* start = at;
    while (*at != stop) ++at;
    ++at;
    return start;
  }
};
inline void parse(Input& in, bool& value) {
  value = *in.at++ == 't';
}
inline void parse(Input& in, int& value) {
  ++in.at;
  value = static_cast<int>(std::strtoll(in.until(';'), nullptr, 16));
}
inline void parse(Input& in, double& value) {
  ++in.at;
  value = std::strtod(in.until(';'), nullptr);
}
inline std::size_t parse_count(Input& in) {
  ++in.at;
  return std::strtoull(in.until(':'), nullptr, 10);
}
inline void parse(Input& in, std::string& value) {
  const std::size_t size = parse_count(in);
  value.assign(in.at, size);
  in.at += size;
}
template <typename T>
void parse(Input& in, std::vector<T>& value) {
  const std::size_t size = parse_count(in);
  for (std::size_t i = 0; i < size; ++i) {
    T item{};
    parse(in, item);
    value.push_back(item);
  }
}
inline void emit(std::string& out, bool value) {
  out += value ? 't' : 'f';
}
inline void emit(std::string& out, int value) {
  const long long wide = value;
  char text[32];
  std::snprintf(text, sizeof text, "i%s%llx;", wide < 0 ? "-" : "",
                static_cast<unsigned long long>(wide < 0 ? -wide : wide));
  out += text;
}
inline void emit(std::string& out, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "d%a;", value);
  out += text;
}
inline void emit(std::string& out, const std::string& value) {
  out += 's' + std::to_string(value.size()) + ':' + value;
}
template <typename T>
void emit(std::string& out, const std::vector<T>& value) {
  out += 'l' + std::to_string(value.size()) + ':';
  for (std::size_t i = 0; i < value.size(); ++i) emit(out, static_cast<const T&>(value[i]));
}
inline void receive(char* data, std::size_t size) {
  while (size > 0) {
    const long got = ::syscall(SYS_read, 3, data, size);
    if (got <= 0) ::syscall(SYS_exit_group, 3);
    data += got;
    size -= static_cast<std::size_t>(got);
  }
}
inline void send(const std::string& nonce, char kind, const std::string& payload) {
  const std::string frame = nonce + kind + ' ' + std::to_string(payload.size()) + '\n' + payload;
  for (std::size_t done = 0; done < frame.size();) {
    const long sent = ::syscall(SYS_write, 3, frame.data() + done, frame.size() - done);
    if (sent <= 0) ::syscall(SYS_exit_group, 3);
    done += static_cast<std::size_t>(sent);
  }
}
void answer(const std::string& nonce, const std::string& payload);
inline void serve() {
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
      answer(nonce, payload);
    } catch (const std::bad_alloc&) {
      send(nonce, 'X', "std::bad_alloc\n0\nout of memory");
    } catch (const std::exception& error) {
      send(nonce, 'X', "std::exception\n0\n" + std::string(error.what()));
    } catch (...) {
      send(nonce, 'X', "exception\n0\nan exception of another type");
    }
  }
}
}  // namespace plumb_driver
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
  return text + ") __asm__(\"plumb_candidate\")";
}

}  // namespace

std::string cpp_declaration(const FunctionSignature& function) {
  // "used" keeps a candidate that is written as inline.
  return declaration(function, function.name) + " __attribute__((used));\n";
}

std::string cpp_driver(const FunctionSignature& function) {
  std::string text = kPrelude;
  text += declaration(function, "plumb_candidate") + ";\n";
  text +=
      "void plumb_driver::answer(const std::string& nonce, const std::string& payload) {\n  Input "
      "in{payload.c_str()};\n";
  std::string arguments;
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    const std::string name = "a" + std::to_string(i);
    text += "  " + cpp_type(function.parameters[i].type) + " " + name + "{};\n  parse(in, " + name + ");\n";
    arguments += (i == 0 ? "" : ", ") + name;
  }
  text += "  const " + cpp_type(function.returns) + " result = ::plumb_candidate(" + arguments + ");\n";
  text += "  std::string out;\n  emit(out, result);\n  send(nonce, 'V', out);\n}\n";
  // Linked with --wrap=main: the start code calls this, and a main() that a candidate brings along is never called.
  return text + "extern \"C\" int __wrap_main() { plumb_driver::serve(); return 0; }\n";
}

}  // namespace plumb
