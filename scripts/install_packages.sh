#!/usr/bin/env bash
# Installs the packages that building fp8q needs on Debian 12 / Ubuntu 24.04 or later, and those
# named as arguments. It does nothing if everything is there.
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config ccache
  libonnx-dev libprotobuf-dev protobuf-compiler
  libhwy-dev
  libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev
  libutf8proc-dev libssl-dev
  libgtest-dev libgmock-dev
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "run as root, or install by hand: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
