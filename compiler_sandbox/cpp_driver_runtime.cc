// The parts of the drivers that are the same for all types.

#include "compiler_sandbox/drivers.h"

namespace plumb {

namespace {

constexpr const char* kPrelude = R"SOURCE(#include <algorithm>
#include <any>
#include <array>
#include <bit>
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
#include <memory>
#include <numbers>
#include <numeric>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <sstream>
#include <stack>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>
)SOURCE";

// What the driver of a signature needs of the runtime, and the templates that its types need. An argument that its
// parameter cannot hold (too large, of another kind) is a Misfit.
constexpr const char* kInterface = R"SOURCE(
namespace plumb_driver {
struct Misfit {};
struct Input {
  const char* at;
  const char* until(char stop);
};
using Magnitude = unsigned __int128;
struct Integer {
  bool negative;
  Magnitude magnitude;
};
// The widest are no std::is_integral where the compiler's own extensions are off.
template <typename T>
inline constexpr bool is_integer = std::is_integral_v<T> || std::is_same_v<T, __int128> || std::is_same_v<T, Magnitude>;
Integer parse_integer(Input& in);
double parse_float(Input& in);
std::string parse_bytes(Input& in, char kind);
std::size_t parse_count(Input& in, const char* kinds);
inline void parse(Input& in, bool& value) {
  if (*in.at != 't' && *in.at != 'f') throw Misfit();
  value = *in.at++ == 't';
}
inline void parse(Input& in, char& value) {
  const std::string text = parse_bytes(in, 's');
  if (text.size() != 1) throw Misfit();
  value = text[0];
}
inline void parse(Input& in, std::string& value) { value = parse_bytes(in, *in.at == 'b' ? 'b' : 's'); }
inline void parse(Input& in, std::vector<unsigned char>& value);
template <typename T>
std::enable_if_t<is_integer<T>> parse(Input& in, T& value) {
  const Integer number = parse_integer(in);
  constexpr bool is_signed = static_cast<T>(-1) < static_cast<T>(0);
  constexpr Magnitude most = ~Magnitude{0} >> (128 - 8 * sizeof(T) + is_signed);
  const bool fits = number.negative ? is_signed && number.magnitude <= most + 1 : number.magnitude <= most;
  if (!fits) throw Misfit();
  value = static_cast<T>(number.negative ? 0 - number.magnitude : number.magnitude);
}
template <typename T>
std::enable_if_t<std::is_floating_point_v<T>> parse(Input& in, T& value) {
  value = static_cast<T>(parse_float(in));
}
template <typename A, typename B>
void parse(Input& in, std::pair<A, B>& value);
template <typename... T>
void parse(Input& in, std::tuple<T...>& value);
template <typename T>
void parse(Input& in, std::optional<T>& value);
template <typename T, std::size_t N>
void parse(Input& in, std::array<T, N>& value);
template <typename T>
void parse_row(Input& in, T& value);
template <typename T>
void parse(Input& in, std::vector<T>& value) { parse_row(in, value); }
template <typename T>
void parse(Input& in, std::deque<T>& value) { parse_row(in, value); }
template <typename T>
void parse(Input& in, std::list<T>& value) { parse_row(in, value); }
template <typename T, typename Order>
void parse(Input& in, std::set<T, Order>& value) { parse_row(in, value); }
template <typename T, typename Order>
void parse(Input& in, std::multiset<T, Order>& value) { parse_row(in, value); }
template <typename T>
void parse(Input& in, std::unordered_set<T>& value) { parse_row(in, value); }
template <typename M>
void parse_map(Input& in, M& value) {
  const std::size_t size = parse_count(in, "m");
  for (std::size_t i = 0; i < size; ++i) {
    typename M::key_type key{};
    parse(in, key);
    typename M::mapped_type item{};
    parse(in, item);
    value.emplace(std::move(key), std::move(item));
  }
}
template <typename K, typename V, typename Order>
void parse(Input& in, std::map<K, V, Order>& value) { parse_map(in, value); }
template <typename K, typename V>
void parse(Input& in, std::unordered_map<K, V>& value) { parse_map(in, value); }
template <typename T>
void parse_row(Input& in, T& value) {
  const std::size_t size = parse_count(in, "lue");
  for (std::size_t i = 0; i < size; ++i) {
    typename T::value_type item{};
    parse(in, item);
    value.insert(value.end(), std::move(item));
  }
}
template <typename A, typename B>
void parse(Input& in, std::pair<A, B>& value) {
  if (parse_count(in, "lu") != 2) throw Misfit();
  parse(in, value.first);
  parse(in, value.second);
}
template <typename... T>
void parse(Input& in, std::tuple<T...>& value) {
  if (parse_count(in, "lu") != sizeof...(T)) throw Misfit();
  std::apply([&](T&... item) { (parse(in, item), ...); }, value);
}
template <typename T>
void parse(Input& in, std::optional<T>& value) {
  if (*in.at == 'n') {
    ++in.at;
    return;
  }
  T item{};
  parse(in, item);
  value = std::move(item);
}
template <typename T, std::size_t N>
void parse(Input& in, std::array<T, N>& value) {
  if (parse_count(in, "lu") != N) throw Misfit();
  for (T& item : value) parse(in, item);
}
inline void parse(Input& in, std::vector<unsigned char>& value) {
  if (*in.at != 'b' && *in.at != 's') return parse_row(in, value);
  const std::string bytes = parse_bytes(in, *in.at);
  value.assign(bytes.begin(), bytes.end());
}
// What is parsed for a parameter of type T, and how it is passed.
template <typename T>
struct Holder {
  T value{};
  T& get() { return value; }
};
template <>
struct Holder<const char*> {
  std::string value;
  const char* get() { return value.c_str(); }
};
template <>
struct Holder<std::string_view> {
  std::string value;
  std::string_view get() { return value; }
};

void emit_integer(std::string& out, bool negative, Magnitude magnitude);
void emit_float(std::string& out, char kind, double value);
void emit_bytes(std::string& out, char kind, const char* data, std::size_t size);
void emit_count(std::string& out, char kind, std::size_t size);
inline void emit(std::string& out, bool value) { out += value ? 't' : 'f'; }
inline void emit(std::string& out, char value) { emit_bytes(out, 's', &value, 1); }
inline void emit(std::string& out, float value) { emit_float(out, 'g', value); }
inline void emit(std::string& out, double value) { emit_float(out, 'd', value); }
inline void emit(std::string& out, long double value) { emit_float(out, 'd', static_cast<double>(value)); }
inline void emit(std::string& out, const std::string& value) { emit_bytes(out, 's', value.data(), value.size()); }
inline void emit(std::string& out, std::string_view value) { emit_bytes(out, 's', value.data(), value.size()); }
inline void emit(std::string& out, const char* value) {
  value == nullptr ? static_cast<void>(out += 'n') : emit_bytes(out, 's', value, std::strlen(value));
}
inline void emit(std::string& out, const std::vector<unsigned char>& value) {
  emit_bytes(out, 'b', reinterpret_cast<const char*>(value.data()), value.size());
}
template <typename T>
std::enable_if_t<is_integer<T>> emit(std::string& out, T value) {
  const bool negative = value < 0;
  const Magnitude bits = static_cast<Magnitude>(value);
  emit_integer(out, negative, negative ? 0 - bits : bits);
}
template <typename A, typename B>
void emit(std::string& out, const std::pair<A, B>& value);
template <typename... T>
void emit(std::string& out, const std::tuple<T...>& value);
template <typename T>
void emit(std::string& out, const std::optional<T>& value);
template <typename T>
void emit_row(std::string& out, char kind, const T& value);
template <typename T>
void emit(std::string& out, const std::vector<T>& value) { emit_row(out, 'l', value); }
template <typename T, std::size_t N>
void emit(std::string& out, const std::array<T, N>& value) { emit_row(out, 'l', value); }
template <typename T>
void emit(std::string& out, const std::deque<T>& value) { emit_row(out, 'l', value); }
template <typename T>
void emit(std::string& out, const std::list<T>& value) { emit_row(out, 'l', value); }
template <typename T, typename Order>
void emit(std::string& out, const std::set<T, Order>& value) { emit_row(out, 'e', value); }
template <typename T, typename Order>
void emit(std::string& out, const std::multiset<T, Order>& value) { emit_row(out, 'l', value); }
template <typename T>
void emit(std::string& out, const std::unordered_set<T>& value) { emit_row(out, 'e', value); }
template <typename M>
void emit_map(std::string& out, const M& value) {
  emit_count(out, 'm', value.size());
  for (const auto& item : value) {
    emit(out, item.first);
    emit(out, item.second);
  }
}
template <typename K, typename V, typename Order>
void emit(std::string& out, const std::map<K, V, Order>& value) { emit_map(out, value); }
template <typename K, typename V>
void emit(std::string& out, const std::unordered_map<K, V>& value) { emit_map(out, value); }
template <typename T>
void emit_row(std::string& out, char kind, const T& value) {
  emit_count(out, kind, value.size());
  for (auto item = value.begin(); item != value.end(); ++item) {
    emit(out, static_cast<const typename T::value_type&>(*item));
  }
}
template <typename A, typename B>
void emit(std::string& out, const std::pair<A, B>& value) {
  emit_count(out, 'u', 2);
  emit(out, value.first);
  emit(out, value.second);
}
template <typename... T>
void emit(std::string& out, const std::tuple<T...>& value) {
  emit_count(out, 'u', sizeof...(T));
  std::apply([&](const T&... item) { (emit(out, item), ...); }, value);
}
template <typename T>
void emit(std::string& out, const std::optional<T>& value) {
  value ? emit(out, *value) : static_cast<void>(out += 'n');
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
Integer parse_integer(Input& in) {
  if (*in.at++ != 'i') throw Misfit();
  const char* digits = in.until(';');
  const bool negative = *digits == '-';
  if (in.at - digits - 1 - negative > 32) throw Misfit();  // more than 128 bits
  Magnitude magnitude = 0;
  for (const char* digit = digits + negative; *digit != ';'; ++digit) {
    magnitude = magnitude * 16 + static_cast<unsigned>(*digit <= '9' ? *digit - '0' : *digit - 'a' + 10);
  }
  return {negative, magnitude};
}
double parse_float(Input& in) {
  if (*in.at == 'i') {
    const Integer number = parse_integer(in);
    return number.negative ? -static_cast<double>(number.magnitude) : static_cast<double>(number.magnitude);
  }
  if (*in.at++ != 'd') throw Misfit();
  return std::strtod(in.until(';'), nullptr);
}
std::size_t parse_count(Input& in, const char* kinds) {
  if (*in.at == '\0' || std::strchr(kinds, *in.at) == nullptr) throw Misfit();
  ++in.at;
  return std::strtoull(in.until(':'), nullptr, 10);
}
std::string parse_bytes(Input& in, char kind) {
  const char kinds[] = {kind, '\0'};
  const std::size_t size = parse_count(in, kinds);
  const char* start = in.at;
  in.at += size;
  return std::string(start, size);
}
void emit_integer(std::string& out, bool negative, Magnitude magnitude) {
  char text[64];
  const unsigned long long high = static_cast<unsigned long long>(magnitude >> 64);
  const unsigned long long low = static_cast<unsigned long long>(magnitude);
  const char* sign = negative ? "-" : "";
  high == 0 ? std::snprintf(text, sizeof text, "i%s%llx;", sign, low)
            : std::snprintf(text, sizeof text, "i%s%llx%016llx;", sign, high, low);
  out += text;
}
void emit_float(std::string& out, char kind, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%c%a;", kind, value);
  out += text;
}
void emit_bytes(std::string& out, char kind, const char* data, std::size_t size) {
  emit_count(out, kind, size);
  out.append(data, size);
}
void emit_count(std::string& out, char kind, std::size_t size) { out += kind + std::to_string(size) + ':'; }
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
    } catch (const Misfit&) {
      send(nonce, 'X', "argument\n0\nan argument does not fit the type of its parameter");
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

}  // namespace

const std::string& cpp_prelude() {
  static const std::string source = kPrelude;
  return source;
}

const std::string& cpp_driver_interface() {
  static const std::string source = kInterface;
  return source;
}

const std::string& cpp_driver_runtime() {
  static const std::string source = std::string(kInterface) + kRuntime;
  return source;
}

}  // namespace plumb
