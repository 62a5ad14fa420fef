#!/usr/bin/env bash
# Checks that includes form no cycle: between folders, by what their headers include, and between the files of one folder.
# Usage: cycles.sh REPOSITORY
set -euo pipefail
cd "$1"

# "FILE INCLUDED", both from the repository's root, of every quoted include of a file of the repository.
includes() {
  grep -rnE --include='*.h' --include='*.cuh' --include='*.cc' --include='*.cu' --include='*.def' --include='*.inc' \
    '^#include "' include src kernels tools |
    while IFS=: read -r file _ text; do
      [[ $text =~ \#include\ \"([^\"]+)\" ]] || continue
      for root in src/ include/ ""; do
        [[ -f $root${BASH_REMATCH[1]} ]] || continue
        echo "$file $root${BASH_REMATCH[1]}"
        break
      done
    done
}

# Reads pairs "A B", A includes B; names a cycle and fails where there is one.
check() {
  local loop
  if ! loop=$(tsort 2>&1 >/dev/null); then
    echo "$1 include each other in a cycle:" $(sed -n 's/^tsort: //p' <<<"$loop" | grep -v 'input contains a loop' | sort -u)
    return 1
  fi
}

all=$(includes)
errors=0
awk '$1 ~ /\.(h|cuh|def|inc)$/ { a = $1; b = $2; sub("/[^/]*$", "", a); sub("/[^/]*$", "", b); if (a != b) print a, b }' \
  <<<"$all" | sort -u | check folders || errors=1
awk '{ a = $1; b = $2; sub("/[^/]*$", "", a); sub("/[^/]*$", "", b); if (a == b) print }' <<<"$all" | check files || errors=1
exit $errors
