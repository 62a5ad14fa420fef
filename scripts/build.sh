#!/usr/bin/env bash
# Configures and builds fp8q. Usage: build.sh [FOLDER [CMAKE-OPTION...]]   (default: build)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build}
shift || true
cmake -S "$root" -B "$folder" -G Ninja "$@" >"$folder.configure.log" 2>&1 || {
  cat "$folder.configure.log" >&2
  exit 1
}
mv "$folder.configure.log" "$folder/configure.log"
cmake --build "$folder"
