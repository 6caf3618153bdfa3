#pragma once
// What a compiler said, as diagnostics.

#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"

namespace plumb {

/// The messages in a compiler's or a linker's `text`: lines like "solution.cpp:3:5: error: ...", where `source` is the
/// name of the candidate's file. Lines of no such shape are left out, unless there is no error at all: then the first
/// lines become one, so that a refusal never lacks words. At most 20 messages of at most 1000 bytes.
std::vector<Diagnostic> compiler_messages(std::string_view text, const std::string& source = "solution.cpp");

/// The warnings about the candidate's file in what a compiler said that did its work. At most as many.
std::vector<Diagnostic> compiler_warnings(std::string_view text, const std::string& source = "solution.cpp");

}  // namespace plumb
