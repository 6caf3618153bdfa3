#include "reward/rules/code_block.h"

#include <algorithm>

#include "core/fence.h"

namespace plumb {

std::optional<CodeBlock> first_code_block(std::string_view response) {
  StopAfterCodeBlock matcher;
  if (!matcher.feed(response)) {
    return std::nullopt;
  }
  constexpr std::string_view kBlanks = " \t\r\n";
  std::string_view info = response.substr(matcher.info_begin(), matcher.source_begin() - matcher.info_begin());
  info.remove_prefix(std::min(info.find_first_not_of(kBlanks), info.size()));
  return CodeBlock{
      .language = std::string(info.substr(0, info.find_first_of(kBlanks))),
      .source = std::string(response.substr(matcher.source_begin(), matcher.source_end() - matcher.source_begin())),
      .begin = matcher.begin(),
      .end = matcher.end(),
  };
}

}  // namespace plumb
