# The warnings every target of ours is built with; the presets make them errors. Not among them:
# -Wnull-dereference, which gcc 12 reports in the standard library's own code at -O2; the analyzer
# of clang-tidy looks for the same. Clang blames whoever calls std::stable_sort for a deprecated call
# inside libstdc++ 12; gcc looks for deprecated calls of our own.
add_library(vkhost-warnings INTERFACE)
target_compile_options(vkhost-warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align
  -Wdouble-promotion -Wformat=2 -Wundef
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
  $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wduplicated-cond>
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wduplicated-branches>
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wlogical-op>
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wuseless-cast>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety-beta>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-deprecated-declarations>)
