#!/usr/bin/env bash
# Runs test programs on an emulated processor that has AVX-512 (F, BW, CD, DQ, VL, VNNI, BF16) and AMX (INT8, BF16), so that kernels
# for these can be tested on a machine without them. Bochs emulates a PC with one such processor, and Debian's kernel runs the
# programs there with the shared libraries of this machine. The PC takes ten seconds to start and is a hundred or more times slower
# than this machine, so tests are best chosen with --gtest_filter.
#
# Usage: test_emulated.sh [-c MODEL] [-t SECONDS] [-d FOLDER]... PROGRAM... [-- ARGUMENT...]
#   -c: the processor, one of Bochs' models: sapphire_rapids (default), tigerlake or corei7_icelake_u (no BF16, no AMX),
#       corei7_skylake_x (no VNNI either), corei7_haswell_4770 (AVX2)
#   -t: the time for everything (default: 3600)
#   -d: a folder with files that the programs read; the PC has it at the same place
# For example: test_emulated.sh build/tests/unit/kernels/kernels_test -- --gtest_filter='GemmI8.*'
# The programs see the variables of the environment whose names begin with FP8Q_ or GTEST_. The exit status is not 0 if that of
# a program is not, or if the PC stops before they are done.
#
# In the environment: FP8Q_EMULATOR, the folder that keeps Bochs and the kernel (build-emulator); FP8Q_BOCHS, the sources of Bochs (the
# folder with `configure`) at the revision below, which is downloaded otherwise.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${FP8Q_EMULATOR:-$root/build-emulator}
revision=783b58fd6d9bae598a07c59719122322fa0edce6 # August 2026; XRSTOR of release 3.0 is wrong

usage() { sed -n 's/^# Usage: /usage: /p' "$0" >&2; exit 2; }

# mend FILE SED-ARGUMENT...: edits a file, which must change.
mend() {
  cp "$1" "$1.before"
  sed -i "${@:2}" "$1"
  ! cmp -s "$1" "$1.before" || { echo "$1 is not the file that this script mends" >&2; return 1; }
}

# Mends what keeps AMX from working. Signed bytes are multiplied as unsigned ones. The state of the tiles is saved with rows and
# columns exchanged, without the lower half of the rows, and only if no tile is in use. STTILECFG is decoded with VEX.W1. Changed code
# stays in the cache of decoded instructions. XFD is missing, and Linux does not enable AMX without it.
mend_bochs() {
  local xfd='BX_CPU_THIS_PTR msr.ia32_xfd' mask=BX_XCR0_XTILEDATA_MASK name msr field
  mend cpu/avx/amx.cc -e 's/Bit32s(\([xy]byte\[.\]\))/Bit32s(Bit8s(\1))/g' \
    -e "/BX_CPU_C::\(TILEZERO_Tnnn\|check_tile\)(/{n;s/{/{ if ($xfd \& $mask) { ${xfd}_err = $mask; exception(BX_NM_EXCEPTION, 0); }/}"
  mend cpu/avx/amx.h 's/start_row(0) {/start_row(0), tile_use_tracker(0) {/'
  mend cpu/xsave.cc -e '/vmm16u(8+n) /s/rows/bytes_per_row/; /vmmubyte(48+n) =/s/bytes_per_row/rows/' \
    -e 's/row < BX_TILE_REGISTERS/row < BX_TILE_MAX_ROWS/; s/tile_use_tracker == 0/tile_use_tracker != 0/'
  mend cpu/decoder/fetchdecode_opmap_avx.cc '/BX_IA_STTILECFG/s/ATTR_VEX_W1/ATTR_VEX_W0/'
  mend cpu/icache.h '/if (line_mask > mask) break;/d' # AMX_OK makes the hash look beyond that line
  mend cpu/cpu.h 's/Bit64u ia32_xss;/& Bit64u ia32_xfd, ia32_xfd_err;/'
  mend cpu/init.cc "s/.*msr.ia32_xss = 0;/& $xfd = ${xfd}_err = 0;/"
  mend cpu/cpuid.cc 's/leaf->eax |= (1<<3);/leaf->eax |= (1<<3) | (is_cpu_extension_supported(BX_ISA_AMX) << 4);/'
  mend cpu/crregs.cc '/XTILEDATA_BIT\].attr/s/BX_XSAVE_ALIGN64/& | BX_XSAVE_XFD_SUPPORT/'
  for name in XFD: XFD_ERROR:_err; do
    msr=BX_MSR_IA32_${name%:*} field=$xfd${name#*:}
    mend cpu/msr.cc -e "s/.*msr_desc\[BX_MSR_XSS\].*/&\n  msr_desc[$msr] = new MSR_Descriptor(\"$msr\", BX_ISA_AMX, ~Bit64u($mask));/" \
      -e "s/case BX_MSR_XSS:$/case $msr: val64 = $field; break;\n    &/; s/case BX_MSR_XSS: .*/case $msr: $field = val_64; break;\n    &/"
  done
}

build_bochs() {
  rm -rf "$folder/bochs"
  mkdir -p "$folder/bochs"
  if [ -n "${FP8Q_BOCHS:-}" ]; then
    cp -r "$FP8Q_BOCHS/." "$folder/bochs"
  else
    curl --fail --location --retry 3 "https://github.com/bochs-emu/Bochs/archive/$revision.tar.gz" |
      tar -xz -C "$folder/bochs" --strip-components=2 "Bochs-$revision/bochs"
  fi
  cd "$folder/bochs"
  mend_bochs
  ./configure --enable-x86-64 --enable-cpu-level=6 --enable-avx --enable-evex --enable-amx --enable-repeat-speedups \
    --enable-handlers-chaining --enable-trace-linking --enable-fast-function-calls --disable-docbook --with-nogui \
    CFLAGS='-O3 -fno-strict-aliasing' CXXFLAGS='-O3 -fno-strict-aliasing'
  make -j "$(nproc)"
}

# The kernel's package is unpacked, not installed.
fetch_kernel() {
  rm -rf "$folder/kernel"
  mkdir -p "$folder/kernel"
  cd "$folder/kernel"
  apt-get download "$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p')"
  dpkg-deb -x ./*.deb .
  mv boot/vmlinuz-* ../vmlinuz
}

# make_image ARGUMENT...: a CD with the kernel and the files that it starts with.
make_image() {
  local files=$work/files file name
  mkdir -p "$files/bin" "$files/dev" "$files/proc" "$files/sys" "$files/tmp" "$work/cd"
  cp /bin/busybox "$files/bin"
  for file in "${programs[@]}" "${folders[@]}" $(ldd "${programs[@]}" | grep -o '/[^ :]* (0x' | sed 's/ (0x//' | sort -u); do
    mkdir -p "$files$(dirname "$file")"
    cp -rL "$file" "$files$file"
  done
  {
    cat <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp TERM=dumb FP8Q_SPIN=0
mount -t proc none /proc && mount -t sysfs none /sys && mount -t devtmpfs none /dev
result=0
run() {
  echo "emulated: $1"
  "$@" || result=$?
}
INIT
    for name in $(compgen -e | grep -E '^(FP8Q|GTEST)_'); do echo "export $name=${!name@Q}"; done
    for file in "${programs[@]}"; do echo run "${file@Q}" "${@@Q}"; done
    # stty waits until the serial port has sent everything.
    echo 'echo "emulated: exit status $result"; stty -F /dev/ttyS0 -echo; poweroff -f'
  } >"$files/init"
  chmod +x "$files/init"
  (cd "$files" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/cd/initrd"
  cp "$folder/vmlinuz" /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$work/cd"
  printf '%s\n' 'default linux' 'label linux' 'kernel vmlinuz' \
    'append initrd=initrd console=ttyS0,115200 quiet mitigations=off nokaslr tsc=reliable' >"$work/cd/isolinux.cfg"
  xorriso -as mkisofs -o "$work/boot.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$work/cd" \
    >"$work/xorriso" 2>&1
}

# Starts the PC and prints what it writes to its serial port, until it is switched off.
run_image() {
  cat >"$work/bochsrc" <<CONFIG
display_library: nogui
cpu: model=$model, ips=50000000, cpuid_freq=ips, msrs=$work/msrs
memory: guest=2048, host=2048
romimage: file=$folder/bochs/bios/BIOS-bochs-latest
vgaromimage: file=$folder/bochs/bios/VGABIOS-lgpl/VGABIOS-lgpl-latest.bin
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial
log: $work/log
panic: action=fatal
error: action=ignore
info: action=ignore
CONFIG
  # IA32_MISC_ENABLE says that strings are fast. Otherwise Linux 6.1 takes ERMS for absent but FSRM for present, and its memmove fails.
  echo '1a0 0 00000000 00000001 00000000 00000000 00000000 00000000' >"$work/msrs"
  touch "$work/serial"
  timeout "$seconds" "$folder/bochs/bochs" -q -f "$work/bochsrc" >"$work/output" 2>&1 </dev/null &
  trap 'kill $! 2>/dev/null || true; rm -rf "$work"' EXIT
  tail -n +1 -f --pid=$! "$work/serial" | sed -u 's/\r//'
}

model=sapphire_rapids seconds=3600 folders=() programs=()
while getopts c:t:d: option; do
  case $option in
    c) model=$OPTARG ;;
    t) seconds=$OPTARG ;;
    d) folders+=("$(realpath -s "$OPTARG")") ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  programs+=("$(realpath -s "$1")")
  shift
done
[ ${#programs[@]} -gt 0 ] || usage

"$root/scripts/install_packages.sh" xorriso isolinux syslinux-common busybox-static cpio curl
mkdir -p "$folder"
[ -x "$folder/bochs/bochs" ] || { echo "building Bochs, see $folder/bochs.log" && (build_bochs) >"$folder/bochs.log" 2>&1; }
[ -f "$folder/vmlinuz" ] || { echo "fetching a kernel, see $folder/kernel.log" && (fetch_kernel) >"$folder/kernel.log" 2>&1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_image "${@:2}"
run_image
result=$(sed -n 's/^emulated: exit status \([0-9]*\)\r*$/\1/p' "$work/serial")
[ -n "$result" ] || { echo "the PC stopped before the tests were done" >&2; tail -q -n 15 "$work/output" "$work/log" >&2 || true; exit 1; }
exit "$result"
