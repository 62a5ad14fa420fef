#!/usr/bin/env bash
# Source files stay below 600 lines, and nothing but the demo model is large. Usage: file_sizes.sh REPOSITORY
set -euo pipefail
cd "$1"
errors=0
while IFS= read -r -d '' file; do
  [ -f "$file" ] || continue
  lines=$(wc -l <"$file")
  if [ "$lines" -gt 600 ]; then
    echo "$file: $lines lines"
    errors=1
  fi
done < <(git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' '*.cu' '*.cuh' '*.sh' '*.py')
while IFS= read -r -d '' file; do
  [ -f "$file" ] || continue
  bytes=$(stat -c %s "$file")
  if [ "$bytes" -gt 1000000 ] && [[ $file != models/* ]]; then
    echo "$file: $bytes bytes outside models/"
    errors=1
  fi
done < <(git ls-files -z --cached --others --exclude-standard)
exit $errors
