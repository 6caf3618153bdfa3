#pragma once
// Finds the first stop text in text that arrives token by token.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

/// Matches across token borders: keeps as many of the last bytes as the longest stop text could need. A value that
/// refers to the stop texts, which outlive it.
class StopMatcher {
 public:
  StopMatcher() = default;
  explicit StopMatcher(const std::vector<std::string>& stop);

  /// Reads more text. Once a stop text is complete: the byte offset, in everything fed, at which it begins (the text
  /// ends before it); of several the one that ends first, among those the longest. Feed no more then.
  std::optional<std::size_t> feed(std::string_view piece);

 private:
  const std::vector<std::string>* stop_ = nullptr;
  std::size_t keep_ = 0;   // bytes
  std::string tail_;       // the last of what was fed
  std::size_t begin_ = 0;  // offset of tail_ in everything fed
};

}  // namespace plumb
