#!/usr/bin/env bash
# Checks that the largest tiles of the matrix products keep their sums in registers. A compiler that moves them through
# memory costs up to half of the speed, and no result shows it. Exits with 77 (skipped) without objdump.
# Usage: hot_loops.sh LIBRARY   (LIBRARY has the kernels, optimized, for x86-64, by GCC)
set -euo pipefail
command -v objdump >/dev/null || { echo "no objdump"; exit 77; }

# check TARGET KERNEL ROWS PANELS INSTRUCTION COUNT: checks that the functions made of a tile have at least COUNT of the
# instruction and no vector on the stack.
check() {
  local name="$1::tile<$2, $3ul, $4ul>"
  awk -v name="$name" -v op="$5" -v count="$6" '
    /^[0-9a-f]+ </ { inside = $0 ~ name; found += inside; stack = "\\(%rsp" }
    inside && /mov +%rsp,%rbp/ { stack = "\\(%r[sb]p" }
    inside && $0 ~ op { ops++ }
    inside && /[yz]mm/ && $0 ~ stack { on_stack++ }
    END {
      printf "%s: %d functions, %d %s, %d vectors on the stack\n", name, found, ops, op, on_stack
      exit !(found && ops >= count * found && on_stack == 0)
    }' "$listing" || errors=1
}

listing=$(mktemp)
trap 'rm -f "$listing"' EXIT
objdump -d -C --no-show-raw-insn "$1" | sed 's/fp8q::cpu:://g; s/(anonymous namespace):://g; s/N_AVX[23]::\([A-Z]\)/\1/g' >"$listing"
errors=0
check N_AVX2 'Fma' 6 1 vfmadd 12
check N_AVX2 'WidenedPairs' 6 1 vpmaddwd 12
check N_AVX2 'CrossedSums' 4 1 vpmaddwd 8
check N_AVX3 'Fma' 6 4 vfmadd 24
check N_AVX3 'WidenedPairs' 6 4 vpmaddwd 24
check N_AVX3 'Bf16Pairs<DotProduct>' 6 4 vdpbf16ps 24
check N_AVX3 'Fours<DotProduct>' 6 4 vpdpbusd 24
exit $errors
