#pragma once
// safetensors files: named tensors behind a JSON header. The header is checked against the bytes that are there (sizes,
// order, overlaps, gaps) before any tensor is read.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "formats/mapped_file.h"
#include "formats/model_folder.h"

namespace plumb {

/// Where a tensor lies.
struct SafetensorsEntry {
  std::string dtype;  // as in the file: "F32", "BF16", "I64", ...
  std::vector<std::int64_t> shape;
  std::int64_t num_values = 0;
  std::span<const std::byte> bytes;  // views the file's bytes
};

/// A parsed file. Movable; entries view its bytes. Const calls from many threads are safe.
class SafetensorsFile {
 public:
  /// Maps and parses `path`. Errors name the file and the tensor.
  static Result<SafetensorsFile> open(const std::string& path);
  /// The same over bytes that the caller keeps alive; `name` is for messages.
  static Result<SafetensorsFile> parse(std::span<const std::byte> bytes, const std::string& name);

  [[nodiscard]] const std::map<std::string, SafetensorsEntry>& entries() const { return entries_; }

  /// The tensor as f32, from F32, F16 or BF16. Errors: no such tensor, another dtype.
  [[nodiscard]] Result<SourceTensor> read(const std::string& tensor_name) const;

 private:
  SafetensorsFile() = default;
  Result<void> load(std::span<const std::byte> bytes);

  std::string name_;
  std::optional<MappedFile> file_;
  std::map<std::string, SafetensorsEntry> entries_;
};

/// Writes `tensors` to `path`, aside and renamed. Errors: two tensors of one name, values that do not fill their shape,
/// a full disk.
Result<void> write_safetensors(const std::string& path, std::span<const TensorView> tensors, SafetensorsDtype dtype);

}  // namespace plumb
