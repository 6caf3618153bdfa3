#pragma once
// tokenizer.ggml.pre: one name for how text is normalized and split, and for whether pieces that are tokens are merged.

#include <string>

#include "core/result.h"
#include "formats/tokenizer_data.h"

namespace plumb {

/// Sets the normalizer, the split and ignore_merges that `name` stands for. A name that is none of "llama-bpe" and its
/// other spellings, "qwen2" and "gpt-2" becomes the pre-tokenizer as it is: whether there is one is tokenizer/'s
/// matter.
void set_gguf_split(const std::string& name, TokenizerData& data);

/// The name that set_gguf_split() makes the same from. llama.cpp itself normalizes nothing: a text that is not in NFC
/// has other tokens there than a Qwen's own. Errors: the property that no name stands for.
Result<std::string> gguf_split_name(const TokenizerData& data);

/// Whether llama.cpp puts the begin-of-sequence token in front of a text where the file does not say.
bool gguf_adds_bos(const TokenizerData& data);

}  // namespace plumb
