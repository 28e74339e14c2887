#!/bin/sh
# Compiles the kernels of this folder into one library: build.sh FOLDER. Without a C compiler, or on
# a platform that they are not written for, it says so and leaves the folder empty: the engine then
# computes in Java.
set -eu

library=$1/libmillrace_cpu.so
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
platform=$(uname -s)-$(uname -m)
compiler=${CC:-cc}

if [ "$platform" != Linux-x86_64 ]; then
  echo "no native kernels for $platform"
  rm -f "$library"
  exit 0
fi
if ! command -v "$compiler" >/dev/null; then
  echo "no C compiler ($compiler): built without native kernels; on Debian: apt-get install gcc libc6-dev"
  rm -f "$library"
  exit 0
fi
if [ -e "$library" ] && [ -z "$(find "$here" -type f -newer "$library")" ]; then
  exit 0
fi

objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
flags="-std=gnu11 -O3 -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra"

compile() {
  isa=$1
  shift
  # shellcheck disable=SC2086 # flags are words
  for source in product rows attention; do
    "$compiler" $flags "$@" "-DISA=$isa" -c "$here/$source.c" -o "$objects/$source-$isa.o"
  done
}

compile avx512 -DLANES=16 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c -mprefer-vector-width=512 &
other=$!
compile avx2 -DLANES=8 -mavx2 -mfma -mf16c
wait "$other"
for source in isa guard; do
  "$compiler" $flags -c "$here/$source.c" -o "$objects/$source.o"
done
mkdir -p "$1"
"$compiler" -shared -o "$library" "$objects"/*.o
