#!/usr/bin/env bash
# Runs every step on a BERT of 3 GB with random weights, whose weights are in a file of their own, within --max-memory. Shows what
# each step planned and took, and fails if a step allocated more than it planned. Takes 9 GB of disk in FOLDER, 4 GB of memory and some
# minutes. Usage: scripts/large_model.sh [FOLDER [BUILD]]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${2:-build}
if [ $# -gt 0 ]; then
  folder=$1
  mkdir -p "$folder"
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
ninja -C "$build" fp8q make_large_model >/dev/null
fp8q=$(realpath "$build/bin/fp8q")
make=$(realpath "$build/tests/cli/make_large_model")

free_kb=$(df --output=avail "$folder" | tail -1)
[ "$free_kb" -gt 9000000 ] || { echo "$folder has less than 9 GB of room"; exit 77; }
"$make" "$folder" 15 2048 8192  # 15 layers of 50 million weights: 3.0 GB
cd "$folder"
ls -l model.onnx ./*.data

# Prints the most anonymous memory that a command has, in KiB, and runs it.
measured() {
  "$@" >out.txt 2>err.txt &
  local process=$! most=0 now
  while now=$(awk '/^RssAnon/ { print $2 }' "/proc/$process/status" 2>/dev/null) && [ -n "$now" ]; do
    if [ "$now" -gt "$most" ]; then most=$now; fi
    sleep 0.01
  done
  wait "$process" || { cat err.txt; exit 1; }
  echo "$most"
}

step() {
  local memory=$1 start end took planned
  shift
  start=$(date +%s.%N)
  took=$(measured "$fp8q" "$@" --max-memory "$memory" --json result.json)
  end=$(date +%s.%N)
  planned=$(grep -o '"planned_memory_bytes": *[0-9]*' result.json | tail -1 | grep -o '[0-9]*$' || echo 0)
  printf '%-46s limit %-5s planned %5d MiB, allocated %5d MiB, %6.1f s\n' "$*" "$memory" $((planned >> 20)) $((took >> 10)) \
    "$(echo "$end - $start" | bc)"
  [ "$planned" -eq 0 ] || [ $((took << 10)) -le "$planned" ] || { echo "more than was planned"; exit 1; }
}

step 4G inspect model.onnx
step 1G inspect model.onnx
step 4G calibrate model.onnx --examples 4
for format in e4m3 int8 int8-dynamic; do
  step 1500M convert model.onnx --format "$format"
  step 1500M eval "model.$format.onnx" --task sst2 --limit 8 --no-baseline
done
step 4G eval model.onnx --task sst2 --limit 8
# Ten layers stay in floating point: a converted model beyond 2 GiB, with a second file.
step 1500M convert model.onnx --format e4m3 --site 'layer.[0-9]/*=float' -o mixed.onnx
ls -l mixed*
step 4G eval mixed.onnx --task sst2 --limit 8 --no-baseline
if "$fp8q" eval model.onnx --task sst2 --limit 8 --max-memory 2G 2>err.txt; then exit 1; fi
cat err.txt
