#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/atomic_file.h"
#include "core/lent_values.h"
#include "formats/half.h"
#include "formats/safetensors.h"

namespace plumb {
namespace {

using nlohmann::json;

constexpr std::size_t kChunk = 1 << 16;  // values converted at a time

std::size_t value_bytes(SafetensorsDtype dtype) {
  return dtype == SafetensorsDtype::kF32 ? 4 : 2;
}

Result<std::string> header_text(std::span<const TensorView> tensors, SafetensorsDtype dtype) {
  json header = {{"__metadata__", {{"format", "pt"}}}};  // transformers asks for it
  std::size_t offset = 0;
  for (const TensorView& tensor : tensors) {
    std::size_t count = 1;
    for (const std::int64_t dim : tensor.shape) {
      count *= static_cast<std::size_t>(dim);
    }
    if (count != tensor.values.size()) {
      return Error{"the tensor " + tensor.name + " has " + std::to_string(tensor.values.size()) +
                   " values, but its shape holds " + std::to_string(count)};
    }
    if (header.contains(tensor.name)) {
      return Error{"the tensor " + tensor.name + " is given twice"};
    }
    const std::size_t end = offset + count * value_bytes(dtype);
    header[tensor.name] = {{"dtype", dtype == SafetensorsDtype::kF32 ? "F32" : "BF16"},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that tensors are aligned
  return text;
}

Result<void> write_values(AtomicFile& file, std::span<const float> values, SafetensorsDtype dtype) {
  if (dtype == SafetensorsDtype::kF32) {
    return file.write(std::as_bytes(values));
  }
  std::vector<std::uint16_t> rounded;
  while (!values.empty()) {
    const std::size_t count = std::min(values.size(), kChunk);
    rounded.resize(count);
    std::transform(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count), rounded.begin(),
                   float_to_bfloat16);
    PLUMB_TRY(file.write(std::as_bytes(std::span<const std::uint16_t>(rounded))));
    values = values.subspan(count);
  }
  return {};
}

}  // namespace

Result<void> write_safetensors(const std::string& path, std::span<const TensorView> tensors, SafetensorsDtype dtype) {
  auto header = header_text(tensors, dtype);
  if (!header) {
    return header.error().with_context(path);
  }
  PLUMB_ASSIGN(auto file, AtomicFile::create(path));
  const std::uint64_t header_bytes = header->size();
  PLUMB_TRY(file.write(std::as_bytes(std::span(&header_bytes, 1))));
  PLUMB_TRY(file.write(*header));
  for (const TensorView& tensor : tensors) {
    const auto values = tensor.lender == nullptr ? tensor.values : tensor.lender->begin(tensor.values);
    PLUMB_TRY(write_values(file, values, dtype));
    if (tensor.lender != nullptr) {
      tensor.lender->end(tensor.values);
    }
  }
  return file.commit();
}

}  // namespace plumb
