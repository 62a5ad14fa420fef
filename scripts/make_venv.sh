#!/usr/bin/env bash
# Makes .venv with the Python packages of development scripts. fp8q itself never needs Python.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv
stamp=$venv/packages
packages="numpy safetensors onnx<1.23 onnxruntime tokenizers ml_dtypes"
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$packages" ] && exit 0
command -v python3 >/dev/null || { echo "python3 is not installed" >&2; exit 1; }
python3 -m venv "$venv" || { echo "python3 -m venv failed; on Debian: apt-get install python3-venv" >&2; exit 1; }
# shellcheck disable=SC2086 # a list of words
"$venv/bin/pip" install --quiet --disable-pip-version-check $packages
echo "$packages" >"$stamp"
