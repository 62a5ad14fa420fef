#!/usr/bin/env bash
# Checks the sources with clang-tidy and the checks of .clang-tidy; it ends with 1 if there is something to mend.
# Usage: tidy.sh [FOLDER...]   (default: kernels/cpu src tools; the whole takes about an hour of CPU time)
# The files are checked in the batches in which they are compiled (CMAKE_UNITY_BUILD): most of the time goes into
# reading the headers of the standard library, once for each batch.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$PWD/build-tidy
for version in '' -14 -15 -16 -17 -18 -19; do
  command -v "clang-tidy$version" >/dev/null && tidy=clang-tidy$version
done
[ -n "${tidy:-}" ] || { echo "install clang-tidy" >&2; exit 1; }
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ -DFP8Q_TESTS=OFF -DFP8Q_CUDA=OFF >/dev/null
[ $# -gt 0 ] || set -- kernels/cpu src tools
folders=$(IFS='|' && echo "$*")
sed -n 's/^ *"file": "\(.*\)",\?$/\1/p' "$build/compile_commands.json" |
  grep -E "^($PWD|$build)/($folders)/" | sort -u |
  xargs -P "$(nproc)" -n 1 "$tidy" --quiet -p "$build" 2>/dev/null
