#!/usr/bin/env python3
"""Compare fp8q's codecs with ml_dtypes (E4M3, E5M2, BF16) and NumPy (FP16), for all 2^32 floats.

    check_codecs.py DUMP_CODES [STEP]

DUMP_CODES is the program of tests/unit/numeric. Of every STEP blocks of 2^22 floats one is compared (default: all).
NaNs are one class. Development only; needs numpy and ml_dtypes.
"""
import subprocess
import sys

import ml_dtypes
import numpy as np

BLOCK = 1 << 22
FORMATS = [("e4m3", ml_dtypes.float8_e4m3fn, np.uint8), ("e5m2", ml_dtypes.float8_e5m2, np.uint8),
           ("f16", np.float16, np.uint16), ("bf16", ml_dtypes.bfloat16, np.uint16)]


def mismatches(program, name, dtype, code, first):
    """Count the floats from `first` on whose codes differ."""
    done = subprocess.run([program, name, str(first), str(BLOCK)], check=True, stdout=subprocess.PIPE)
    ours = np.frombuffer(done.stdout, code)
    x = np.arange(first, first + BLOCK, dtype=np.uint64).astype(np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        theirs = x.astype(dtype)
        both_nan = np.isnan(theirs.astype(np.float32)) & np.isnan(ours.view(dtype).astype(np.float32))
    return int(np.count_nonzero((ours != theirs.view(code)) & ~both_nan))


def main():
    program, step = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    failed = False
    for name, dtype, code in FORMATS:
        blocks = range(0, 1 << 32, BLOCK * step)
        wrong = sum(mismatches(program, name, dtype, code, first) for first in blocks)
        print(f"{name}: {len(blocks) * BLOCK} floats against {np.dtype(dtype).name}, {wrong} codes differ", flush=True)
        failed |= wrong > 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
