# Build-wide switches and the flags that the exactness promise rests on.

option(PLUMB_BUILD_TESTS "Build the test binaries" ON)
option(PLUMB_BUILD_FUZZERS "Build the libFuzzer targets (clang only)" OFF)
set(PLUMB_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
set(PLUMB_MARCH "native" CACHE STRING "Instruction set of the binary; bits hold for one instruction set")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_library(plumb_flags INTERFACE)
target_include_directories(plumb_flags INTERFACE ${CMAKE_SOURCE_DIR})
# No contraction and no value-changing option anywhere: fused operations are written out as std::fma, so the bits of a
# result are a matter of the source. -fno-math-errno and -fno-trapping-math change no value; they let loops vectorise.
target_compile_options(plumb_flags INTERFACE
  -march=${PLUMB_MARCH} -ffp-contract=off -fno-math-errno -fno-trapping-math
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # g++ 12 reports "literal" + std::string as an overlapping copy (GCC bug 105651), which it is not.
  target_compile_options(plumb_flags INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(plumb_flags INTERFACE -Wdocumentation -Wno-documentation-unknown-command)
endif()
if(PLUMB_SANITIZE)
  target_compile_options(plumb_flags INTERFACE -fsanitize=${PLUMB_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(plumb_flags INTERFACE -fsanitize=${PLUMB_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # The instrumented code of a std::variant looks uninitialised to g++ 12; the release build keeps the warning.
    target_compile_options(plumb_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
if(PLUMB_BUILD_FUZZERS)
  target_compile_options(plumb_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
