# All third-party code: it comes from the system (Debian 12), never downloaded by the build.
# Minimum version = what Debian 12 ships; the reason says what would be missing without it.
# The room that may use each library is in tools/rooms.toml.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# HTTP messages, sockets, thread pools, object JSON. NetSSL is left out: it cannot share one
# connection between two threads, so the TLS socket is our own, straight on OpenSSL.
find_package(Poco 1.11 REQUIRED COMPONENTS Foundation Net JSON Util)
# TLS and certificates; 3.0 is the first with the providers API.
find_package(OpenSSL 3.0 REQUIRED)
# Gzip: answers of the API server and of the kubelet API.
find_package(ZLIB 1.2 REQUIRED)
# Logging; the compiled library, as headers alone cost three seconds per file.
find_package(spdlog 1.10 REQUIRED)
find_package(fmt 9 REQUIRED)
# Settings. pkg-config, as Debian compiles the library and its CMake file does not say so.
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus>=3.3)
# Kubeconfig and pod manifests.
pkg_check_modules(YAMLCPP REQUIRED IMPORTED_TARGET yaml-cpp>=0.7)
# Cutting lists and watch events; on-demand parsing needs 1.0, raw slices of it 3.0.
find_package(simdjson 3.0 REQUIRED)
# Headers only: loading of libraries (Boost.DLL on std::filesystem).
find_package(Boost 1.74 REQUIRED)
# Headers only: settings of a plugin against its JSON schema.
find_path(VALIJSON_INCLUDE_DIR valijson/validator.hpp REQUIRED)
mark_as_advanced(VALIJSON_INCLUDE_DIR)

if(VKHOST_TESTS)
  # gmock for its matchers; 1.12 is the first with ctest discovery of long parameter lists.
  find_package(GTest 1.12 REQUIRED)
endif()
