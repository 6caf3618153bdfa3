#pragma once
// Small model files built in memory, and where the real one is, for the tests of formats and tokenizer.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace plumb::testing {

/// The GGUF of the real-weight tests: $PLUMB_TEST_MODEL, else where ./quickstart keeps it. May be absent.
inline std::string test_model_path() {
  if (const char* path = std::getenv("PLUMB_TEST_MODEL")) {
    return path;
  }
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string base = cache != nullptr ? cache : std::string(home != nullptr ? home : "") + "/.cache";
  return base + "/plumb/SmolLM2-135M-Instruct.Q4_1.gguf";
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_text(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::span<const std::byte> as_byte_span(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// A folder of its own, removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "plumb_test_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Writes GGUF version 3, value by value.
class GgufBuilder {
 public:
  template <typename T>
  static std::string raw(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
  }
  static std::string text(const std::string& value) { return raw<std::uint64_t>(value.size()) + value; }

  /// A metadata entry of GGUF's value type number `type`, its value already encoded.
  GgufBuilder& entry(const std::string& key, std::uint32_t type, const std::string& value) {
    entries_ += text(key) + raw(type) + value;
    ++num_entries_;
    return *this;
  }
  GgufBuilder& u32(const std::string& key, std::uint32_t value) { return entry(key, 4, raw(value)); }
  GgufBuilder& f32(const std::string& key, float value) { return entry(key, 6, raw(value)); }
  GgufBuilder& string(const std::string& key, const std::string& value) { return entry(key, 8, text(value)); }
  GgufBuilder& strings(const std::string& key, const std::vector<std::string>& values) {
    std::string encoded = raw<std::uint32_t>(8) + raw<std::uint64_t>(values.size());
    for (const std::string& value : values) {
      encoded += text(value);
    }
    return entry(key, 9, encoded);
  }
  GgufBuilder& i32s(const std::string& key, const std::vector<std::int32_t>& values) {
    std::string encoded = raw<std::uint32_t>(5) + raw<std::uint64_t>(values.size());
    for (const std::int32_t value : values) {
      encoded += raw(value);
    }
    return entry(key, 9, encoded);
  }

  /// A tensor header with any numbers; `dims` in the file's order, innermost first.
  GgufBuilder& tensor_header(const std::string& name, const std::vector<std::uint64_t>& dims, std::uint32_t type,
                             std::uint64_t offset) {
    tensors_ += text(name) + raw<std::uint32_t>(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t dim : dims) {
      tensors_ += raw(dim);
    }
    tensors_ += raw(type) + raw(offset);
    ++num_tensors_;
    return *this;
  }
  /// An F32 tensor with its data.
  GgufBuilder& tensor(const std::string& name, const std::vector<std::uint64_t>& dims,
                      const std::vector<float>& values) {
    tensor_header(name, dims, 0, data_.size());
    data_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    data_.resize((data_.size() + 31) / 32 * 32, '\0');
    return *this;
  }
  GgufBuilder& data(const std::string& bytes) {
    data_ += bytes;
    return *this;
  }

  [[nodiscard]] std::string build() const {
    std::string bytes = "GGUF" + raw<std::uint32_t>(3) + raw<std::uint64_t>(num_tensors_) +
                        raw<std::uint64_t>(num_entries_) + entries_ + tensors_;
    bytes.resize((bytes.size() + 31) / 32 * 32, '\0');
    return bytes + data_;
  }

 private:
  std::string entries_;
  std::string tensors_;
  std::string data_;
  std::uint64_t num_entries_ = 0;
  std::uint64_t num_tensors_ = 0;
};

/// Values 0, 1, 2, ...: each tells where it came from.
inline std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(i);
  }
  return values;
}

/// Metadata of a llama of one layer: D 8, H 2, K 1, head 4, F 12, V 7, its tokenizer included.
inline GgufBuilder small_llama_metadata(const std::string& architecture = "llama", const std::string& pre = "smollm") {
  GgufBuilder file;
  file.string("general.architecture", architecture).u32("llama.block_count", 1).u32("llama.context_length", 64);
  file.u32("llama.embedding_length", 8).u32("llama.feed_forward_length", 12).u32("llama.attention.head_count", 2);
  file.u32("llama.attention.head_count_kv", 1).f32("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  file.f32("llama.rope.freq_base", 100000.0F).string("tokenizer.ggml.model", "gpt2");
  file.string("tokenizer.ggml.pre", pre).strings("tokenizer.ggml.merges", {"a b"});
  file.strings("tokenizer.ggml.tokens", {"<|im_start|>", "<|im_end|>", "a", "b", "ab", "Ġ", "c"});
  file.i32s("tokenizer.ggml.token_type", {3, 3, 1, 1, 1, 1, 1}).u32("tokenizer.ggml.eos_token_id", 1);
  return file;
}

/// The whole of that model; tensors are F32 and counted().
inline std::string small_llama_gguf() {
  GgufBuilder file = small_llama_metadata();
  file.tensor("token_embd.weight", {8, 7}, counted(56)).tensor("output_norm.weight", {8}, counted(8));
  file.tensor("blk.0.attn_norm.weight", {8}, counted(8)).tensor("blk.0.ffn_norm.weight", {8}, counted(8));
  file.tensor("blk.0.attn_q.weight", {8, 8}, counted(64)).tensor("blk.0.attn_k.weight", {8, 4}, counted(32));
  file.tensor("blk.0.attn_v.weight", {8, 4}, counted(32)).tensor("blk.0.attn_output.weight", {8, 8}, counted(64));
  file.tensor("blk.0.ffn_gate.weight", {8, 12}, counted(96)).tensor("blk.0.ffn_up.weight", {8, 12}, counted(96));
  file.tensor("blk.0.ffn_down.weight", {12, 8}, counted(96));
  return file.build();
}

/// A safetensors file of this header and data.
inline std::string safetensors_bytes(const std::string& header, const std::string& data) {
  return GgufBuilder::raw<std::uint64_t>(header.size()) + header + data;
}

}  // namespace plumb::testing
