#!/bin/sh
# Compiles the simulated cuBLASLt: build.sh FOLDER makes FOLDER/libcublasLt.so.13. Tests load it in
# place of NVIDIA's. Without a C++ compiler, or on another platform than Linux on x86-64, there is
# none, and the tests that need it say so.
set -eu

library=$1/libcublasLt.so.13
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
platform=$(uname -s)-$(uname -m)
compiler=${CXX:-c++}

if [ "$platform" != Linux-x86_64 ] || ! command -v "$compiler" >/dev/null; then
  echo "no simulated cuBLASLt: it needs Linux on x86-64 and a C++ compiler ($compiler)"
  rm -f "$library"
  exit 0
fi
if [ -e "$library" ] && [ -z "$(find "$here" -type f -newer "$library")" ]; then
  exit 0
fi
mkdir -p "$1"
"$compiler" -std=c++17 -O2 -ffp-contract=off -fPIC -shared -fvisibility=hidden -Wall -Wextra \
  -Wl,-soname,libcublasLt.so.13 -o "$library.new" "$here"/*.cpp -ldl -lpthread
mv "$library.new" "$library"
