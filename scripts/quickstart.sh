#!/usr/bin/env bash
# Goes from nothing to a quantized model: installs packages, builds fp8q, and runs the main job on
# the demo model.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build

"$root/scripts/install_packages.sh"
"$root/scripts/build.sh" "$build" -DFP8Q_TESTS=OFF

# The demo has a folder of its own, so that the three lines below are exactly what a user types
# beside a model.
demo=$build/quickstart
rm -rf "$demo"
mkdir -p "$demo"
cp "$root"/models/demo-sst2/* "$demo"
cd "$demo"
export PATH=$build/bin:$PATH

run() {
  printf '\n$ %s\n' "$*"
  "$@"
}
run fp8q calibrate model.onnx
run fp8q convert --format int8
run fp8q convert --format e4m3
run fp8q eval model.e4m3.onnx model.int8.onnx --task sst2
printf '\nThe models are in %s; put %s/bin on your PATH to go on.\n' "$demo" "$build"
