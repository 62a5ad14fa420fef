#!/usr/bin/env bash
# Checks and measures the GPU engine on a machine with a GPU, in under 10 minutes, without network or ../shared:
#
#   scripts/gpu_check.sh [--out FOLDER]      (default: build-gpu/results)
#
# The script builds the program and the GPU tests, runs the tests and compares the demo model's scores on CPU and GPU.
# It then runs the benchmark grid, PyTorch on the same shapes (if it is installed) and other measurements that there is
# time for. It writes all results to FOLDER/gpu.json after every step, so that they are there even if it is stopped.
# Logs and the parts stay beside that file. The exit status is 1 if a test fails or a score differs by more than one
# example in 300.
#
# A step that the remaining time does not allow is left out, and named under "left_out". The most important steps come
# first. Expected times on 16 cores (no run on a GPU is recorded yet) are: building 3 min, tests 1.5 min, scores 1 min,
# grid 2 min, PyTorch 1.5 min, the rest 1 min.
#
# If the libraries that fp8q is built with are missing, the script runs programs that were built elsewhere:
#
#   scripts/gpu_check.sh --bundle            on a machine that has them and the CUDA toolkit (no GPU is needed)
#
# collects the programs and the shared libraries they need in gpu-bundle.tar.xz, to be carried along.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-gpu
bundle=$root/gpu-bundle.tar.xz
out=$build/results
seconds_allowed=580
programs=(bin/fp8q tests/unit/kernels_cuda/kernels_cuda_gpu_test tests/unit/engine_cuda/engine_cuda_gpu_test)

build_programs() {
  cmake -S "$root" -B "$build" -G Ninja -DFP8Q_TESTS=ON -DFP8Q_CUDA_ARCHITECTURES="$1"
  cmake --build "$build" --target fp8q kernels_cuda_gpu_test engine_cuda_gpu_test
}

make_bundle() {
  build_programs all
  local folder=$build/bundle
  rm -rf "$folder"
  mkdir -p "$folder/bin" "$folder/lib"
  for program in "${programs[@]}"; do
    strip -o "$folder/bin/$(basename "$program")" "$build/$program"
    # Copies all libraries except those of the C library and the compiler, which every machine has.
    ldd "$build/$program" | awk '$3 ~ /^\// {print $3}' |
      grep -vE '/(libc|libm|libstdc\+\+|libgcc_s|libpthread|libdl|librt|ld-linux[^/]*)\.so' |
      xargs -r cp -Lnt "$folder/lib"
  done
  strip "$folder"/lib/*
  tar -C "$folder" -cJf "$bundle" bin lib
  ls -lh "$bundle"
}

while [ $# -gt 0 ]; do
  case $1 in
    --bundle) make_bundle; exit ;;
    --out) mkdir -p "$2"; out=$(cd "$2" && pwd); shift 2 ;;
    *) sed -n '2,/^set -/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
  esac
done

command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null || { echo "there is no NVIDIA GPU here" >&2; exit 7; }
mkdir -p "$out"
rm -f "$out"/*.json "$out"/*.txt
exec > >(tee "$out/log.txt") 2>&1
tee_process=$!
started=$SECONDS
failed=0

finished=false
left_out=()

save() {
  {
    printf '{"schema": "fp8q/gpu_check/2", "date": "%s", "seconds": %d, "finished": %s, "failed": %s, "machine": "%s"' \
      "$(date -u +%F)" $((SECONDS - started)) $finished "$([ $failed = 0 ] && echo false || echo true)" \
      "$(head -1 "$out/machine.txt")"
    printf ', "left_out": [%s]' "$(printf '"%s", ' "${left_out[@]}" | sed 's/, $//; s/^""$//')"
    for part in "$out"/*.json; do
      [ "$part" != "$out/gpu.json" ] && [ -s "$part" ] &&
        printf ',\n"%s": %s' "$(basename "$part" .json)" "$(cat "$part")"
    done
    printf '\n}\n'
  } >"$out/gpu.json.new"
  mv "$out/gpu.json.new" "$out/gpu.json"
}
finish() {
  save
  echo "$out/gpu.json after $((SECONDS - started)) s"
  exec >&- 2>&-
  wait $tee_process || true
}
trap finish EXIT
trap 'failed=1; exit 143' TERM INT

# Begins a step, and writes the results of those before it.
section() {
  save
  printf '\n== %s (%d s)\n' "$1" $((SECONDS - started))
}
left() { echo $((seconds_allowed - (SECONDS - started))); }
# Tells whether that many seconds are left for a step with this name. The step may take all that is
# left.
time_for() {
  [ "$(left)" -ge "$1" ] && return 0
  echo "left out, $(left) s are left: $2"
  left_out+=("$2")
  return 1
}
# Runs a command for at most SECONDS, or the time that is left.
within() {
  local most=$1
  shift
  [ "$(left)" -lt "$most" ] && most=$(left)
  [ "$most" -ge 1 ] || most=1  # 0 would mean no limit
  run timeout "$most" "$@"
}

touch "$out/machine.txt"
section "machine"
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv,noheader |
  tee "$out/machine.txt"

section "programs"
libraries=
if [ -f "$bundle" ]; then
  echo "from $bundle"
  rm -rf "$build/bundle"
  mkdir -p "$build/bundle"
  tar -C "$build/bundle" -xJf "$bundle"
  bin=$build/bundle/bin
  libraries=$build/bundle/lib:
else
  build_programs native
  bin=$build/check-bin
  mkdir -p "$bin"
  for program in "${programs[@]}"; do ln -sf "$build/$program" "$bin"; done
fi
run() { LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:-} "$@"; }
fp8q() { run "$bin/fp8q" "$@"; }
fp8q --version
export FP8Q_CACHE_DIR=$out/cache
if ! [ -e /usr/local/cuda/lib64/libcublasLt.so.13 ] && ! [[ $(ldconfig -p) == *libcublasLt.so.13* ]]; then
  library=$(find /opt /usr /home /root -name libcublasLt.so.13 -print -quit 2>/dev/null || true)  # PyTorch brings one
  export FP8Q_CUBLASLT_DIR=${library%/*}
  echo "cuBLASLt: $library"
fi

# Runs a test program and writes its results as JSON. No test may be skipped here.
run_test() {
  section "$1"
  within 120 "$bin/$1" --gtest_output="json:$out/$1.json" --gtest_brief=1 >"$out/$1.txt" 2>&1 || failed=1
  tail -30 "$out/$1.txt"
  ! grep -q SKIPPED "$out/$1.txt" || failed=1
}
run_test kernels_cuda_gpu_test
run_test engine_cuda_gpu_test

section "the demo model on CPU and GPU"
demo=$out/demo
rm -rf "$demo"
cp -r "$root/models/demo-sst2" "$demo"
# Prints the labels of a model's predictions on a device, and whether each is right.
labels() { grep -oE '"(gold|label)":[^,}]*' "$demo/$1.$2.jsonl" | paste - - | sed 's/"[a-z]*"://g'; }
right() { labels "$1" "$2" | awk '$1 == $2 {n++} END {print n + 0}'; }
# NAME OPTION...: converts the demo model with these options, and runs it on both devices.
compare_devices() {
  local name=$1 device
  shift
  fp8q convert "$demo/model.onnx" --calib "$demo/model.calib.json" "$@" -o "$demo/model.$name.onnx" -q || return 1
  for device in cpu cuda; do
    within 60 "$bin/fp8q" eval "$demo/model.$name.onnx" --task sst2 --device $device -q \
      --json "$out/demo.$name.$device.json" --predictions "$demo/$name.$device.jsonl" || return 1
  done
  local cpu gpu flips
  cpu=$(right "$name" cpu) gpu=$(right "$name" cuda)
  flips=$(paste <(labels "$name" cpu) <(labels "$name" cuda) | awk '$2 != $4 {n++} END {print n + 0}')
  echo "$name: $cpu right on the CPU, $gpu on the GPU; $flips labels differ"
  [ "$cpu" -gt 0 ] && [ $((cpu - gpu)) -le 1 ] && [ $((gpu - cpu)) -le 1 ]
}
agree() { compare_devices "$@" || { failed=1; echo "FAILED: $1 on the GPU"; }; }
fp8q calibrate "$demo/model.onnx" -o "$demo/model.calib.json" -q || failed=1
for format in e4m3 e5m2 int8 int8-dynamic e4m3-dynamic; do agree $format --format $format; done
agree int8-smooth --format int8 --smooth-quant auto

section "benchmark grid"
# NAME OPTION...: measures rows of formats side by side in one run, so that their ratios come from
# one stretch of time.
bench() {
  local name=$1
  shift
  time_for 20 "$name" || return 0
  local status=0
  within 120 "$bin/fp8q" bench --device cuda --min-time 0.3 --compare --json "$out/bench.$name.json" "$@" || status=$?
  case $status in
    0) ;;
    124) left_out+=("$name, stopped") ;;
    *) failed=1; echo "FAILED: bench $name" ;;
  esac
  save
}
grid=(--format bf16,e4m3,int8 --kernels)
bench bert-base.128 --shape bert-base --length 128 --batch 1,32,128 "${grid[@]}"
bench bert-large.384 --shape bert-large --length 384 --batch 1,32,128 "${grid[@]}"
bench minilm-l6.128 --shape minilm-l6 --length 128 --batch 128 "${grid[@]}"

section "PyTorch on the same shapes"
if ! python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
  echo "no PyTorch"
elif time_for 60 PyTorch; then
  within 110 python3 "$root/scripts/bench_torch_gpu.py" --budget $(($(left) > 115 ? 95 : $(left) - 20)) \
    --precision fp16 bf16 fp8 --json "$out/torch.json" || echo "PyTorch did not finish"
fi

# Measures what the engine decides by a rule: the defaults should be the fastest of their row.
section "micro-batches, launches, GELU"
for tokens in 2048 4096 8192 16384; do
  bench "tokens.$tokens" --shape bert-base --length 128 --batch 128 --format e4m3 --tokens $tokens
done
FP8Q_CUDA_LAUNCH=serial bench serial-launches --shape bert-base --length 128 --batch 1 --format e4m3
bench gelu-tanh --shape bert-base --length 128 --batch 128 --format bf16,e4m3 --gelu tanh

section "packed sequences of many lengths"
bench ragged --shape bert-base --length 128 --batch 32,128 --format bf16,e4m3 --ragged

section "scales found for each token, beside stored ones"
bench dynamic --shape bert-base --length 128 --batch 32 --format e4m3,e4m3-dynamic,int8,int8-dynamic --kernels

section "memory errors"
if ! command -v compute-sanitizer >/dev/null; then
  echo "no compute-sanitizer"
elif time_for 30 compute-sanitizer; then
  if within 60 compute-sanitizer --error-exitcode 9 "$bin/kernels_cuda_gpu_test" --gtest_brief=1 >"$out/sanitizer.txt" 2>&1; then
    tail -1 "$out/sanitizer.txt"
  elif [ $? = 124 ]; then
    left_out+=("compute-sanitizer")
  else
    failed=1
    tail -20 "$out/sanitizer.txt"
  fi
fi

finished=true
exit $failed
