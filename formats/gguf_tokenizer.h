#pragma once
// The tokenizer.ggml.* keys of a GGUF file: a byte-level BPE as llama.cpp knows it.

#include <cstdint>

#include "core/result.h"
#include "formats/gguf.h"
#include "formats/gguf_metadata.h"
#include "formats/tokenizer_data.h"

namespace plumb {

/// The tokenizer of `file`. Tokens of type unused that are named "[PAD<id>]" are fillers of a vocabulary that is wider
/// than its tokens: at the end they are left out, elsewhere their text is empty. Errors: a model other than "gpt2",
/// lists of different lengths, ids outside the vocabulary.
Result<TokenizerData> read_gguf_tokenizer(const GgufFile& file);

/// Whether `tokenizer` survives in a GGUF file with `vocab_size` tokens. Errors: the first property that would not.
Result<void> check_gguf_tokenizer(const TokenizerData& tokenizer, std::int64_t vocab_size);

/// Adds the keys of a tokenizer that check_gguf_tokenizer() lets pass. The tokens are filled up to `vocab_size`:
/// readers take the vocabulary's size from their number.
void add_gguf_tokenizer(GgufMetadata& to, const TokenizerData& tokenizer, std::int64_t vocab_size);

}  // namespace plumb
