# FLINT 2.9 with Arb, Antic and Calcium (all LGPL, shared libraries) as Flint::Flint. Debian 12 has no CMake files for them.
find_path(Flint_INCLUDE_DIR flint/fmpq.h)
find_path(Arb_INCLUDE_DIR acb.h)
find_path(Calcium_INCLUDE_DIR calcium/ca.h)
find_library(Flint_LIBRARY flint)
find_library(Arb_LIBRARY NAMES flint-arb arb)
find_library(Antic_LIBRARY antic)
find_library(Calcium_LIBRARY calcium)
find_library(Gmp_LIBRARY gmp)
find_library(Mpfr_LIBRARY mpfr)
set(flint_parts Flint_LIBRARY Arb_LIBRARY Antic_LIBRARY Calcium_LIBRARY Gmp_LIBRARY Mpfr_LIBRARY
  Flint_INCLUDE_DIR Arb_INCLUDE_DIR Calcium_INCLUDE_DIR)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Flint REQUIRED_VARS ${flint_parts})
mark_as_advanced(${flint_parts})
if(Flint_FOUND AND NOT TARGET Flint::Flint)
  add_library(Flint::Flint INTERFACE IMPORTED)
  set_target_properties(Flint::Flint PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${Flint_INCLUDE_DIR};${Arb_INCLUDE_DIR};${Calcium_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES
      "${Calcium_LIBRARY};${Antic_LIBRARY};${Arb_LIBRARY};${Flint_LIBRARY};${Mpfr_LIBRARY};${Gmp_LIBRARY}")
endif()
