#pragma once
// GGUF files (versions 2 and 3, little-endian): metadata and tensors. Every count, length and offset is checked against
// the bytes that are there before anything is allocated or read. What the keys mean is formats/gguf_model.h's matter.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/result.h"
#include "formats/dequantize.h"
#include "formats/mapped_file.h"

namespace plumb {

/// A metadata value. Integers of every width and signedness are std::int64_t (a larger uint64 is an error), floats are
/// double; arrays are homogeneous and not nested, booleans in arrays are integers 0 and 1.
using GgufValue = std::variant<std::int64_t, double, bool, std::string, std::vector<std::int64_t>, std::vector<double>,
                               std::vector<std::string>>;

/// Where a tensor lies. `shape` is in row-major order (outermost first): the reverse of the file's.
struct GgufTensor {
  std::string name;
  std::vector<std::int64_t> shape;  // at most 4 dimensions
  GgufType type = GgufType::kF32;
  std::int64_t num_values = 0;
  std::span<const std::byte> blocks;  // views the file's bytes
};

/// A parsed file. Movable; tensors view its bytes. Thread-compatible: const calls from many threads are safe.
class GgufFile {
 public:
  /// Maps and parses `path`. Errors name the file and what was expected and found.
  static Result<GgufFile> open(const std::string& path);
  /// The same over bytes that the caller keeps alive; `name` is for messages.
  static Result<GgufFile> parse(std::span<const std::byte> bytes, const std::string& name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::map<std::string, GgufValue>& metadata() const { return metadata_; }
  [[nodiscard]] const std::vector<GgufTensor>& tensors() const { return tensors_; }

  /// The metadata value under `key` as a T (one of GgufValue's). Errors: absent, or of another type.
  template <typename T>
  [[nodiscard]] Result<T> get(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) {
      return Error{name_ + ": the metadata key " + key + " is missing"};
    }
    if (const T* value = std::get_if<T>(&found->second)) {
      return *value;
    }
    return Error{name_ + ": the metadata key " + key + " has an unexpected type"};
  }
  [[nodiscard]] bool has(const std::string& key) const { return metadata_.contains(key); }

 private:
  GgufFile() = default;

  std::string name_;
  std::optional<MappedFile> file_;
  std::map<std::string, GgufValue> metadata_;
  std::vector<GgufTensor> tensors_;

  friend class GgufParser;
};

}  // namespace plumb
