#include "compiler_sandbox/value_reader.h"

#include <charconv>
#include <cstdlib>
#include <string>

namespace plumb {

namespace {
constexpr std::size_t kMaxFloatText = 64;
}

char ValueReader::kind() {
  const char letter = !failed_ && place_ < text_.size() ? text_[place_++] : '\0';
  if (std::string_view("ntfidgsbluem").find(letter) == std::string_view::npos || letter == '\0') {
    fail();
    return '\0';
  }
  return letter;
}

std::string_view ValueReader::digits() {
  return until(';');
}

std::size_t ValueReader::count() {
  const std::string_view text = until(':');
  std::size_t size = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || result.ptr != text.data() + text.size() || result.ec != std::errc()) {
    fail();
    return 0;
  }
  return size;
}

std::string_view ValueReader::bytes(std::size_t size) {
  if (failed_ || size > text_.size() - place_) {
    fail();
    return {};
  }
  const std::string_view part = text_.substr(place_, size);
  place_ += size;
  return part;
}

std::string_view ValueReader::skip(int depth) {
  const std::size_t start = place_;
  const char letter = depth < kMaxDepth ? kind() : '\0';
  double ignored = 0;
  switch (letter) {
    case 'n':
    case 't':
    case 'f':
      break;
    case 'i':
      failed_ = failed_ || !is_hex_integer(digits());
      break;
    case 'd':
    case 'g':
      failed_ = failed_ || !read_float(digits(), ignored);
      break;
    case 's':
    case 'b':
      bytes(count());
      break;
    case 'l':
    case 'u':
    case 'e':
    case 'm': {
      const std::size_t size = count();
      for (std::size_t i = 0; i < size && !failed_; ++i) {
        skip(depth + 1);
        if (letter == 'm') {
          skip(depth + 1);
        }
      }
      break;
    }
    default:
      fail();
  }
  return failed_ ? std::string_view() : text_.substr(start, place_ - start);
}

bool ValueReader::fail() {
  failed_ = true;
  return false;
}

std::string_view ValueReader::until(char stop) {
  const std::size_t end = failed_ ? std::string_view::npos : text_.find(stop, place_);
  if (end == std::string_view::npos) {
    fail();
    return {};
  }
  const std::string_view part = text_.substr(place_, end - place_);
  place_ = end + 1;
  return part;
}

bool is_hex_integer(std::string_view digits) {
  return !digits.empty() && digits.find_first_not_of("-0123456789abcdef") == std::string_view::npos;
}

bool read_float(std::string_view digits, double& value) {
  const std::string text(digits.substr(0, kMaxFloatText + 1));
  char* end = nullptr;
  value = std::strtod(text.c_str(), &end);
  return !text.empty() && text.size() <= kMaxFloatText && end == text.c_str() + text.size();
}

}  // namespace plumb
