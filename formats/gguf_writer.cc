// A model as a GGUF file: header, metadata and tensors in the layout that formats/gguf.cc reads.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/atomic_file.h"
#include "formats/gguf_hyperparameters.h"
#include "formats/gguf_latent.h"
#include "formats/gguf_limits.h"
#include "formats/gguf_metadata.h"
#include "formats/gguf_model.h"
#include "formats/gguf_parts.h"
#include "formats/gguf_rope.h"
#include "formats/gguf_tokenizer.h"
#include "formats/half.h"

namespace plumb {
namespace {

constexpr std::uint64_t kAlignment = 32;
constexpr std::int64_t kQ8Block = 32;

// ggml's reference: a scale of a 127th of the largest magnitude, in f16, and each value rounded away from zero at ties.
void append_q8(std::string& bytes, const float* values) {
  float largest = 0;
  for (std::int64_t i = 0; i < kQ8Block; ++i) {
    largest = std::max(largest, std::abs(values[i]));
  }
  const float scale = largest / 127.0F;
  const float inverse = scale == 0 ? 0.0F : 1.0F / scale;
  append(bytes, float_to_half(scale));
  for (std::int64_t i = 0; i < kQ8Block; ++i) {
    append(bytes, static_cast<std::int8_t>(std::round(values[i] * inverse)));
  }
}

std::string encode(const std::vector<float>& values, GgufType type) {
  std::string bytes;
  if (type == GgufType::kF32) {
    bytes.resize(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
  for (std::size_t i = 0; i < values.size();) {
    if (type == GgufType::kQ8_0) {
      append_q8(bytes, values.data() + i);
      i += kQ8Block;
    } else {
      append(bytes, type == GgufType::kF16 ? float_to_half(values[i]) : float_to_bfloat16(values[i]));
      ++i;
    }
  }
  return bytes;
}

// One tensor of the file, in the order and type that it is written in.
struct Entry {
  GgufPart part;
  std::vector<std::int64_t> shape;
  GgufType type = GgufType::kF32;
  std::uint64_t size = 0;
  std::vector<float> values = {};  // of a tensor that the model does not have, but GGUF does
};

class Writer {
 public:
  Writer(const ModelSource& source, GgufType type) : source_(source), type_(type) {}

  Result<void> run(const std::string& path) {
    PLUMB_TRY(check_gguf_limits(source_));
    for (GgufPart& part : gguf_parts(source_.hyperparameters)) {
      PLUMB_TRY(plan(std::move(part)));
    }
    plan_rope_factors();
    PLUMB_ASSIGN(AtomicFile file, AtomicFile::create(path));
    std::string head = header();
    head.resize((head.size() + kAlignment - 1) / kAlignment * kAlignment);
    PLUMB_TRY(file.write(head));
    for (const Entry& entry : entries_) {
      PLUMB_TRY(write_tensor(file, entry));
    }
    return file.commit();
  }

 private:
  // A tensor in the order that the file has it in.
  [[nodiscard]] Result<SourceTensor> read(const GgufPart& part, const std::string& name) const {
    PLUMB_ASSIGN(SourceTensor tensor, source_.read(name));
    const Hyperparameters& h = source_.hyperparameters;
    if (part.heads > 0) {
      tensor.values = interleave_heads(tensor.values, tensor.shape[0], part.heads, true);
    } else if (part.half == LatentHalf::kKeys) {
      tensor.values = latent_keys(tensor.values, h.num_heads, h.latent);
      tensor.shape = {h.num_heads, h.latent.kv_rank, h.latent.nope_dim};
    } else if (part.half == LatentHalf::kValues) {
      tensor.values = latent_values(tensor.values, h.num_heads, h.latent);
      tensor.shape = {h.num_heads, h.latent.value_dim, h.latent.kv_rank};
    }
    return tensor;
  }

  Result<void> plan(GgufPart part) {
    PLUMB_ASSIGN(const SourceTensor first, read(part, part.sources.front()));
    Entry entry{std::move(part), first.shape, GgufType::kF32, 0};
    const bool stays_f32 = first.shape.size() == 1 || entry.part.name.find("ffn_gate_inp") != std::string::npos;
    if (!stays_f32) {
      entry.type = type_ == GgufType::kQ8_0 && first.shape.back() % kQ8Block != 0 ? GgufType::kF16 : type_;
    }
    const BlockLayout layout = block_layout(entry.type);
    entry.size = first.values.size() * entry.part.sources.size() / static_cast<std::size_t>(layout.values) *
                 static_cast<std::size_t>(layout.bytes);
    if (entry.part.sources.size() > 1) {
      entry.shape.insert(entry.shape.begin(), static_cast<std::int64_t>(entry.part.sources.size()));
    }
    entries_.push_back(std::move(entry));
    return {};
  }

  void plan_rope_factors() {
    const Hyperparameters& h = source_.hyperparameters;
    if (h.rope.kind == RopeKind::kLlama3) {
      Entry& entry = entries_.emplace_back();
      entry.part.name = kRopeFactorsTensor;
      entry.values = rope_factors(h.rope, h.head_dim, h.rope_theta);
      entry.shape = {static_cast<std::int64_t>(entry.values.size())};
      entry.size = entry.values.size() * sizeof(float);
    }
  }

  [[nodiscard]] std::string header() const {
    GgufMetadata metadata;
    metadata.text("general.architecture", gguf_architecture(source_.hyperparameters.architecture));
    metadata.number("general.alignment", kAlignment);
    add_gguf_hyperparameters(metadata, source_.hyperparameters);
    add_gguf_tokenizer(metadata, source_.tokenizer, source_.hyperparameters.vocab_size);
    if (!source_.chat_template.empty()) {
      metadata.text("tokenizer.chat_template", source_.chat_template);
    }
    std::string bytes = "GGUF";
    append<std::uint32_t>(bytes, 3);
    append<std::uint64_t>(bytes, entries_.size());
    append<std::uint64_t>(bytes, metadata.count());
    bytes += metadata.bytes();
    std::uint64_t offset = 0;
    for (const Entry& entry : entries_) {
      append_text(bytes, entry.part.name);
      append<std::uint32_t>(bytes, static_cast<std::uint32_t>(entry.shape.size()));
      for (auto dim = entry.shape.rbegin(); dim != entry.shape.rend(); ++dim) {
        append<std::uint64_t>(bytes, static_cast<std::uint64_t>(*dim));
      }
      append(bytes, static_cast<std::uint32_t>(entry.type));
      append(bytes, offset);
      offset += (entry.size + kAlignment - 1) / kAlignment * kAlignment;
    }
    return bytes;
  }

  Result<void> write_tensor(AtomicFile& file, const Entry& entry) const {
    if (!entry.values.empty()) {
      PLUMB_TRY(file.write(encode(entry.values, GgufType::kF32)));
    }
    for (const std::string& name : entry.part.sources) {
      PLUMB_ASSIGN(const SourceTensor tensor, read(entry.part, name));
      PLUMB_TRY(file.write(encode(tensor.values, entry.type)));
    }
    return file.write(std::string((kAlignment - entry.size % kAlignment) % kAlignment, '\0'));
  }

  const ModelSource& source_;
  GgufType type_;
  std::vector<Entry> entries_;
};

}  // namespace

Result<void> write_gguf_model(const std::string& path, const ModelSource& source, GgufType type) {
  const auto written = Writer(source, type).run(path);
  return written ? written : Result<void>(written.error().with_context(path));
}

}  // namespace plumb
