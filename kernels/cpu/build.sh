#!/bin/sh
# Compiles the kernels of this folder into one library: build.sh FOLDER. Without a C compiler, or on
# a platform that they are not written for, it says so and leaves the folder empty: the engine then
# computes in Java. build.sh FOLDER emulated: a library for tests, with AMX's kernels on emulated
# tiles, and those that they need beside them.
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
[ "${2:-}" != emulated ] || flags="$flags -DEMULATED_TILES"

# compile SET FLAGS SOURCE ...
compile() {
  set=$1
  options=$2
  shift 2
  for source; do
    # shellcheck disable=SC2086 # flags are words
    "$compiler" $flags $options "-DISA=$set" -c "$here/$source.c" -o "$objects/$source-$set.o"
  done
}

avx2="-DLANES=8 -mavx2 -mfma -mf16c"
avx512="-DLANES=16 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl
  -mprefer-vector-width=512"
avx512bf16="$avx512 -mavx512bf16 -mavx512vbmi"
amx="$avx512bf16 -mamx-tile -mamx-bf16"

{
  # -O3 makes twice as many loops of its blocks, which are no faster
  compile avx512bf16 "$avx512bf16 -O2" bfloat
  compile avx512bf16 "$avx512bf16" product rows attention
  compile avx512vnni "$avx512 -mavx512vnni" quantise integers
} &
other=$!
if [ "${2:-}" != emulated ]; then
  compile avx512 "$avx512" product rows attention
  compile avx2 "$avx2" product rows attention
fi
compile amx "$amx" tiled
wait "$other"
for source in isa arrange guard measure; do
  # shellcheck disable=SC2086
  "$compiler" $flags -c "$here/$source.c" -o "$objects/$source.o"
done
mkdir -p "$1"
"$compiler" -shared -o "$library" "$objects"/*.o -lm
