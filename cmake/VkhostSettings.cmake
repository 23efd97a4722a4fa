# Language levels, output folders, options, compiler cache. No option changes behaviour.
option(VKHOST_TESTS "Build the tests" ON)
option(VKHOST_FUZZ "Build the fuzzers with libFuzzer (clang)" OFF)
set(VKHOST_FUZZ_SECONDS 60 CACHE STRING "How long a test of preset fuzz looks for new inputs")
option(VKHOST_COVERAGE "Instrument for gcovr" OFF)
set(VKHOST_SANITIZE "" CACHE STRING "Value for -fsanitize= (address,undefined or thread)")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_LINK_DEPENDS_NO_SHARED ON)

# The build tree looks like an installed prefix, so that the daemon finds its plugins in
# ../lib/vkhost/plugins whether it was installed or not.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(VKHOST_PLUGIN_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib/vkhost/plugins")
set(VKHOST_PLUGIN_INSTALL_DIR "${CMAKE_INSTALL_LIBDIR}/vkhost/plugins")

# A launcher rather than an exported variable: plain `ninja` then hits the cache as well, and a
# clone in another folder shares it (with the prefix map below).
find_program(VKHOST_CCACHE ccache)
mark_as_advanced(VKHOST_CCACHE)
if(VKHOST_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(vkhost_launcher env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "${VKHOST_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${vkhost_launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${vkhost_launcher})
endif()

# Every target of ours links vkhost-build: paths in binaries, linker, hardening, coverage.
add_library(vkhost-build INTERFACE)
target_compile_options(vkhost-build INTERFACE "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
target_compile_definitions(vkhost-build INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
find_program(VKHOST_LLD ld.lld)
mark_as_advanced(VKHOST_LLD)
if(VKHOST_LLD)
  target_link_options(vkhost-build INTERFACE -fuse-ld=lld)
endif()
if(NOT VKHOST_SANITIZE)
  target_compile_options(vkhost-build INTERFACE -fstack-protector-strong)
  target_compile_definitions(vkhost-build INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(vkhost-build INTERFACE -Wl,-z,relro -Wl,-z,now)
if(VKHOST_COVERAGE)
  target_compile_options(vkhost-build INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(vkhost-build INTERFACE --coverage)
endif()

# Test code is compiled for speed of the compiler: it is the larger half of the tree, is run once,
# and what it tests keeps its own options.
set(VKHOST_TEST_OPTIONS "")
if(VKHOST_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  set(VKHOST_TEST_OPTIONS -O0 -g1 -U_FORTIFY_SOURCE)
endif()
