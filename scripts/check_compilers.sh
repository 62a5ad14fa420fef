#!/usr/bin/env bash
# Builds fp8q, where warnings are errors, with the compilers and libraries of other Debian releases, and runs its tests there.
# Each release gets a bare root of its own (debootstrap), which is kept for the next time. No GPU code: the roots have no CUDA.
#
# Usage (as root): check_compilers.sh [-p] [RELEASE/COMPILER...]
#   -p: build the program alone, without the tests
#   default: bookworm/g++-12 bookworm/clang++-16 trixie/g++-13 trixie/g++-14 trixie/clang++-19 trixie/aarch64-linux-gnu-g++
# With clang every file is compiled by itself, which shows that it includes what it needs. aarch64 is cross-compiled in a root for
# amd64, and its tests run in qemu-user.
# In the environment: FP8Q_ROOTS, the folder of the roots (build-roots); FP8Q_DEBIAN, the mirror to install from.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
roots=${FP8Q_ROOTS:-$root/build-roots}
cross=aarch64-linux-gnu
libraries=(libonnx-dev libprotobuf-dev libhwy-dev libutf8proc-dev libssl-dev libgtest-dev libgmock-dev libfmt-dev libspdlog-dev)
tools=(cmake ninja-build pkg-config ccache protobuf-compiler libcli11-dev nlohmann-json3-dev)

program_alone=
if [ "${1:-}" = -p ]; then
  program_alone=yes
  shift
fi
[ $# -gt 0 ] || set -- bookworm/g++-12 bookworm/clang++-16 trixie/g++-13 trixie/g++-14 trixie/clang++-19 trixie/$cross-g++

inside() { chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8 "${@:2}"; }

# make_root FOLDER RELEASE: a bare root of the release, with /proc.
make_root() {
  local folder=$1 release=$2
  if [ ! -f "$folder/etc/debian_version" ]; then
    command -v debootstrap >/dev/null || "$root/scripts/install_packages.sh" debootstrap
    mkdir -p "$folder"
    debootstrap --variant=minbase --include=ca-certificates "$release" "$folder" ${FP8Q_DEBIAN:+"$FP8Q_DEBIAN"}
  fi
  mountpoint -q "$folder/proc" || mount -t proc proc "$folder/proc"
}

# build RELEASE COMPILER: a copy of the tracked and new files, built and tested in the root.
build() {
  local release=$1 compiler=$2 folder=$roots/$1 packages=("${tools[@]}") options=(-DFP8Q_CUDA=OFF -DFP8Q_SHARED_DIR=/nowhere) tests=()
  if [ "$compiler" = $cross-g++ ]; then
    folder+=-$cross  # the two architectures' libraries do not fit into one root
    packages+=("g++-$cross" qemu-user "${libraries[@]/%/:arm64}")
    options+=(-DCMAKE_TOOLCHAIN_FILE=/fp8q/scripts/cmake/aarch64.cmake)
    # The processor is emulated, which takes its time. The tests of the command line start the program by itself.
    tests=(--label-exclude 'cli_test|differential_test|conformance_test')
  else
    packages+=("${compiler/clang++/clang}" "${libraries[@]}")
    [ "${compiler#clang}" = "$compiler" ] || options+=(-DCMAKE_UNITY_BUILD=OFF)
    options+=(-DCMAKE_CXX_COMPILER="$compiler")
    # Debian builds its libraries with the release's own compiler, whose libstdc++ is newer than the one an older g++ links.
    options+=(-DCMAKE_CXX_STANDARD_LIBRARIES=-l:libstdc++.so.6)
  fi
  [ -n "$program_alone" ] && options+=(-DFP8Q_TESTS=OFF) || options+=(-DFP8Q_TESTS=ON)
  make_root "$folder" "$release"
  [ "$compiler" != $cross-g++ ] || inside "$folder" dpkg --add-architecture arm64
  inside "$folder" apt-get update -qq
  inside "$folder" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  mkdir -p "$folder/fp8q"
  find "$folder/fp8q" -mindepth 1 -maxdepth 1 ! -name 'build-*' -exec rm -rf {} +
  # git lists deleted files, too, which ls leaves out.
  git -C "$root" ls-files -z --cached --others --exclude-standard |
    (cd "$root" && (xargs -0 ls -d 2>/dev/null || true)) |
    tar -C "$root" -cf - -T - | tar -C "$folder/fp8q" -xf -
  inside "$folder" bash -c "
    set -eo pipefail
    cd /fp8q
    cmake -S . -B build-$compiler -G Ninja ${options[*]@Q} >configure.log || { cat configure.log; exit 1; }
    cmake --build build-$compiler -- -k 0
    [ -n '$program_alone' ] || ctest --test-dir build-$compiler --no-tests=error --output-on-failure --parallel $(nproc) ${tests[*]@Q} | tail -n 200"
}

mkdir -p "$roots"
failed=()
for pair in "$@"; do
  echo "== $pair"
  log=$roots/${pair/\//-}.log
  set +e # bash ignores errors within a function that a condition calls
  (set -e && build "${pair%/*}" "${pair#*/}") >"$log" 2>&1
  code=$?
  set -e
  if [ $code -eq 0 ]; then
    grep 'tests passed' "$log" || echo 'built'
  else
    failed+=("$pair")
    tail -n 40 "$log"
  fi
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
