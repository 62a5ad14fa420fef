#!/usr/bin/env bash
# Formats the C++ sources with clang-format 14. With --check it only tells which files differ.
set -euo pipefail
cd "$(dirname "$0")/.."
formatter=$(command -v clang-format-14 || command -v clang-format) || { echo "clang-format is not installed" >&2; exit 127; }
mode=(-i)
[ "${1:-}" = "--check" ] && mode=(--dry-run -Werror)
git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' '*.cu' '*.cuh' | xargs -0 "$formatter" "${mode[@]}"
