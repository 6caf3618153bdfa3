#pragma once
// A GGUF file's metadata as bytes, entry by entry.

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace plumb {

template <typename T>
void append(std::string& bytes, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(static_cast<const char*>(static_cast<const void*>(&value)), sizeof(T));
}

inline void append_text(std::string& bytes, std::string_view text) {
  append<std::uint64_t>(bytes, text.size());
  bytes.append(text);
}

class GgufMetadata {
 public:
  void number(const std::string& key, std::int64_t value) {
    start(key, kUint32);
    append(bytes_, static_cast<std::uint32_t>(value));
  }
  void real(const std::string& key, float value) {
    start(key, kFloat32);
    append(bytes_, value);
  }
  void flag(const std::string& key, bool value) {
    start(key, kBool);
    append<std::uint8_t>(bytes_, value ? 1 : 0);
  }
  void text(const std::string& key, std::string_view value) {
    start(key, kString);
    append_text(bytes_, value);
  }
  void texts(const std::string& key, const std::vector<std::string>& values) {
    array(key, kString, values.size());
    for (const std::string& value : values) {
      append_text(bytes_, value);
    }
  }
  void integers(const std::string& key, const std::vector<std::int32_t>& values) {
    array(key, kInt32, values.size());
    for (const std::int32_t value : values) {
      append(bytes_, value);
    }
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  // The numbers of value types in the file.
  static constexpr std::uint32_t kUint32 = 4;
  static constexpr std::uint32_t kInt32 = 5;
  static constexpr std::uint32_t kFloat32 = 6;
  static constexpr std::uint32_t kBool = 7;
  static constexpr std::uint32_t kString = 8;
  static constexpr std::uint32_t kArray = 9;

  void start(const std::string& key, std::uint32_t type) {
    append_text(bytes_, key);
    append(bytes_, type);
    ++count_;
  }
  void array(const std::string& key, std::uint32_t type, std::size_t size) {
    start(key, kArray);
    append(bytes_, type);
    append<std::uint64_t>(bytes_, size);
  }

  std::string bytes_;
  std::uint64_t count_ = 0;
};

}  // namespace plumb
