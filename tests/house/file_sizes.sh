#!/usr/bin/env bash
# Checks that source files have at most 600 lines, and that nothing but the demo model is large.
# Exits with 77 (skipped) outside a git checkout.
# Usage: file_sizes.sh REPOSITORY
set -euo pipefail
cd "$1"
git rev-parse --is-inside-work-tree >/dev/null || { echo "not a git checkout"; exit 77; }
mapfile -d '' -t files < <(git ls-files -z --cached --others --exclude-standard)
[ ${#files[@]} -gt 0 ] || { echo "git lists no files"; exit 1; }

errors=0
for file in "${files[@]}"; do
  [ -f "$file" ] || continue
  case $file in
    *.h | *.cc | *.cu | *.cuh | *.sh | *.py)
      lines=$(wc -l <"$file")
      [ "$lines" -le 600 ] || { echo "$file: $lines lines"; errors=1; }
      ;;
  esac
  bytes=$(stat -c %s "$file")
  [ "$bytes" -le 1000000 ] || [[ $file == models/* ]] || { echo "$file: $bytes bytes outside models/"; errors=1; }
done
exit $errors
