#!/usr/bin/env bash
# Checks the conversions between FP32 and E4M3, E5M2, INT8, FP16 and BF16 for all 2^32 floats:
#   - the codecs against an implementation in double, made of a table of all values (tests/unit/numeric/slow_codec.h),
#   - the vector kernels of every instruction set of this machine against the codecs,
#   - the codecs against the host functions of CUDA's cuda_fp8.h, where the toolkit's headers are installed,
#   - the codecs against ml_dtypes and NumPy.
# It takes about half an hour of one core. Usage: check_codecs.sh [BUILD-FOLDER]   (default: build)
# In the environment: PYTHON, one with numpy and ml_dtypes (default: that of scripts/make_venv.sh).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}
[ -f "$build/build.ninja" ] || cmake -S "$root" -B "$build" -G Ninja >/dev/null
cmake --build "$build" --target numeric_test kernels_test dump_codes
if [ -z "${PYTHON:-}" ]; then
  "$root/scripts/make_venv.sh"
  PYTHON=$root/.venv/bin/python
fi

export FP8Q_EXHAUSTIVE=1
failed=0
"$build/tests/unit/numeric/numeric_test" --gtest_filter='Exhaustive*:CudaCodec*' || failed=1
"$build/tests/unit/kernels/kernels_test" --gtest_filter='*Exhaustive*' || failed=1
"$PYTHON" "$root/scripts/check_codecs.py" "$build/tests/unit/numeric/dump_codes" || failed=1
grep -q 'FP8Q_CUDA_HEADERS:PATH=.*NOTFOUND' "$build/CMakeCache.txt" && echo "no cuda_fp8.h: not compared with CUDA"
exit $failed
