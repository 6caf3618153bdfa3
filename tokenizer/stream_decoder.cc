#include "tokenizer/stream_decoder.h"

#include <string_view>
#include <utility>

#include "tokenizer/utf8.h"

namespace plumb {

std::string StreamDecoder::feed(std::int32_t id) {
  if (skip_special_ && tokenizer_.is_special(id)) {
    return {};
  }
  held_ += tokenizer_.token_bytes(id);
  std::size_t whole = 0;
  while (whole < held_.size()) {
    const Utf8Step step = utf8_step(std::string_view(held_).substr(whole));
    if (step.kind == Utf8Kind::kCut) {
      break;
    }
    whole += step.size;
  }
  std::string text = held_.substr(0, whole);
  held_.erase(0, whole);
  return text;
}

std::string StreamDecoder::finish() {
  return std::exchange(held_, {});
}

}  // namespace plumb
