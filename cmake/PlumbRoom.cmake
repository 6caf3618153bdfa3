# A room is one folder, one static library, one test binary. Sources are every .cc of the folder (and of the subfolders
# named with SUBFOLDERS); adding a file needs no edit here.

# plumb_room(NAME name [SUBFOLDERS dir...] [DEPENDS room-or-target...])
# e.g. plumb_room(NAME tokenizer DEPENDS plumb_formats) makes the target plumb_tokenizer.
function(plumb_room)
  cmake_parse_arguments(ROOM "" "NAME" "SUBFOLDERS;DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  foreach(folder ${ROOM_SUBFOLDERS})
    file(GLOB more CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cc)
    list(APPEND sources ${more})
  endforeach()
  if(NOT sources)
    message(STATUS "room ${ROOM_NAME} holds no sources: skipped")
    return()
  endif()
  add_library(plumb_${ROOM_NAME} STATIC ${sources})
  target_link_libraries(plumb_${ROOM_NAME} PUBLIC plumb_flags ${ROOM_DEPENDS})
endfunction()

# plumb_room_test(NAME name [DEPENDS target...] [ENVIRONMENT A=b...]): one GoogleTest binary from every *_test.cc of the
# calling folder; each TEST is one ctest entry.
function(plumb_room_test)
  cmake_parse_arguments(ROOM "" "NAME" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${ROOM_NAME}_test ${sources})
  target_link_libraries(${ROOM_NAME}_test PRIVATE ${ROOM_DEPENDS} GTest::gtest_main)
  target_compile_definitions(${ROOM_NAME}_test PRIVATE PLUMB_SOURCE_DIR="${CMAKE_SOURCE_DIR}" PLUMB_BINARY_DIR="${CMAKE_BINARY_DIR}")
  include(GoogleTest)
  gtest_discover_tests(${ROOM_NAME}_test DISCOVERY_TIMEOUT 60 TEST_PREFIX "${ROOM_NAME}." PROPERTIES LABELS ${ROOM_NAME})
endfunction()

# plumb_fuzz_target(NAME name SOURCE file [DEPENDS target...]): a libFuzzer binary where fuzzers are built; the target
# `fuzzers` builds them all. Seeds: tests/fuzz/corpus/<name>/.
function(plumb_fuzz_target)
  cmake_parse_arguments(FUZZ "" "NAME;SOURCE" "DEPENDS" ${ARGN})
  if(PLUMB_BUILD_FUZZERS)
    if(NOT TARGET fuzzers)
      add_custom_target(fuzzers)
    endif()
    add_executable(fuzz_${FUZZ_NAME} ${FUZZ_SOURCE})
    add_dependencies(fuzzers fuzz_${FUZZ_NAME})
    target_link_libraries(fuzz_${FUZZ_NAME} PRIVATE ${FUZZ_DEPENDS})
    target_link_options(fuzz_${FUZZ_NAME} PRIVATE -fsanitize=fuzzer)
  endif()
endfunction()
