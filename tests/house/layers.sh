#!/usr/bin/env bash
# Checks that every folder includes only from the folders its row in src/README.md allows (see the table there).
# Usage: layers.sh REPOSITORY
set -euo pipefail
cd "$1"

# Maps a folder to the folders that it may name in an #include, apart from itself.
declare -A may=(
  [include/fp8q]="fp8q"
  [src/base]="fp8q"
  [src/json]="base fp8q"
  [src/numeric]="base fp8q"
  [src/tensor]="numeric base fp8q"
  [src/graph]="tensor numeric base fp8q"
  [src/onnx]="graph tensor numeric base fp8q"
  [src/interpreter]="graph tensor numeric base fp8q"
  [src/encoder]="interpreter graph tensor numeric base fp8q"
  [src/engine]="encoder interpreter graph tensor numeric json base fp8q kernels"
  [src/calibrate]="graph tensor numeric json base fp8q"
  [src/quantize]="calibrate graph tensor numeric json base fp8q"
  [src/text]="json base fp8q"
  [src/tasks]="text json base fp8q"
  [src/evaluate]="engine encoder tasks text graph tensor numeric json base fp8q"
  [src/study]="evaluate engine encoder interpreter quantize calibrate graph tensor numeric json base fp8q"
  [src/session]="study evaluate engine encoder interpreter quantize calibrate onnx tasks text graph tensor numeric json base fp8q"
  [src/report]="calibrate graph tensor numeric json base fp8q"
  [src/api]="session study report evaluate engine encoder interpreter quantize calibrate onnx tasks text graph tensor numeric json base fp8q"
  [kernels/cpu]="numeric kernels hwy"
  [kernels/cuda]="numeric kernels tests"  # tests/cuda_sim, only in tests
  [tools/bench]="session study engine encoder graph tensor numeric tasks text kernels base fp8q"
  [tools/fp8q]="report json base fp8q tools"
)

errors=0
for folder in "${!may[@]}"; do
  own=${folder#src/}
  [[ $folder == src/* ]] || own=${folder%%/*}
  while IFS=: read -r file line text; do
    [[ $text =~ \#include\ \"([^/\"]+)/ ]] || continue
    part=${BASH_REMATCH[1]}
    [[ $part == "$own" || " ${may[$folder]} " == *" $part "* ]] && continue
    echo "$file:$line: $folder must not include from $part"
    errors=$((errors + 1))
  done < <(grep -rnE --include='*.h' --include='*.cc' --include='*.def' --include='*.cu' --include='*.cuh' --include='*.inc' '^#include "' "$folder" || true)
done
for folder in src/*/; do
  [[ -v may[${folder%/}] ]] || { echo "${folder}: has no row in tests/house/layers.sh"; errors=$((errors + 1)); }
done

# home PREFIX PLACE...: only files in these places include <PREFIX...>. A library with large headers, or one that would tie the
# whole program to it, has one home.
home() {
  local prefix=$1 allowed=() place found
  shift
  for place in "$@"; do allowed+=(-e "^$place"); done
  while read -r found; do
    echo "$found: only $* may include <$prefix...>"
    errors=$((errors + 1))
  done < <(grep -rnoE "#include <($prefix)[^>]*" include src kernels tools | grep -v "${allowed[@]}" || true)
}
home nlohmann src/json/
home CLI/ tools/fp8q/command_line.cc
home hwy/ kernels/cpu/
home onnx/ src/onnx/
home 'cuda|cublas' src/engine/cuda/ kernels/cuda/
exit $((errors > 0))
