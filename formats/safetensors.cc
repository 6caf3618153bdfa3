#include "formats/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "formats/dequantize.h"

namespace plumb {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit

// Bytes per value of the dtypes that the format knows; 0 for any other.
std::int64_t dtype_bytes(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 14> kSizes = {{{"F32", 4},
                                                                                 {"BF16", 2},
                                                                                 {"F16", 2},
                                                                                 {"F64", 8},
                                                                                 {"I64", 8},
                                                                                 {"I32", 4},
                                                                                 {"I16", 2},
                                                                                 {"I8", 1},
                                                                                 {"U64", 8},
                                                                                 {"U32", 4},
                                                                                 {"U16", 2},
                                                                                 {"U8", 1},
                                                                                 {"BOOL", 1},
                                                                                 {"F8_E4M3", 1}}};
  for (const auto& [name, size] : kSizes) {
    if (name == dtype) {
      return size;
    }
  }
  return 0;
}

bool is_count(const json& value) {
  return value.is_number_unsigned() && value.get<std::uint64_t>() <= (std::uint64_t{1} << 48);
}

// One entry of the header, its place checked against `data`.
Result<SafetensorsEntry> parse_entry(const json& header, std::span<const std::byte> data) {
  if (!header.is_object() || !header.contains("dtype") || !header["dtype"].is_string() || !header.contains("shape") ||
      !header["shape"].is_array() || !header.contains("data_offsets") || !header["data_offsets"].is_array() ||
      header["data_offsets"].size() != 2) {
    return Error{"needs the keys dtype, shape and data_offsets (two numbers)"};
  }
  SafetensorsEntry entry;
  entry.dtype = header["dtype"].get<std::string>();
  const std::int64_t value_bytes = dtype_bytes(entry.dtype);
  if (value_bytes == 0) {
    return Error{"has the unknown dtype \"" + entry.dtype + "\""};
  }
  entry.num_values = 1;
  for (const json& dim : header["shape"]) {
    // 2^48 values are more than any file holds, and keep the product in range.
    if (!is_count(dim) ||
        (entry.num_values > 0 && dim.get<std::int64_t>() > (std::int64_t{1} << 48) / entry.num_values)) {
      return Error{"has an impossible shape " + header["shape"].dump()};
    }
    entry.num_values *= dim.get<std::int64_t>();
    entry.shape.push_back(dim.get<std::int64_t>());
  }
  const json& offsets = header["data_offsets"];
  if (!is_count(offsets[0]) || !is_count(offsets[1]) || offsets[0] > offsets[1] || offsets[1] > data.size()) {
    return Error{"lies at " + offsets.dump() + ", but the file holds " + std::to_string(data.size()) +
                 " bytes of data; the file is truncated or damaged, fetch it again"};
  }
  const auto begin = offsets[0].get<std::size_t>();
  entry.bytes = data.subspan(begin, offsets[1].get<std::size_t>() - begin);
  if (entry.bytes.size() != static_cast<std::size_t>(entry.num_values * value_bytes)) {
    return Error{"takes " + std::to_string(entry.bytes.size()) + " bytes, but its shape and dtype need " +
                 std::to_string(entry.num_values * value_bytes)};
  }
  return entry;
}

// The tensors must fill the data without gaps or overlaps.
Result<void> check_cover(const std::map<std::string, SafetensorsEntry>& entries, std::span<const std::byte> data) {
  std::vector<std::pair<std::span<const std::byte>, std::string_view>> order;
  for (const auto& [name, entry] : entries) {
    order.emplace_back(entry.bytes, name);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first.data() != b.first.data() ? a.first.data() < b.first.data() : a.first.size() < b.first.size();
  });
  std::size_t end = 0;
  for (const auto& [bytes, name] : order) {
    const auto begin = static_cast<std::size_t>(bytes.data() - data.data());
    if (begin != end) {
      return Error{"the tensor " + std::string(name) + " starts at byte " + std::to_string(begin) +
                   " of the data where " + std::to_string(end) + " is expected (an overlap or a gap)"};
    }
    end = begin + bytes.size();
  }
  if (end != data.size()) {
    return Error{"the tensors end at byte " + std::to_string(end) + " of " + std::to_string(data.size()) +
                 " bytes of data"};
  }
  return {};
}

Result<GgufType> readable_type(const std::string& dtype) {
  if (dtype == "F32") {
    return GgufType::kF32;
  }
  if (dtype == "F16") {
    return GgufType::kF16;
  }
  if (dtype == "BF16") {
    return GgufType::kBf16;
  }
  return Error{"has dtype " + dtype + "; only F32, F16 and BF16 are supported"};
}

}  // namespace

Result<SafetensorsFile> SafetensorsFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  SafetensorsFile file;
  file.name_ = name;
  if (const auto loaded = file.load(bytes); !loaded) {
    return loaded.error().with_context(name);
  }
  return file;
}

Result<void> SafetensorsFile::load(std::span<const std::byte> bytes) {
  std::uint64_t header_bytes = 0;
  if (bytes.size() < sizeof(header_bytes)) {
    return Error{"is too short for a safetensors file (" + std::to_string(bytes.size()) + " bytes)"};
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  if (header_bytes > kMaxHeaderBytes || header_bytes > bytes.size() - sizeof(header_bytes)) {
    return Error{"claims a header of " + std::to_string(header_bytes) + " bytes, but holds " +
                 std::to_string(bytes.size()) + "; it is truncated, damaged or no safetensors file"};
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof(header_bytes),
                              static_cast<std::size_t>(header_bytes));
  const json header = json::parse(text, nullptr, false);
  if (!header.is_object()) {
    return Error{"its header is no JSON object; the file is damaged"};
  }
  const std::span<const std::byte> data = bytes.subspan(sizeof(header_bytes) + static_cast<std::size_t>(header_bytes));
  for (const auto& [tensor, description] : header.items()) {
    if (tensor == "__metadata__") {
      continue;
    }
    auto entry = parse_entry(description, data);
    if (!entry) {
      return entry.error().with_context("the tensor " + tensor);
    }
    entries_.emplace(tensor, std::move(entry).value());
  }
  return check_cover(entries_, data);
}

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) {
  PLUMB_ASSIGN(auto mapped, MappedFile::open(path));
  PLUMB_ASSIGN(auto file, parse(mapped.bytes(), path));
  file.file_ = std::move(mapped);
  return file;
}

Result<SourceTensor> SafetensorsFile::read(const std::string& tensor_name) const {
  const auto found = entries_.find(tensor_name);
  if (found == entries_.end()) {
    return Error{name_ + ": holds no tensor " + tensor_name};
  }
  const SafetensorsEntry& entry = found->second;
  const auto type = readable_type(entry.dtype);
  if (!type) {
    return type.error().with_context(name_ + ": the tensor " + tensor_name);
  }
  SourceTensor tensor{tensor_name, entry.shape, std::vector<float>(static_cast<std::size_t>(entry.num_values))};
  dequantize(*type, entry.bytes, tensor.values);
  return tensor;
}

}  // namespace plumb
