#!/usr/bin/env bash
# Fuzzes fp8q with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
#
# Usage: fuzz.sh [SECONDS [TARGET...]]   (default: 30 seconds for each target of tests/fuzz)
# Two targets run at a time. They begin with the files in tests/fuzz/corpus and what earlier runs added to them; the
# model target also with the ONNX node tests of the shared folder, where that is. The script prints a table and exits
# with 1 if there are findings. It keeps these, made smaller, as hexadecimal text in the folder that it names: a defect
# that is mended leaves its file in tests/fuzz/corpus/TARGET.
#
# In the environment: FP8Q_CLANG, a clang++ with libFuzzer (default: the newest one); FP8Q_FUZZ_DIR, the folder of build,
# corpora and findings (build-fuzz); FP8Q_SHARED_DIR (../shared).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${FP8Q_FUZZ_DIR:-$root/build-fuzz}
seconds=${1:-30}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=($(ls "$root/tests/fuzz/corpus"))

# Prints the newest clang++ that compiles C++20 and links libFuzzer.
find_clang() {
  local clang newest_first=(clang++-{22..16} clang++)
  for clang in ${FP8Q_CLANG:-"${newest_first[@]}"}; do
    echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { struct { int a; } x(1); return x.a - 1; }' |
      "$clang" -std=c++20 -fsanitize=fuzzer -x c++ - -o /dev/null 2>/dev/null && echo "$clang" && return
  done
  echo "no clang++ of version 16 or later with libFuzzer (Debian: clang-16 and libclang-rt-16-dev)" >&2
  return 1
}

# seed TARGET: copies the corpus to the folder that libFuzzer reads and extends, with hexadecimal text as bytes.
seed() {
  local target=$1 to=$folder/corpus/$1 file
  mkdir -p "$to" "$folder/findings/$target"
  for file in "$root/tests/fuzz/corpus/$target"/*; do
    if [[ $file == *.hex ]]; then
      tr -d '[:space:]' <"$file" | perl -ne 'print pack("H*", $_)' >"$to/$(basename "$file" .hex)"
    else
      cp "$file" "$to"
    fi
  done
  [ "$target" = model ] || return 0
  for file in "$folder"/conformance/node/*/model.onnx; do
    [ ! -f "$file" ] || cp "$file" "$to/$(basename "$(dirname "$file")")"
  done
}

limits=(-malloc_limit_mb=256 -rss_limit_mb=1024 -timeout=5 -max_len=65536)

# fuzz TARGET: a child process runs the inputs, so that findings do not end the search.
fuzz() {
  local target=$1
  "$folder/tests/fuzz/fuzz_$target" -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -close_fd_mask=1 \
    -max_total_time="$seconds" "${limits[@]}" -artifact_prefix="$folder/findings/$target/" "$folder/corpus/$target" \
    >"$folder/$target.log" 2>&1 || true
}

# keep TARGET: makes its first findings smaller and writes all of them as text.
keep() {
  local target=$1 file small count=0
  for file in "$folder/findings/$target"/{crash,timeout,oom,leak}-*; do
    [ -f "$file" ] && [[ $file != *.hex ]] || continue
    small=$file.small
    if [[ $file == */crash-* ]] && [ $((count += 1)) -le 3 ]; then
      "$folder/tests/fuzz/fuzz_$target" -minimize_crash=1 -max_total_time=20 "${limits[@]}" -exact_artifact_path="$small" \
        "$file" >>"$folder/$target.log" 2>&1 || true
    fi
    [ -f "$small" ] || cp "$file" "$small"
    od -An -v -tx1 "$small" | tr -d ' ' >"$file.hex"
    rm -f "$small" "$file"
  done
}

# row TARGET: prints its line of the table from the last state that libFuzzer reported.
row() {
  local target=$1 last
  last=$(grep -E '^#[0-9]+: cov: ' "$folder/$target.log" | tail -n 1)
  if [ -z "$last" ]; then
    printf '%-15s did not run, see %s\n' "$target" "$folder/$target.log"
    return 1
  fi
  sed -E 's|^#([0-9]+): cov: ([0-9]+) .*oom/timeout/crash: ([0-9]+)/([0-9]+)/([0-9]+).*|\1 \2 \5 \4 \3|' <<<"$last" |
    xargs printf '%-15s %12s %9s %8s %9s %6s\n' "$target"
  ! ls "$folder/findings/$target" | grep -q .
}

clang=$(find_clang)
cmake -S "$root" --preset fuzz -B "$folder" -DCMAKE_CXX_COMPILER="$clang" \
  ${FP8Q_SHARED_DIR:+-DFP8Q_SHARED_DIR="$FP8Q_SHARED_DIR"} >"$folder.configure.log" 2>&1 ||
  { cat "$folder.configure.log" >&2; exit 1; }
mv "$folder.configure.log" "$folder/configure.log"
cmake --build "$folder" --target "${targets[@]/#/fuzz_}"

# The libraries that clang did not compile do not tell AddressSanitizer about the unused ends of their containers.
export ASAN_OPTIONS=detect_container_overflow=0 FP8Q_SPIN=0
# A target that ends in a finding leaves its temporary files.
export TMPDIR=$folder/tmp
mkdir -p "$TMPDIR"
trap 'rm -rf "$TMPDIR"' EXIT
for target in "${targets[@]}"; do
  seed "$target"
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
  fuzz "$target" &
done
wait

failed=0
printf '%-15s %12s %9s %8s %9s %6s\n' target executions coverage crashes timeouts ooms
for target in "${targets[@]}"; do
  keep "$target"
  row "$target" || failed=1
done
[ $failed -eq 0 ] || echo "findings: $folder/findings" >&2
exit $failed
