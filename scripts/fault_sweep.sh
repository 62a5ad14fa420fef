#!/usr/bin/env bash
# Tries faults all over every command on a tiny model: of each kind in each command up to POINTS allocations and operations on
# files fail, one run for each (tests/fault). 2000, the default, is all of them except allocations, and takes about an hour.
# Usage: fault_sweep.sh [POINTS]
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --build build --target fault_test fp8q
FP8Q_FAULT_POINTS=${1:-2000} exec build/tests/fault/fault_test
