#!/usr/bin/env python3
"""Compare fp8q with onnxruntime on the same model and the same sentences (development only; see make_venv.sh).

    check_onnxruntime.py agree MODEL.onnx --task sst2 --data GLUE [--limit N] [--reference]
        runs `fp8q eval --predictions` (with --reference: fp8q's interpreter) and onnxruntime on MODEL and reports the
        share of equal labels and the NMSE of the logits (mean squared difference over mean square); exit status 1
        below 99 % or above 5e-4

    check_onnxruntime.py speed MODEL.onnx --task sst2 --data GLUE [--threads 2] [--rounds 5]
        alternates `fp8q eval` and onnxruntime (batches of 32, padded to the longest of each, in file order and sorted
        by length) and reports medians of sentences per second and their ratios
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The official files: file to read, columns of the text and its pair, lines of heading.
LAYOUT = {
    "sst2": ("SST-2/dev.tsv", 0, None, 1),
    "cola": ("CoLA/dev.tsv", 3, None, 0),
    "mrpc": ("MRPC/test.tsv", 3, 4, 1),
    "rte": ("RTE/dev.tsv", 1, 2, 1),
    "qnli": ("QNLI/dev.tsv", 1, 2, 1),
    "stsb": ("STS-B/dev.tsv", 7, 8, 1),
}


def encodings(folder, data, task, limit):
    file, first, second, heading = LAYOUT[task]
    lines = (data / file).read_text(encoding="utf-8").split("\n")[heading:]
    rows = [line.split("\t") for line in lines if line][:limit]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(128)
    return [tokenizer.encode(r[first], r[second] if second else None) for r in rows]


def session(model, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Without VNNI, onnxruntime's default INT8 kernels saturate 16-bit intermediate sums; this asks for its exact ones.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def feed(s, batch):
    width = max(len(e.ids) for e in batch)

    def padded(values):
        return np.array([v + [0] * (width - len(v)) for v in values], dtype=np.int64)

    full = {
        "input_ids": padded([e.ids for e in batch]),
        "attention_mask": padded([[1] * len(e.ids) for e in batch]),
        "token_type_ids": padded([e.type_ids for e in batch]),
    }
    return {i.name: full[i.name] for i in s.get_inputs()}


def run_fp8q(a, extra):
    command = [str(a.fp8q), "eval", str(a.model), "--task", a.task, "--data", str(a.data), "--no-baseline", "--json", "-"]
    if a.limit:
        command += ["--limit", str(a.limit)]
    return json.loads(subprocess.run(command + extra, check=True, stdout=subprocess.PIPE).stdout)


def agree(a):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "predictions.jsonl"
        run_fp8q(a, ["--predictions", str(path)] + (["--reference"] if a.reference else []))
        ours = np.array([json.loads(line)["logits"] for line in path.read_text().splitlines()])
    s = session(a.model, a.threads)
    theirs = np.array([s.run(None, feed(s, [e]))[0][0] for e in encodings(a.model.parent, a.data, a.task, a.limit)])
    same = float((ours.argmax(-1) == theirs.argmax(-1)).mean())
    nmse = float(((ours - theirs) ** 2).mean() / (theirs**2).mean())
    print(f"{a.model.name}: {len(ours)} examples, equal labels {same:.4%}, NMSE {nmse:.3g}, largest difference {np.abs(ours - theirs).max():.3g}")
    return 0 if same >= 0.99 and nmse <= 5e-4 else 1


def speed(a):
    examples = encodings(a.model.parent, a.data, a.task, a.limit)
    s = session(a.model, a.threads)

    def onnxruntime_rate(order):
        batches = [feed(s, order[i : i + 32]) for i in range(0, len(order), 32)]
        start = time.perf_counter()
        for b in batches:
            s.run(None, b)
        return len(order) / (time.perf_counter() - start)

    by_length = sorted(examples, key=lambda e: -len(e.ids))
    onnxruntime_rate(examples)  # warm up
    rates = {"fp8q": [], "onnxruntime, file order": [], "onnxruntime, sorted by length": []}
    for _ in range(a.rounds):
        rates["fp8q"].append(run_fp8q(a, ["--threads", str(a.threads)])["examples_per_s"])
        rates["onnxruntime, file order"].append(onnxruntime_rate(examples))
        rates["onnxruntime, sorted by length"].append(onnxruntime_rate(by_length))
    base = statistics.median(rates["fp8q"])
    for name, values in rates.items():
        median = statistics.median(values)
        print(f"{name:32} {median:8.1f}/s   fp8q is {base / median:.2f} times as fast   (range {min(values):.1f} to {max(values):.1f})")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["agree", "speed"])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--task", required=True, choices=sorted(LAYOUT))
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder with the official GLUE folders")
    parser.add_argument("--fp8q", type=pathlib.Path, default=ROOT / "build/bin/fp8q")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reference", action="store_true")
    a = parser.parse_args()
    return {"agree": agree, "speed": speed}[a.what](a)


if __name__ == "__main__":
    sys.exit(main())
