#!/usr/bin/env bash
# Checks that the sources are formatted. Exits with 77 (skipped) without clang-format 14. Usage: format.sh REPOSITORY
set -euo pipefail
formatter=$(command -v clang-format-14 || command -v clang-format) || { echo "clang-format is absent"; exit 77; }
"$formatter" --version | grep -q 'version 14\.' || { echo "clang-format is not version 14"; exit 77; }
exec "$1/scripts/format.sh" --check
