# Writes OUTPUT, a header with the commit that SOURCE is at; leaves it alone where it says so already, so that nothing is
# rebuilt. Run at each build: what a manifest says about its binary has to be true of the binary.
# cmake -DSOURCE=<repository> -DOUTPUT=<header> -P GitCommit.cmake
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE absent)
if(absent)
  set(commit "unknown")
else()
  execute_process(COMMAND git -C ${SOURCE} --no-optional-locks diff --quiet HEAD -- RESULT_VARIABLE dirty ERROR_QUIET)
  if(dirty)
    string(APPEND commit "-dirty")
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#pragma once\n#define PLUMB_GIT_COMMIT \"${commit}\"\n" @ONLY)
