#pragma once
// The page's one style block and the policy that allows nothing else.

#include <string>
#include <string_view>

namespace plumb {

/// The style sheet: light and dark schemes, print.
std::string_view report_style();

/// Content-Security-Policy of the page: no scripts, no loads, no forms; one style block, by the SHA-256 of its text.
std::string report_security_policy();

}  // namespace plumb
