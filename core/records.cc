#include "core/records.h"

#include <array>

namespace plumb {

std::string_view to_string(Domain domain) {
  constexpr std::array<std::string_view, 3> kNames = {"code", "math", "chat"};
  return kNames.at(static_cast<std::size_t>(domain));
}

std::string_view to_string(Language language) {
  constexpr std::array<std::string_view, 3> kNames = {"none", "cpp", "python"};
  return kNames.at(static_cast<std::size_t>(language));
}

std::string_view to_string(FinishReason reason) {
  constexpr std::array<std::string_view, 4> kNames = {"eos", "stop", "length", "aborted"};
  return kNames.at(static_cast<std::size_t>(reason));
}

std::string_view to_string(Verdict verdict) {
  constexpr std::array<std::string_view, 10> kNames = {"AC", "WA", "PE", "CE", "RE", "TLE", "MLE", "OLE", "SV", "SE"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

}  // namespace plumb
