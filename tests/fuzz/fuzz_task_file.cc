// Any bytes as a line of a task file: it becomes prompts or is refused, and what was accepted can be shown and copied.

#include <cstddef>
#include <cstdint>
#include <string>

#include "datasets/any_row.h"
#include "datasets/task_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  auto json = plumb::parse_json(text, "fuzz:1");
  if (!json || !json->is_object()) {
    return 0;
  }
  const plumb::Row row{"fuzz:1", std::move(json).value()};
  const auto prompts = plumb::read_any_row(row, {}, nullptr);
  if (!prompts) {
    if (!prompts.error().message.starts_with("fuzz:1")) {
      __builtin_trap();  // every refusal names its place
    }
    return 0;
  }
  const auto copies = *prompts;
  for (const plumb::SftRecord& record : plumb::demonstrations(copies)) {
    if (record.completion.empty()) {
      __builtin_trap();
    }
  }
  return 0;
}
