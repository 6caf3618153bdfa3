#pragma once
// Runs C++ references on cases that arrive as text and compares the results: the frame of the program that
// primer_cpp.py writes. A value is a number (floats as hexadecimal), a bool as 0 or 1, a text as its length, a colon
// and its bytes, a list as its length and its elements.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

template <typename T>
struct Reader {
  static T read(std::istream& in) {
    T value{};
    in >> value;
    return value;
  }
};

template <>
struct Reader<double> {
  static double read(std::istream& in) {
    std::string text;
    in >> text;
    return std::strtod(text.c_str(), nullptr);
  }
};

template <>
struct Reader<std::string> {
  static std::string read(std::istream& in) {
    std::size_t length = 0;
    in >> length;
    in.get();
    std::string text(length, '\0');
    in.read(text.data(), static_cast<std::streamsize>(length));
    return text;
  }
};

template <typename T>
struct Reader<std::vector<T>> {
  static std::vector<T> read(std::istream& in) {
    std::size_t length = 0;
    in >> length;
    std::vector<T> values;
    for (std::size_t i = 0; i < length; ++i) {
      values.push_back(Reader<T>::read(in));
    }
    return values;
  }
};

template <typename T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    return a == b || std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b));
  } else {
    return a == b;
  }
}

/// Reads `cases` cases of `function` and prints one line for each that fails, and one when done.
template <typename R, typename... Args>
void check(const char* name, R (*function)(Args...)) {
  int cases = 0;
  std::cin >> cases;
  std::cout << "begin " << name << std::endl;
  for (int i = 0; i < cases; ++i) {
    const std::tuple<std::decay_t<Args>...> args{Reader<std::decay_t<Args>>::read(std::cin)...};
    const R expected = Reader<R>::read(std::cin);
    if (!same<R>(std::apply(function, args), expected)) {
      std::cout << "wrong " << name << " " << i << "\n";
    }
  }
  std::cout << (std::cin ? "done " : "unread ") << name << std::endl;
}
