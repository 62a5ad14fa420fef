#!/usr/bin/env bash
# Builds everything once without a compiler cache and ranks the files by the CPU time that compiling them took.
#
# Usage: compile_times.sh [-n FILES] [TARGET...]     (default: the 30 slowest files; all targets)
# The table is printed. The times of all files stay in build-times/compile_times.txt, as seconds and
# file.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-times
record=$build/compile_times.txt

# As the compiler's launcher, the script runs the compiler and adds its seconds (of all its
# processes) to the record.
if [ "${1:-}" = --launch ]; then
  shift
  TIMEFORMAT='%U %S'
  output='?' previous=
  for argument in "$@"; do
    [ "$previous" = -o ] && output=$argument
    previous=$argument
  done
  code=0
  exec 3>&1 4>&2
  seconds=$({ time "$@" 1>&3 2>&4; } 2>&1) || code=$?
  awk -v file="$output" '{ printf "%.2f %s\n", $1 + $2, file }' <<<"$seconds" >>"$record"
  exit "$code"
fi

files=30
if [ "${1:-}" = -n ]; then
  files=$2
  shift 2
fi
rm -rf "$build"
mkdir -p "$build"
launcher="$root/scripts/compile_times.sh;--launch"
cmake -S "$root" -B "$build" -G Ninja -DFP8Q_TESTS=ON \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" -DCMAKE_CUDA_COMPILER_LAUNCHER="$launcher" >"$build/configure.log"
targets=()
for target in "$@"; do targets+=(--target "$target"); done
cmake --build "$build" "${targets[@]}" >"$build/build.log" || { tail -n 50 "$build/build.log"; exit 1; }

sed -i -E 's|CMakeFiles/[^/]*\.dir/||; s|\.o$||' "$record"
sort -rn "$record" | head -n "$files"
# Prints sums by the first two folders, then the sum of all.
awk '{ split($2, part, "/"); folder = part[1] "/" part[2]; sum[folder] += $1; count[folder]++; all += $1 }
  END { for (f in sum) printf "%8.1f s  %3d files  %s\n", sum[f], count[f], f
        printf "%8.1f s  %3d files  all\n", all, NR }' "$record" | sort -n
