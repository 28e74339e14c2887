#!/bin/sh
# Compiles the kernels of this folder into one library: build.sh FOLDER. Without a C compiler, or on
# a platform that they are not written for, it says so and leaves the folder empty: the engine then
# computes in Java.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
platform=$(uname -s)-$(uname -m)
compiler=${CC:-cc}

if [ "$platform" != Linux-x86_64 ]; then
  echo "no native kernels for $platform"
  exit 0
fi
if ! command -v "$compiler" >/dev/null; then
  echo "no C compiler ($compiler): built without native kernels; on Debian: apt-get install gcc libc6-dev"
  exit 0
fi

objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
flags="-std=gnu11 -O3 -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra -Werror"

compile() {
  isa=$1
  shift
  for source in product rows attention; do
    "$compiler" $flags "$@" "-DISA=$isa" -c "$here/$source.c" -o "$objects/$source-$isa.o"
  done
}

compile avx512 -DLANES=16 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c -mprefer-vector-width=512
compile avx2 -DLANES=8 -mavx2 -mfma -mf16c
"$compiler" $flags -c "$here/isa.c" -o "$objects/isa.o"
mkdir -p "$1"
"$compiler" -shared -o "$1/libmillrace_cpu.so" "$objects"/*.o
