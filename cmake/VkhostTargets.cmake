# The functions that rooms, plugins and tests are declared with. Sources are listed by hand.
include(GoogleTest)

# Several build trees meet in one run of ctest (tools/test), so names and labels of tests tell them
# apart. Fixtures and resource locks that belong to one tree take the prefix too.
set(VKHOST_TEST_PREFIX "")
set(VKHOST_TEST_LABEL_SUFFIX "")
if(VKHOST_FUZZ)
  set(VKHOST_TEST_PREFIX "libfuzzer.")
  set(VKHOST_TEST_LABEL_SUFFIX "-libfuzzer")
elseif(VKHOST_SANITIZE MATCHES "address")
  set(VKHOST_TEST_PREFIX "asan.")
  set(VKHOST_TEST_LABEL_SUFFIX "-asan")
elseif(VKHOST_SANITIZE MATCHES "thread")
  set(VKHOST_TEST_PREFIX "tsan.")
  set(VKHOST_TEST_LABEL_SUFFIX "-tsan")
endif()

# One label per test: KIND, KIND-long (only `tools/test --long` runs those), and in the sanitizer
# builds KIND-asan and so on.
function(vkhost_test_label out kind long)
  set(kinds unit simulation integration conformance cluster fuzz bench)
  if(NOT kind IN_LIST kinds)
    message(FATAL_ERROR "A test's LABEL must be one of ${kinds}, not '${kind}'")
  endif()
  if(long)
    string(APPEND kind "-long")
  endif()
  set(${out} "${kind}${VKHOST_TEST_LABEL_SUFFIX}" PARENT_SCOPE)
endfunction()

# What every target of ours is built with.
function(vkhost_house_rules target)
  target_link_libraries(${target} PRIVATE
    $<BUILD_INTERFACE:vkhost-build> $<BUILD_INTERFACE:vkhost-warnings>
    $<BUILD_INTERFACE:vkhost-sanitizers>)
endfunction()

# Unity builds go by room and eight files at a time: a room shares one file-local name space, and
# two cores still have something to share.
function(vkhost_unity_groups target prefix)
  set(count 0)
  foreach(source IN LISTS ARGN)
    math(EXPR group "${count} / 8")
    set_source_files_properties("${source}" TARGET_DIRECTORY ${target}
                                PROPERTIES UNITY_GROUP "${prefix}_${group}")
    math(EXPR count "${count} + 1")
  endforeach()
endfunction()

# vkhost_room(NAME base SOURCES a.cpp … HEADERS a.hpp … [LIBRARIES …])
# Adds a folder of host/ to vkhost-core. Every header is also compiled alone, by the target
# all_verify_interface_header_sets. LIBRARIES are what only this room may use.
function(vkhost_room)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;HEADERS;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME)
    message(FATAL_ERROR "vkhost_room: NAME is missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_SOURCES)
    target_sources(vkhost-core PRIVATE ${arg_SOURCES})
    vkhost_unity_groups(vkhost-core ${arg_NAME} ${arg_SOURCES})
    # For those who compile a room once more, in their own way.
    list(TRANSFORM arg_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE sources)
    set_property(GLOBAL PROPERTY VKHOST_ROOM_SOURCES_${arg_NAME} ${sources})
  endif()
  if(arg_HEADERS)
    target_sources(vkhost-core PUBLIC FILE_SET headers_${arg_NAME} TYPE HEADERS
                   BASE_DIRS "${PROJECT_SOURCE_DIR}/host" FILES ${arg_HEADERS})
  endif()
  if(arg_LIBRARIES)
    target_link_libraries(vkhost-core PRIVATE ${arg_LIBRARIES})
  endif()
endfunction()

function(vkhost_shared_module target sources libraries)
  add_library(${target} MODULE ${sources})
  vkhost_house_rules(${target})
  target_link_libraries(${target} PRIVATE vkhost::sdk ${libraries})
  set(map "${PROJECT_SOURCE_DIR}/sdk/abi/plugin.map")
  target_link_options(${target} PRIVATE "-Wl,--version-script=${map}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT VKHOST_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(${target} PROPERTIES PREFIX "" LINK_DEPENDS "${map}")
endfunction()

# vkhost_add_plugin(NAME mock SOURCES … [LIBRARIES …])
# Target plugin-NAME, file lib/vkhost/plugins/vkhost-NAME.so, exporting vkp_plugin alone.
function(vkhost_add_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME)
    message(FATAL_ERROR "vkhost_add_plugin: NAME is missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  vkhost_shared_module(plugin-${arg_NAME} "${arg_SOURCES}" "${arg_LIBRARIES}")
  vkhost_unity_groups(plugin-${arg_NAME} ${arg_NAME} ${arg_SOURCES})
  set_target_properties(plugin-${arg_NAME} PROPERTIES
    OUTPUT_NAME "vkhost-${arg_NAME}" UNITY_BUILD_MODE GROUP
    LIBRARY_OUTPUT_DIRECTORY "${VKHOST_PLUGIN_OUTPUT_DIRECTORY}")
  install(TARGETS plugin-${arg_NAME} LIBRARY DESTINATION "${VKHOST_PLUGIN_INSTALL_DIR}"
          COMPONENT plugin-${arg_NAME})
endfunction()

# vkhost_add_fixture_plugin(NAME throws_in_create SOURCES … [LIBRARIES …])
# A plugin for tests only: target fixture-NAME, file tests/fixtures/NAME.so in the build tree.
# PLAIN drops the version script, for plugins whose very fault is what they export.
function(vkhost_add_fixture_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 arg "PLAIN" "NAME" "SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME)
    message(FATAL_ERROR
            "vkhost_add_fixture_plugin: NAME is missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_PLAIN)
    add_library(fixture-${arg_NAME} MODULE ${arg_SOURCES})
    vkhost_house_rules(fixture-${arg_NAME})
    target_link_libraries(fixture-${arg_NAME} PRIVATE vkhost::sdk ${arg_LIBRARIES})
  else()
    vkhost_shared_module(fixture-${arg_NAME} "${arg_SOURCES}" "${arg_LIBRARIES}")
  endif()
  set_target_properties(fixture-${arg_NAME} PROPERTIES
    PREFIX "" OUTPUT_NAME "${arg_NAME}" UNITY_BUILD OFF
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/fixtures")
endfunction()

# vkhost_add_test(NAME unit_base LABEL unit SOURCES … [LIBRARIES …] [DEPENDS targets…]
#                 [TIMEOUT seconds] [PLAIN] [NO_MAIN] [LONG] [ARGUMENTS …]
#                 [PROPERTIES ctest properties…])
# One executable tests/NAME, every case of it a ctest test called NAME.Suite.Case. PLAIN: one
# ctest test, success is exit code 0 (no GoogleTest). NO_MAIN: GoogleTest with a main of its own.
# DEPENDS: targets such as plugins that must be built before it runs. LONG: minutes, not seconds.
function(vkhost_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "PLAIN;NO_MAIN;LONG" "NAME;LABEL;TIMEOUT"
                        "SOURCES;LIBRARIES;DEPENDS;ARGUMENTS;PROPERTIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES)
    message(FATAL_ERROR
            "vkhost_add_test: NAME or SOURCES missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  vkhost_test_label(label "${arg_LABEL}" "${arg_LONG}")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
    if(NOT arg_LABEL STREQUAL "unit")
      set(arg_TIMEOUT 300)
    elseif(VKHOST_SANITIZE)
      set(arg_TIMEOUT 180)
    endif()
  endif()

  add_executable(${arg_NAME} ${arg_SOURCES})
  vkhost_house_rules(${arg_NAME})
  target_compile_options(${arg_NAME} PRIVATE ${VKHOST_TEST_OPTIONS})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LIBRARIES})
  # No unity build: every test file has a `Fixture` of its own.
  set_target_properties(${arg_NAME} PROPERTIES
    UNITY_BUILD OFF
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  if(arg_DEPENDS)
    add_dependencies(${arg_NAME} ${arg_DEPENDS})
  endif()
  set(name "${VKHOST_TEST_PREFIX}${arg_NAME}")
  if(arg_PLAIN)
    add_test(NAME ${name} COMMAND ${arg_NAME} ${arg_ARGUMENTS})
    set_tests_properties(${name} PROPERTIES
      LABELS "${label}" TIMEOUT ${arg_TIMEOUT} ${arg_PROPERTIES})
    return()
  endif()
  target_link_libraries(${arg_NAME} PRIVATE GTest::gmock)
  if(NOT arg_NO_MAIN)
    target_link_libraries(${arg_NAME} PRIVATE GTest::gmock_main)
  endif()
  gtest_discover_tests(${arg_NAME} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    TEST_PREFIX "${name}." EXTRA_ARGS ${arg_ARGUMENTS}
    PROPERTIES LABELS "${label}" TIMEOUT ${arg_TIMEOUT} ${arg_PROPERTIES})
endfunction()

# vkhost_add_check(NAME check_rooms COMMAND … [LABEL unit] [TIMEOUT seconds] [SANITIZED] [LONG]
#                  [PROPERTIES ctest properties…])
# A script as a ctest test, run in the source folder; in sanitizer builds only with SANITIZED.
function(vkhost_add_check)
  cmake_parse_arguments(PARSE_ARGV 0 arg "SANITIZED;LONG" "NAME;LABEL;TIMEOUT" "COMMAND;PROPERTIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_COMMAND)
    message(FATAL_ERROR
            "vkhost_add_check: NAME or COMMAND missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(VKHOST_SANITIZE AND NOT arg_SANITIZED)
    return()
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  vkhost_test_label(label "${arg_LABEL}" "${arg_LONG}")
  set(name "${VKHOST_TEST_PREFIX}${arg_NAME}")
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES
    LABELS "${label}" TIMEOUT ${arg_TIMEOUT} ${arg_PROPERTIES})
endfunction()

# vkhost_add_fuzzer(NAME fuzz_json_text SOURCES … [LIBRARIES …])
# SOURCES define LLVMFuzzerTestOneInput; the corpus is the folder corpus/NAME beside them. Preset
# fuzz makes a libFuzzer program of it, part of the target `fuzzers`, and fuzzes for
# VKHOST_FUZZ_SECONDS; every other preset replays the corpus. OPTIONS are libFuzzer's.
function(vkhost_add_fuzzer)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;LIBRARIES;OPTIONS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES)
    message(FATAL_ERROR
            "vkhost_add_fuzzer: NAME or SOURCES missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${arg_NAME}")
  if(NOT EXISTS "${corpus}")
    message(FATAL_ERROR "vkhost_add_fuzzer: ${corpus} is missing; a few small inputs will do")
  endif()
  if(VKHOST_FUZZ)
    # New inputs go to the build tree; what is worth keeping is copied to the corpus by hand.
    file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz/${arg_NAME}")
    math(EXPR timeout "${VKHOST_FUZZ_SECONDS} + 120")
    vkhost_add_test(NAME ${arg_NAME} LABEL fuzz PLAIN TIMEOUT ${timeout}
      SOURCES ${arg_SOURCES} LIBRARIES ${arg_LIBRARIES}
      ARGUMENTS -max_total_time=${VKHOST_FUZZ_SECONDS} -rss_limit_mb=2048 -timeout=10
                ${arg_OPTIONS}
                "-artifact_prefix=${PROJECT_BINARY_DIR}/fuzz/${arg_NAME}-"
                "${PROJECT_BINARY_DIR}/fuzz/${arg_NAME}" "${corpus}")
    target_link_options(${arg_NAME} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${arg_NAME})
  else()
    vkhost_add_test(NAME ${arg_NAME} LABEL fuzz PLAIN
      SOURCES ${arg_SOURCES} "${PROJECT_SOURCE_DIR}/tests/support/replay_corpus.cpp"
      LIBRARIES ${arg_LIBRARIES} ARGUMENTS "${corpus}")
  endif()
  target_include_directories(${arg_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
endfunction()
