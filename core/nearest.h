#pragma once
// "Did you mean": the nearest of a few known names.

#include <string>
#include <string_view>
#include <vector>

namespace plumb {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment), in
/// bytes.
int edit_distance(std::string_view a, std::string_view b);

/// The known name with the smallest edit distance to `name`, the first of equals; empty where `known` is.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace plumb
