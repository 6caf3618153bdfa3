#pragma once
// The numbers and names of tokens in a GGUF file, for its reader and writer.

#include <array>
#include <cstdint>
#include <string>

namespace plumb {

inline constexpr std::int32_t kGgufPlain = 1;
inline constexpr std::int32_t kGgufControl = 3;
inline constexpr std::int32_t kGgufUserDefined = 4;
inline constexpr std::int32_t kGgufFiller = 5;

/// What llama.cpp's writers call an id that no token has.
inline std::string gguf_filler_name(std::size_t id) {
  return "[PAD" + std::to_string(id) + "]";
}

/// Where other tokens than eos_token_id that end a completion stand: llama.cpp's ends of a turn and of a message.
inline constexpr std::array<const char*, 2> kGgufEndKeys = {"tokenizer.ggml.eot_token_id",
                                                            "tokenizer.ggml.eom_token_id"};

}  // namespace plumb
