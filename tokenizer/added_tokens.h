#pragma once
// Tokens that are looked for in the text as it stands, before BPE.

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/tokenizer_data.h"

namespace plumb {

/// Finds added tokens as `tokenizers` does: the leftmost, of those the longest; lstrip and rstrip take white space with
/// them, a single_word token beside a letter is passed over. Immutable once filled; const calls are thread-safe.
class AddedTokenFinder {
 public:
  /// `token` is looked for as `form`, which is not empty: its text, perhaps normalized.
  void add(const AddedToken& token, const std::string& form);

  /// Calls `part` with consecutive parts of `text` and the id of the token that each is, -1 for text in between, which
  /// is not empty. `with_special`: whether special tokens are looked for.
  void split(std::string_view text, bool with_special,
             const std::function<void(std::string_view part, std::int32_t id)>& part) const;

  /// The token whose form is `form`; null if there is none.
  [[nodiscard]] const AddedToken* find(std::string_view form) const;

 private:
  struct Entry {
    std::string form;
    AddedToken token;
  };
  [[nodiscard]] const Entry* entry_at(std::string_view text, std::size_t at, bool with_special) const;

  std::array<std::vector<Entry>, 256> entries_;  // by first byte, the longest first
};

}  // namespace plumb
