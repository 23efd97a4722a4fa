# Sanitizers of the presets asan and tsan, as one usage requirement.
add_library(vkhost-sanitizers INTERFACE)
if(VKHOST_SANITIZE)
  target_compile_options(vkhost-sanitizers INTERFACE
    "-fsanitize=${VKHOST_SANITIZE}" -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(vkhost-sanitizers INTERFACE "-fsanitize=${VKHOST_SANITIZE}")
  if(VKHOST_SANITIZE MATCHES "thread")
    # -O0 makes thread sanitizer runs several times slower. Address and undefined together stay
    # at -O0: gcc 12 needs three times as long for a file at -O1 -g.
    target_compile_options(vkhost-sanitizers INTERFACE -O1)
  endif()
endif()
if(VKHOST_FUZZ)
  target_compile_options(vkhost-sanitizers INTERFACE -fsanitize=fuzzer-no-link)
endif()
