#!/usr/bin/env bash
# Installs missing packages, builds fp8q and runs its tests. Extra arguments go to ctest (-R NAME,
# ...).
#
# Tests on the example models, GLUE data and ONNX node tests need the shared folder
# (FP8Q_SHARED_DIR, default ../shared). To build the example models they also need Python with
# internet access to PyPI. If something is absent they are skipped, and say so. The build itself and
# all other tests need no Python.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
shared=${FP8Q_SHARED_DIR:-$root/../shared}
build=$root/build

"$root/scripts/install_packages.sh"
"$root/scripts/install_packages.sh" chromium ||
  echo "NOTE: Chromium could not be installed; the test that looks at the report in a browser is skipped" >&2
"$root/scripts/build.sh" "$build" -DFP8Q_TESTS=ON -DFP8Q_SHARED_DIR="$shared"

# Builds the example models, for the tests that run real fine-tuned networks.
if [ -f "$shared/tools/make_models.py" ]; then
  if [ ! -f "$build/models/complete" ]; then
    if "$root/scripts/make_venv.sh" &&
      for exporter in classic dynamo; do
        "$root/.venv/bin/python" "$shared/tools/make_models.py" --out "$build/models" --exporter $exporter \
          >>"$build/make_models.log" 2>&1 || exit 1
      done; then
      touch "$build/models/complete"
    else
      echo "NOTE: the example models could not be built; tests that need them are skipped" >&2
    fi
  fi
else
  echo "NOTE: $shared is absent; tests on example models, GLUE data and ONNX node tests are skipped"
fi

cd "$build"
ctest --output-on-failure --parallel "$(nproc)" "$@"
