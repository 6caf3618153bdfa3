#pragma once
// The order of examples of several sources that are mixed by their share of the tokens.

#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

/// What the mixture knows of an example.
struct MixtureItem {
  int source = 0;
  std::int64_t tokens = 0;  // that its loss is on; > 0
};

/// The first `count` examples (indices into `items`) of an endless stream. Each source is passed through in epochs of
/// its own, every example once an epoch, in an order keyed by (seed, source, epoch); at each place the source comes
/// next that is furthest behind its share of the tokens drawn so far (the lower number where equal). So a
/// source is never ahead of its share by more than one example's tokens, nor behind it by more than one of each other
/// source, and its epochs are exact.
///   shares  [sources] >= 0 with a positive sum; a source with a positive share has an example
std::vector<std::size_t> mixture_order(std::span<const MixtureItem> items, std::span<const double> shares,
                                       std::size_t count, std::uint64_t seed);

}  // namespace plumb
