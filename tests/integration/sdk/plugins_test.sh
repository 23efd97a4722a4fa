#!/bin/bash
# Install component sdk into a scratch prefix and build C++ plugins against it, outside this tree:
# the template that comes with the SDK (with find_package and with pkg-config, and its own test) and
# the mock. Arguments: build folder, C and C++ compiler.
set -euo pipefail
build=$1 cc=$2 cxx=$3
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The same compilations every time, if only the scratch folder had the same name.
launcher=()
if command -v ccache >/dev/null; then
  export CCACHE_BASEDIR=$scratch CCACHE_NOHASHDIR=1
  launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi

# quietly COMMAND…: its output only when it fails.
quietly() {
  if ! "$@" >"$scratch/log" 2>&1; then
    cat "$scratch/log" >&2
    echo "failed: $*" >&2
    exit 1
  fi
}

# cmake_project SOURCE BUILD: configures and builds with the compilers and the SDK of this test.
cmake_project() {
  quietly cmake -G Ninja -S "$1" -B "$2" -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS=-Werror "${launcher[@]}"
  quietly cmake --build "$2" --parallel 2
}

exports_its_table_alone() {
  local symbols
  symbols=$(nm --dynamic --defined-only --format=posix "$1" | cut -d' ' -f1)
  if [ "$symbols" != "vkp_plugin" ]; then
    echo "$1 exports '$symbols' instead of vkp_plugin alone" >&2
    exit 1
  fi
}

# The head of the table is what the host reads before it loads any code: no relocation may touch
# its first 24 bytes.
has_a_constant_head() {
  local table
  table=$(nm --dynamic --defined-only "$1" | awk '$3 == "vkp_plugin" { print $1 }')
  readelf --relocs --wide "$1" | awk '{ print $1 }' | while read -r place; do
    if [[ $place =~ ^[0-9a-f]{12,16}$ ]] &&
      ((16#$place >= 16#$table && 16#$place < 16#$table + 24)); then
      echo "$1: the head of vkp_plugin has a relocation at $place" >&2
      exit 1
    fi
  done
}

quietly cmake --install "$build" --component sdk --prefix "$scratch/prefix"
cp -r "$scratch/prefix/share/vkhost-sdk/template" "$scratch/template"
mkdir "$scratch/mock"
cp "$here"/../../../plugins/mock/*.?pp "$here"/../../../plugins/mock/CMakeLists.txt "$scratch/mock"

cmake_project "$scratch/template" "$scratch/build-template"
quietly ctest --test-dir "$scratch/build-template" --no-tests=error
cmake_project "$scratch/mock" "$scratch/build-mock"

export PKG_CONFIG_PATH="$scratch/prefix/share/pkgconfig"
read -ra flags <<<"$(pkg-config --cflags vkhost-sdk)"
map=$(pkg-config --variable=plugin_map vkhost-sdk)
quietly "$cxx" -std=c++17 -Wall -Wextra -Werror -fPIC -shared "${flags[@]}" \
  "-Wl,--version-script=$map" -o "$scratch/by-pkg-config.so" "$scratch/template/plugin.cpp" \
  -lPocoJSON -lPocoFoundation

for plugin in "$scratch/build-template/hello.so" "$scratch/by-pkg-config.so" \
  "$scratch/build-mock/vkhost-mock.so"; do
  exports_its_table_alone "$plugin"
  has_a_constant_head "$plugin"
done
echo "template and mock build outside the tree"
