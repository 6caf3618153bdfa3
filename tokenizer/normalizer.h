#pragma once
// Rewrites text before it is split: Unicode's normal forms, replacements, a text put in front.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "formats/tokenizer_data.h"

namespace plumb {

class Regex;

/// Immutable, thread-safe, copies share state.
class Normalizer {
 public:
  Normalizer() = default;  // leaves text as it is
  /// Errors: a regular expression that is malformed or not supported.
  static Result<Normalizer> create(std::span<const NormalizerStep> steps);

  /// The text after all steps. Bytes that are part of no well-formed character stay as they are. Linear time but for
  /// regular expressions.
  [[nodiscard]] std::string apply(std::string_view text) const;

  /// Whether apply() returns every text as it is.
  [[nodiscard]] bool is_identity() const { return steps_.empty(); }

 private:
  struct Step {
    NormalizerStep rule;
    std::shared_ptr<const Regex> regex;  // of kReplaceRegex
  };
  std::vector<Step> steps_;
};

}  // namespace plumb
