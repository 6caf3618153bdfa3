#pragma once
// Takes encoded values (compiler_sandbox/values.h) apart. The bytes may come from a hostile program: whatever they are,
// reading ends, stays within them and recurses 64 deep at most.

#include <string_view>

namespace plumb {

class ValueReader {
 public:
  static constexpr int kMaxDepth = 64;

  explicit ValueReader(std::string_view text) : text_(text) {}

  /// The next value's letter; 0 and failed() at the end or for an unknown one.
  char kind();
  /// What follows an integer's or a float's letter, and an integer's only if it is one.
  std::string_view digits();
  /// The number after a letter of the counted kinds; 0 with failed() where there is none.
  std::size_t count();
  /// `size` bytes; empty with failed() where fewer are left.
  std::string_view bytes(std::size_t size);
  /// Walks over one whole value and yields its text.
  std::string_view skip(int depth = 0);

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return place_ == text_.size(); }
  bool fail();  // always false

 private:
  std::string_view until(char stop);

  std::string_view text_;
  std::size_t place_ = 0;
  bool failed_ = false;
};

/// Whether `digits` are an integer's, in hexadecimal.
bool is_hex_integer(std::string_view digits);

/// The float that `digits` are; false where they are none.
bool read_float(std::string_view digits, double& value);

}  // namespace plumb
