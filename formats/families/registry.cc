#include <array>

#include "formats/families/family.h"

namespace plumb {

#define PLUMB_FAMILY(name) extern const Family name;
#include "formats/families/families.inc"
#undef PLUMB_FAMILY

std::span<const Family* const> model_families() {
#define PLUMB_FAMILY(name) &name,
  static constexpr std::array kFamilies = {
#include "formats/families/families.inc"
  };
#undef PLUMB_FAMILY
  return kFamilies;
}

const Family* family_of(std::string_view model_type) {
  for (const Family* family : model_families()) {
    if (family->model_type == model_type) {
      return family;
    }
  }
  return nullptr;
}

}  // namespace plumb
