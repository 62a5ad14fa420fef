#!/usr/bin/env bash
# Makes .venv with the Python packages of development scripts. With --peers it also installs those
# of scripts/bench_peers.py. fp8q itself never needs Python.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv
stamp=$venv/packages
packages="numpy safetensors onnx<1.23 onnxruntime tokenizers ml_dtypes"
[ "${1:-}" != --peers ] || packages+=" openvino nncf ctranslate2"
[ -f "$stamp" ] && [[ "$(cat "$stamp")" == "$packages"* ]] && exit 0
python3 -c 'import venv, ensurepip' 2>/dev/null || "$root/scripts/install_packages.sh" python3-venv
python3 -m venv "$venv"
# shellcheck disable=SC2086 # a list of words
"$venv/bin/pip" install --quiet --disable-pip-version-check $packages
echo "$packages" >"$stamp"
