#!/usr/bin/env bash
# Checks that includes form no cycle, neither between folders (by what their headers include) nor
# between the files of one folder.
# Usage: cycles.sh REPOSITORY
set -euo pipefail
cd "$1"

# Prints "FILE INCLUDED", both from the root of the repository, for every quoted include of a file
# of the repository.
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

# Reads pairs "A B", where A includes B. If there is a cycle, it names the cycle and fails.
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
