#!/bin/sh
# Builds the kernels of this folder. build.sh device FOLDER: with nvcc, a cubin of each source for
# each kind of GPU, and PTX for the others. build.sh emulated FOLDER: with a C++ compiler, the library
# in which the kernels run on the CPU, for tests. Without the compiler it says so and leaves the
# folder empty. What is up to date stays.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cubins=$2
objects=$2/objects
library=$2/libmillrace_cuda_emulated.so
compiler=${CXX:-c++}
nvcc=${NVCC:-nvcc}
sources=$(cd "$here" && ls ./*.cu | sed 's:^\./::; s:\.cu$::')

# Two at a time, as a source is compiled by one thread.
pairwise() {
  running=
  for source in $sources; do
    "$1" "$source" &
    if [ -n "$running" ]; then
      wait "$running"
    fi
    running=$!
  done
  wait "$running"
}

# up_to_date FILE SOURCE FOLDER...: newer than its source, this script and the headers of the folders
up_to_date() {
  file=$1
  source=$2
  shift 2
  [ -e "$file" ] && [ -z "$(find "$source" "$here/build.sh" -newer "$file"
    find "$@" -maxdepth 1 \( -name '*.cuh' -o -name '*.h' \) -newer "$file")" ]
}

emulate() {
  object=$objects/$1.o
  up_to_date "$object" "$here/$1.cu" "$here" "$here/emulator" || "$compiler" $flags -mfma -mf16c \
    -x c++ -c "$here/$1.cu" -o "$object"
}

flags="-std=c++20 -O2 -fPIC -fvisibility=hidden -ffp-contract=off -fno-strict-aliasing -Wall -Wextra -Wno-unknown-pragmas"

build_emulated() {
  if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
    echo "no emulated CUDA kernels for $(uname -s)-$(uname -m)"
    rm -rf "$objects" "$library"
  elif ! command -v "$compiler" >/dev/null; then
    echo "no C++ compiler ($compiler): no emulated CUDA kernels; on Debian: apt-get install g++"
    rm -rf "$objects" "$library"
  else
    mkdir -p "$objects"
    # shellcheck disable=SC2086 # flags are words
    pairwise emulate
    object=$objects/emulator.o
    # shellcheck disable=SC2086
    up_to_date "$object" "$here/emulator/emulator.cpp" "$here/emulator" ||
      "$compiler" $flags -c "$here/emulator/emulator.cpp" -o "$object"
    if ! [ -e "$library" ] || [ -n "$(find "$objects" -type f -newer "$library")" ]; then
      # a process that has the old one mapped keeps it; objects may be left of sources that are gone
      set -- "$objects/emulator.o"
      for source in $sources; do
        set -- "$@" "$objects/$source.o"
      done
      "$compiler" -shared -o "$library.new" "$@"
      mv "$library.new" "$library"
    fi
  fi
}

translate() {
  up_to_date "$cubins/$1.ptx" "$here/$1.cu" "$here" && return
  for arch in 80 89 90a; do
    "$nvcc" -std=c++17 -O3 "-gencode=arch=compute_$arch,code=sm_$arch" -cubin \
      -o "$cubins/$1.sm_$arch.cubin" "$here/$1.cu"
  done
  "$nvcc" -std=c++17 -O3 -arch=compute_80 -ptx -o "$cubins/$1.ptx" "$here/$1.cu"
}

build_device() {
  if ! command -v "$nvcc" >/dev/null; then
    echo "no nvcc ($nvcc): built without CUDA kernels; the CUDA toolkit 13 brings it"
    rm -rf "$cubins"
  else
    mkdir -p "$cubins"
    pairwise translate
  fi
}

case $1 in
  device) build_device ;;
  emulated) build_emulated ;;
  *)
    echo "build.sh device|emulated FOLDER" >&2
    exit 64
    ;;
esac
