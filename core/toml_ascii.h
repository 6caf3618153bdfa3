#pragma once
// What keeps toml++ 3.3 from its undefined behaviour: all TOML that it reads goes through here.

#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

/// TOML that means what `text` means, line by line, in ASCII: inside strings other characters are written as escapes
/// (and such a 'string' as a "string"), in comments as question marks. Errors: not UTF-8; a character beyond ASCII
/// outside strings and comments, where TOML has none. What else is wrong with `text` is left for the parser to say.
Result<std::string> toml_in_ascii(std::string_view text, const std::string& origin);

}  // namespace plumb
