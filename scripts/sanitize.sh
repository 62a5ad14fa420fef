#!/usr/bin/env bash
# Builds fp8q with sanitizers and runs its tests.
#
# Usage: sanitize.sh [asan|tsan] [CTEST-ARGUMENT...]
#   asan: AddressSanitizer and UndefinedBehaviorSanitizer (default), in build-asan
#   tsan: ThreadSanitizer, in build-tsan
# It builds without the GPU engine, whose simulation jumps between stacks, which sanitizers do not follow. Tests that cannot run
# under a sanitizer are left out below, or skip themselves, with the reason. Building takes about an hour of CPU time.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
kind=${1:-asan}
shift || true
excluded=(
  'house\.hot_loops' # it looks for instructions of the optimized build
)
case $kind in
  asan)
    # A failed allocation is an exception here, as it is without the sanitizer.
    export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
    excluded+=('fuzz\..*') # scripts/fuzz.sh runs the targets with these sanitizers
    ;;
  tsan)
    export TSAN_OPTIONS=halt_on_error=1
    ;;
  *)
    sed -n 's/^# Usage: /usage: /p' "$0" >&2
    exit 2
    ;;
esac
cd "$root"
cmake --preset "$kind" >/dev/null
cmake --build --preset "$kind"
ctest --preset "$kind" --parallel "$(nproc)" --exclude-regex "^($(IFS='|' && echo "${excluded[*]}"))" "$@"
