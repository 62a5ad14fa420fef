#!/usr/bin/env bash
# Checks that a program has the protections that scripts/cmake/Fp8qHardening.cmake asks for. Exits with 77 (skipped) without readelf.
# Usage: hardening.sh PROGRAM
set -euo pipefail
command -v readelf >/dev/null || { echo "readelf is absent"; exit 77; }
header=$(readelf -W -h "$1") segments=$(readelf -W -l "$1") dynamic=$(readelf -W -d "$1") symbols=$(readelf -W --dyn-syms "$1")

errors=0
# expect TEXT PATTERN WHAT
expect() {
  grep -qE -- "$2" <<<"$1" && return
  echo "$3"
  errors=$((errors + 1))
}
expect "$header" 'Type: +DYN' 'is not position-independent'
expect "$segments" 'GNU_RELRO' 'leaves its tables of addresses writable'
expect "$dynamic" 'BIND_NOW|FLAGS_1.*NOW' 'resolves symbols late'
expect "$segments" 'GNU_STACK.* RW +0x' 'has an executable stack'
expect "$symbols" '__stack_chk_fail' 'does not check its stack'
expect "$symbols" '_chk(@|$| )' 'does not check memcpy() and the like'
if grep -qE 'LOAD.* RWE ' <<<"$segments"; then
  echo 'has memory that is written and executed'
  errors=$((errors + 1))
fi
# With code apart from data, the first segment holds headers and no code.
if grep -m 1 -E ' LOAD ' <<<"$segments" | grep -qE ' R E '; then
  echo 'has headers and code in one segment'
  errors=$((errors + 1))
fi
exit $((errors > 0))
