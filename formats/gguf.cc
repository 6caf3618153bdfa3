#include "formats/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

namespace plumb {

static_assert(std::endian::native == std::endian::little, "model files are read as little-endian");

namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr std::uint64_t kMaxDims = 4;
constexpr std::uint64_t kDefaultAlignment = 32;
constexpr std::uint64_t kMinTensorHeader = 24;  // name length, dims, type, offset
constexpr std::uint64_t kMinEntry = 13;         // key length, type, one byte of value

enum ValueType : std::uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64
};

// Bytes that an element of an array takes at least; 0 for types that may not stand in an array.
std::uint64_t min_element_bytes(std::uint32_t type) {
  switch (type) {
    case kUint8:
    case kInt8:
    case kBool:
      return 1;
    case kUint16:
    case kInt16:
      return 2;
    case kUint32:
    case kInt32:
    case kFloat32:
      return 4;
    case kUint64:
    case kInt64:
    case kFloat64:
    case kString:
      return 8;
    default:
      return 0;
  }
}

}  // namespace

/// Walks the header once; owns nothing but the file it is filling.
class GgufParser {
 public:
  GgufParser(std::span<const std::byte> bytes, GgufFile& file) : bytes_(bytes), file_(file) {}

  Result<void> run() {
    PLUMB_ASSIGN(const auto magic, read<std::uint32_t>("the magic number"));
    if (magic != kMagic) {
      return fail("does not start with the letters GGUF; it is no GGUF file");
    }
    PLUMB_ASSIGN(const auto version, read<std::uint32_t>("the version"));
    if (version != 2 && version != 3) {
      return fail("GGUF version " + std::to_string(version) + " is not supported (2 and 3 are)");
    }
    PLUMB_ASSIGN(const auto num_tensors, read_count("tensors", kMinTensorHeader));
    PLUMB_ASSIGN(const auto num_entries, read_count("metadata entries", kMinEntry));
    for (std::uint64_t i = 0; i < num_entries; ++i) {
      PLUMB_TRY(read_entry());
    }
    for (std::uint64_t i = 0; i < num_tensors; ++i) {
      PLUMB_TRY(read_tensor());
    }
    return place_tensors();
  }

 private:
  Error fail(const std::string& what) const { return Error{file_.name_ + ": " + what}; }
  Error truncated(const std::string& what) const {
    return fail("ends at byte " + std::to_string(bytes_.size()) + " inside " + what +
                "; the file is truncated or damaged, fetch it again");
  }
  [[nodiscard]] std::uint64_t remaining() const { return bytes_.size() - at_; }

  template <typename T>
  Result<T> read(const std::string& what) {
    if (remaining() < sizeof(T)) {
      return truncated(what);
    }
    T value{};
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  // A number of things that take at least `min_bytes` each: more than fit cannot be true.
  Result<std::uint64_t> read_count(const std::string& what, std::uint64_t min_bytes) {
    PLUMB_ASSIGN(const auto count, read<std::uint64_t>("the number of " + what));
    if (count > remaining() / min_bytes) {
      return fail("claims " + std::to_string(count) + " " + what + ", more than its " + std::to_string(bytes_.size()) +
                  " bytes can hold; the file is truncated or damaged");
    }
    return count;
  }

  Result<std::string> read_string(const std::string& what) {
    PLUMB_ASSIGN(const auto length, read<std::uint64_t>(what));
    if (length > remaining()) {
      return truncated(what);
    }
    std::string text(reinterpret_cast<const char*>(bytes_.data() + at_), static_cast<std::size_t>(length));
    at_ += length;
    return text;
  }

  template <typename T>
  Result<std::int64_t> read_integer(const std::string& key) {
    PLUMB_ASSIGN(const T value, read<T>("the metadata key " + key));
    if (std::cmp_greater(value, std::numeric_limits<std::int64_t>::max())) {
      return fail("the metadata key " + key + " is too large: " + std::to_string(value));
    }
    return static_cast<std::int64_t>(value);
  }

  Result<std::int64_t> read_integer(std::uint32_t type, const std::string& key) {
    switch (type) {
      case kUint8:
      case kBool:
        return read_integer<std::uint8_t>(key);
      case kInt8:
        return read_integer<std::int8_t>(key);
      case kUint16:
        return read_integer<std::uint16_t>(key);
      case kInt16:
        return read_integer<std::int16_t>(key);
      case kUint32:
        return read_integer<std::uint32_t>(key);
      case kInt32:
        return read_integer<std::int32_t>(key);
      case kUint64:
        return read_integer<std::uint64_t>(key);
      default:
        return read_integer<std::int64_t>(key);
    }
  }

  Result<double> read_float(std::uint32_t type, const std::string& key) {
    if (type == kFloat64) {
      return read<double>("the metadata key " + key);
    }
    PLUMB_ASSIGN(const auto value, read<float>("the metadata key " + key));
    return static_cast<double>(value);
  }

  Result<GgufValue> read_value(std::uint32_t type, const std::string& key) {
    if (type == kString) {
      PLUMB_ASSIGN(auto text, read_string("the metadata key " + key));
      return GgufValue(std::move(text));
    }
    if (type == kFloat32 || type == kFloat64) {
      PLUMB_ASSIGN(const double value, read_float(type, key));
      return GgufValue(value);
    }
    if (type == kArray) {
      return read_array(key);
    }
    if (min_element_bytes(type) == 0) {
      return fail("the metadata key " + key + " has the unknown type " + std::to_string(type));
    }
    PLUMB_ASSIGN(const std::int64_t value, read_integer(type, key));
    return type == kBool ? GgufValue(value != 0) : GgufValue(value);
  }

  Result<GgufValue> read_array(const std::string& key) {
    PLUMB_ASSIGN(const auto type, read<std::uint32_t>("the metadata key " + key));
    const std::uint64_t element_bytes = min_element_bytes(type);
    if (element_bytes == 0) {
      return fail("the metadata key " + key + " is an array of the unsupported type " + std::to_string(type));
    }
    PLUMB_ASSIGN(const auto count, read_count("elements of the metadata key " + key, element_bytes));
    if (type == kString) {
      return read_elements<std::string>(count, [&] { return read_string("the metadata key " + key); });
    }
    if (type == kFloat32 || type == kFloat64) {
      return read_elements<double>(count, [&] { return read_float(type, key); });
    }
    return read_elements<std::int64_t>(count, [&] { return read_integer(type, key); });
  }

  template <typename T, typename ReadOne>
  Result<GgufValue> read_elements(std::uint64_t count, const ReadOne& read_one) {
    std::vector<T> values;
    values.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      PLUMB_ASSIGN(auto value, read_one());
      values.push_back(std::move(value));
    }
    return GgufValue(std::move(values));
  }

  Result<void> read_entry() {
    PLUMB_ASSIGN(auto key, read_string("a metadata key"));
    PLUMB_ASSIGN(const auto type, read<std::uint32_t>("the type of the metadata key " + key));
    PLUMB_ASSIGN(auto value, read_value(type, key));
    if (!file_.metadata_.emplace(key, std::move(value)).second) {
      return fail("the metadata key " + key + " occurs twice");
    }
    return {};
  }

  Result<void> read_tensor() {
    GgufTensor tensor;
    PLUMB_ASSIGN(tensor.name, read_string("the name of a tensor"));
    if (!names_.insert(tensor.name).second) {
      return fail("the tensor " + tensor.name + " occurs twice");
    }
    PLUMB_ASSIGN(const auto num_dims, read<std::uint32_t>("the header of tensor " + tensor.name));
    if (num_dims > kMaxDims) {
      return fail("the tensor " + tensor.name + " has " + std::to_string(num_dims) +
                  " dimensions; at most 4 are allowed");
    }
    tensor.num_values = 1;
    for (std::uint32_t i = 0; i < num_dims; ++i) {
      PLUMB_ASSIGN(const auto dim, read<std::uint64_t>("the header of tensor " + tensor.name));
      // 2^48 values are more than any file holds, and keep the product and its size in bytes in range.
      if (dim == 0 || dim > (std::uint64_t{1} << 48) / static_cast<std::uint64_t>(tensor.num_values)) {
        return fail("the tensor " + tensor.name + " has an impossible dimension " + std::to_string(dim));
      }
      tensor.num_values *= static_cast<std::int64_t>(dim);
      tensor.shape.push_back(static_cast<std::int64_t>(dim));
    }
    PLUMB_ASSIGN(const auto type, read<std::uint32_t>("the header of tensor " + tensor.name));
    if (gguf_type_name(type).empty()) {
      return fail("the tensor " + tensor.name + " has type " + std::to_string(type) +
                  "; supported are F32, F16, BF16, Q4_0, Q4_1, Q8_0 and Q6_K; convert the file to one of them");
    }
    tensor.type = static_cast<GgufType>(type);
    const std::int64_t block_values = block_layout(tensor.type).values;
    if ((num_dims == 0 ? 1 : tensor.shape[0]) % block_values != 0) {
      return fail("the rows of tensor " + tensor.name + " are no multiple of " + std::to_string(block_values) +
                  " values, as " + std::string(gguf_type_name(type)) + " needs");
    }
    std::reverse(tensor.shape.begin(), tensor.shape.end());
    PLUMB_ASSIGN(const auto offset, read<std::uint64_t>("the header of tensor " + tensor.name));
    offsets_.push_back(offset);
    file_.tensors_.push_back(std::move(tensor));
    return {};
  }

  Result<std::uint64_t> alignment() const {
    if (!file_.has("general.alignment")) {
      return kDefaultAlignment;
    }
    PLUMB_ASSIGN(const auto value, file_.get<std::int64_t>("general.alignment"));
    if (value < 1 || value > (1 << 20) || !std::has_single_bit(static_cast<std::uint64_t>(value))) {
      return fail("general.alignment must be a power of two up to 2^20, found " + std::to_string(value));
    }
    return static_cast<std::uint64_t>(value);
  }

  // Gives each tensor its bytes and refuses what reaches beyond the file or into another tensor.
  Result<void> place_tensors() {
    PLUMB_ASSIGN(const std::uint64_t align, alignment());
    const std::uint64_t data_start = (at_ + align - 1) / align * align;
    std::vector<std::pair<std::uint64_t, std::size_t>> order;
    for (std::size_t i = 0; i < file_.tensors_.size(); ++i) {
      GgufTensor& tensor = file_.tensors_[i];
      const BlockLayout layout = block_layout(tensor.type);
      const auto size = static_cast<std::uint64_t>(tensor.num_values / layout.values * layout.bytes);
      if (offsets_[i] % align != 0) {
        return fail("the tensor " + tensor.name + " starts at offset " + std::to_string(offsets_[i]) +
                    ", no multiple of the alignment " + std::to_string(align));
      }
      if (data_start > bytes_.size() || offsets_[i] > bytes_.size() - data_start ||
          size > bytes_.size() - data_start - offsets_[i]) {
        return truncated("the tensor " + tensor.name);
      }
      tensor.blocks =
          bytes_.subspan(static_cast<std::size_t>(data_start + offsets_[i]), static_cast<std::size_t>(size));
      order.emplace_back(offsets_[i], i);
    }
    std::sort(order.begin(), order.end());
    for (std::size_t i = 1; i < order.size(); ++i) {
      const GgufTensor& before = file_.tensors_[order[i - 1].second];
      if (order[i - 1].first + before.blocks.size() > order[i].first) {
        return fail("the tensors " + before.name + " and " + file_.tensors_[order[i].second].name + " overlap");
      }
    }
    return {};
  }

  std::span<const std::byte> bytes_;
  GgufFile& file_;
  std::uint64_t at_ = 0;
  std::set<std::string> names_;
  std::vector<std::uint64_t> offsets_;
};

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  GgufFile file;
  file.name_ = name;
  PLUMB_TRY(GgufParser(bytes, file).run());
  return file;
}

Result<GgufFile> GgufFile::open(const std::string& path) {
  PLUMB_ASSIGN(auto mapped, MappedFile::open(path));
  PLUMB_ASSIGN(auto file, parse(mapped.bytes(), path));
  file.file_ = std::move(mapped);
  return file;
}

}  // namespace plumb
