// Any bytes as a model's response: the code block does not depend on how the text was cut into pieces, and what is shown
// to people is harmless text.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/escape.h"
#include "core/fence.h"
#include "reward/rules/code_block.h"

namespace {

void check_code_block(const std::string& response, std::size_t step) {
  const auto block = plumb::first_code_block(response);
  plumb::StopAfterCodeBlock matcher;
  for (std::size_t at = 0; at < response.size(); at += step) {
    matcher.feed(std::string_view(response).substr(at, step));
  }
  PLUMB_CHECK(matcher.closed() == block.has_value(), "pieces and whole disagree");
  if (block) {
    PLUMB_CHECK(matcher.end() == block->end && matcher.begin() == block->begin,
                "pieces and whole disagree on the place");
    PLUMB_CHECK(response.find(block->source, block->begin) < block->end, "the source is not part of its block");
    const auto prefix = plumb::first_code_block(std::string_view(response).substr(0, block->end));
    PLUMB_CHECK(prefix && prefix->source == block->source, "text behind the block changed it");
  }
}

void check_escapes(const std::string& bytes) {
  const std::string html = plumb::escape_html(bytes);
  PLUMB_CHECK(html.find_first_of("<>\"'\x1B") == std::string::npos && plumb::is_utf8(html), "HTML is not escaped");
  const std::string terminal = plumb::strip_terminal(bytes);
  PLUMB_CHECK(terminal.find('\x1B') == std::string::npos && plumb::is_utf8(terminal), "the terminal is not safe");
  PLUMB_CHECK(plumb::strip_terminal(terminal) == terminal, "what was stripped strips again");
  const auto back = plumb::bytes_from_json(nlohmann::json::parse(plumb::json_safe(bytes).dump()));
  PLUMB_CHECK(back.ok() && *back == bytes, "JSON lost bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string response(data, data + size);
  check_code_block(response, size == 0 ? 1 : 1 + data[0] % 7);
  check_escapes(response);
  return 0;
}
