#!/bin/bash
# Install component sdk into a scratch prefix, move that, and build a plugin against it with
# find_package(vkhost-sdk) and with pkg-config. Arguments: build folder, C and C++ compiler.
set -euo pipefail
build=$1 cc=$2 cxx=$3
consumer=$(cd "$(dirname "$0")" && pwd)/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake --install "$build" --component sdk --prefix "$scratch/first" >/dev/null
mv "$scratch/first" "$scratch/prefix"
if find "$scratch/prefix" -type f | grep -vE '/(include/vkhost|share)/'; then
  echo "the sdk component installed the files above, which do not belong to it" >&2
  exit 1
fi
if grep -rnF -e "$scratch/first" -e "$(pwd)" "$scratch/prefix"; then
  echo "the files above name the folder of the build" >&2
  exit 1
fi

if ! { cmake -G Ninja -S "$consumer" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" \
  -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" &&
  cmake --build "$scratch/build"; } >"$scratch/log" 2>&1; then
  cat "$scratch/log"
  exit 1
fi

export PKG_CONFIG_PATH="$scratch/prefix/share/pkgconfig"
read -ra flags <<<"$(pkg-config --cflags vkhost-sdk)"
map=$(pkg-config --variable=plugin_map vkhost-sdk)
"$cc" -std=c99 -Wall -Wextra -Werror -fPIC -shared "${flags[@]}" "-Wl,--version-script=$map" \
  -o "$scratch/by-pkg-config.so" "$consumer/consumer.c"

for plugin in "$scratch/build/consumer.so" "$scratch/by-pkg-config.so"; do
  symbols=$(nm --dynamic --defined-only --format=posix "$plugin" | cut -d' ' -f1)
  if [ "$symbols" != "vkp_plugin" ]; then
    echo "$plugin exports '$symbols' instead of vkp_plugin alone" >&2
    exit 1
  fi
done
echo "installed, moved, found twice: $(pkg-config --modversion vkhost-sdk)"
