// Any bytes as each of the files of a model: config.json, safetensors, GGUF. They are refused with the file's name, or
// read; a config that was accepted is written and read again to the same text.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "formats/config_json.h"
#include "formats/gguf_model.h"
#include "formats/safetensors.h"

namespace {

void check(bool holds) {
  if (!holds) {
    __builtin_trap();
  }
}

void try_config(const std::string& text) {
  const auto config = plumb::parse_config_json(text, "fuzz");
  if (!config) {
    return check(config.error().message.starts_with("fuzz"));
  }
  const std::string written = plumb::make_config_json(*config, "float32", -1, -1, -1);
  const auto again = plumb::parse_config_json(written, "fuzz");
  check(again.ok() && plumb::make_config_json(*again, "float32", -1, -1, -1) == written);
}

void try_tensors(std::span<const std::byte> bytes) {
  if (const auto file = plumb::SafetensorsFile::parse(bytes, "fuzz")) {
    for (const auto& [name, entry] : file->entries()) {
      static_cast<void>(file->read(name).ok());
    }
  }
  if (auto file = plumb::GgufFile::parse(bytes, "fuzz")) {
    const auto model = plumb::gguf_model(std::move(file).value());
    if (!model) {
      return check(model.error().message.starts_with("fuzz"));
    }
    for (const std::string& name : (*model)->tensor_names()) {
      static_cast<void>((*model)->read(name).ok());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_config(std::string(data, data + size));
  try_tensors(std::as_bytes(std::span(data, size)));
  return 0;
}
