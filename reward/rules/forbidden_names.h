#pragma once
// Names that a program must not use. A rule of taste and of reward, not of safety: a program can spell a name so that
// no reader of its text finds it, and what it may do is the sandbox's business.

#include <span>
#include <string>
#include <string_view>

#include "core/records.h"

namespace plumb {

/// The first of `names` that `source` uses, empty if none is. A name is a whole identifier or several joined by "." or
/// "::", with or without blanks ("eval", "os.system", "std::system"); "system" also finds os.system, "os.system" does
/// not find system. Comments and texts in quotes do not count, but for Python's f-strings. Linear in the source.
std::string forbidden_name_in(std::string_view source, Language language, std::span<const std::string> names);

}  // namespace plumb
