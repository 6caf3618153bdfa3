#pragma once
// What passes between a maths worker and whoever asks it: frames of a 4-byte length and so many bytes, native byte
// order (both ends run on one machine). Header only: both programs include it.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace plumb::math {

inline constexpr std::uint32_t kMaxFrameBytes = std::uint32_t{1} << 28;

class FrameWriter {
 public:
  template <typename T>
  void number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
  }
  /// Writes the frame; false if the other end is gone.
  [[nodiscard]] bool send(int fd) const;
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads what a FrameWriter wrote. After the end, or a length beyond it, everything is empty and ok() is false.
class FrameReader {
 public:
  explicit FrameReader(std::string_view bytes) : rest_(bytes) {}
  template <typename T>
  T number() {
    T value{};
    if (rest_.size() < sizeof(T)) {
      ok_ = false;
      rest_ = {};
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string_view text() {
    const auto size = number<std::uint32_t>();
    ok_ = ok_ && size <= rest_.size();
    const std::string_view value = ok_ ? rest_.substr(0, size) : std::string_view();
    rest_.remove_prefix(ok_ ? size : rest_.size());
    return value;
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// Writes all of `bytes`; false if the other end is gone.
bool write_all(int fd, std::string_view bytes);
/// Waits for a frame, at most `timeout_ms` (-1: for ever) for each part of it. Nothing at the end or after the time.
std::optional<std::string> receive_frame(int fd, int timeout_ms);

}  // namespace plumb::math
