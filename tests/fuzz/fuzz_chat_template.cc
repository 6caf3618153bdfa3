// Any bytes as a chat template: text or a sentence, twice the same, within the limits.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "core/check.h"
#include "tokenizer/jinja.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto program = plumb::JinjaTemplate::parse(std::string(data, data + size));
  if (!program) {
    return 0;
  }
  static const nlohmann::ordered_json variables = {
      {"messages", {{{"role", "user"}, {"content", " a\nb "}}, {{"role", "assistant"}, {"content", nullptr}}}},
      {"tools", {{{"type", "function"}, {"function", {{"name", "f"}, {"parameters", {{"x", 1.5}}}}}}}},
      {"add_generation_prompt", true},
      {"bos_token", "<s>"}};
  plumb::JinjaOptions options;
  options.max_steps = 20'000;
  const auto first = program->render(variables, options);
  const auto second = program->render(variables, options);
  PLUMB_CHECK(first.ok() == second.ok(), "a template renders once only");
  PLUMB_CHECK(!first || *first == *second, "a template renders differently the second time");
  PLUMB_CHECK(!first || first->size() <= 64U * 25'000U, "more was written than the steps allow");
  return 0;
}
