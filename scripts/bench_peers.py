#!/usr/bin/env python3
"""Measures fp8q beside other CPU runtimes on the same models, in the same run, taking turns. Development only.

    bench_peers.py shapes [--cells minilm-l6:32,128:1,8 ...]
        BERT encoders with random weights and full-length sequences: latency per batch

    bench_peers.py text FOLDER --task sst2 --data GLUE
        a fine-tuned model on a task's real sentences, from text to score: fp8q as it is typed; the peers with the
        Tokenizers library, sentences sorted by length, batches of 32 padded to their longest

Peers: onnxruntime FP32, INT8 (dynamic, and fp8q's own Q/DQ file) and fp8q's FP8 file; OpenVINO FP32, BF16 where the CPU
has it, INT8 by NNCF, and the FP8 file; PyTorch FP32 and BF16, compiled, on random weights, where it is installed. The
others come with scripts/make_venv.sh --peers. Every round runs all of them once, in
turn; figures are medians over the rounds, so their ratios come from one stretch of time. --json FILE keeps every round.
"""
import argparse
import importlib.util
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent
# layers, hidden, heads, inner; as in src/encoder/random_shapes.def
SHAPES = {
    "tiny": (2, 64, 2, 256),
    "minilm-l6": (6, 384, 12, 1536),
    "bert-base": (12, 768, 12, 3072),
    "bert-large": (24, 1024, 16, 4096),
}
VOCABULARY, POSITIONS = 30522, 512
CELLS = [f"{shape}:32,128,384:1,8" for shape in ("minilm-l6", "bert-base", "bert-large")]


class Writer:
    """A BERT classifier as exporters write it, with random weights."""

    def __init__(self, layers, hidden, heads, inner):
        self.random = np.random.default_rng(1)
        self.nodes, self.weights, self.hidden, self.heads = [], [], hidden, heads
        x = self.embeddings()
        mask = self.mask()
        for _ in range(layers):
            x = self.layer(x, mask, inner)
        first = self.op("Gather", [x, self.constant(np.array(0, np.int64))], axis=1)
        pooled = self.op("Tanh", [self.linear(first, hidden, hidden)])
        self.nodes.append(helper.make_node("Identity", [self.linear(pooled, hidden, 2)], ["logits"]))

    def op(self, kind, inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=f"n{len(self.nodes)}", **attributes))
        return name

    def constant(self, value):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def matrix(self, *shape):
        return self.constant(self.random.normal(0, 0.02, shape).astype(np.float32))

    def linear(self, x, rows, columns):
        return self.op("Add", [self.constant(np.zeros(columns, np.float32)),
                               self.op("MatMul", [x, self.matrix(rows, columns)])])

    def norm(self, x):
        ones, zeros = np.ones(self.hidden, np.float32), np.zeros(self.hidden, np.float32)
        return self.op("LayerNormalization", [x, self.constant(ones), self.constant(zeros)], axis=-1, epsilon=1e-12)

    def embeddings(self):
        words = self.op("Gather", [self.matrix(VOCABULARY, self.hidden), "input_ids"])
        kinds = self.op("Gather", [self.matrix(2, self.hidden), "token_type_ids"])
        length = self.op("Gather", [self.op("Shape", ["input_ids"]), self.constant(np.array([1], np.int64))])
        positions = self.op("Slice", [self.constant(np.arange(POSITIONS, dtype=np.int64)[None]),
                                      self.constant(np.array([0], np.int64)), length,
                                      self.constant(np.array([1], np.int64))])
        places = self.op("Gather", [self.matrix(POSITIONS, self.hidden), positions])
        return self.norm(self.op("Add", [self.op("Add", [words, kinds]), places]))

    def mask(self):
        wide = self.op("Unsqueeze", ["attention_mask", self.constant(np.array([1, 2], np.int64))])
        away = self.op("Sub", [self.constant(np.array(1, np.float32)), self.op("Cast", [wide], to=TensorProto.FLOAT)])
        return self.op("Mul", [away, self.constant(np.array(np.finfo(np.float32).min, np.float32))])

    def split_heads(self, x, order):
        size = self.hidden // self.heads
        shape = self.constant(np.array([0, 0, self.heads, size], np.int64))
        return self.op("Transpose", [self.op("Reshape", [x, shape])], perm=order)

    def layer(self, x, mask, inner):
        q, k, v = (self.linear(x, self.hidden, self.hidden) for _ in range(3))
        scores = self.op("MatMul", [self.split_heads(q, [0, 2, 1, 3]), self.split_heads(k, [0, 2, 3, 1])])
        root = self.constant(np.array(np.sqrt(self.hidden // self.heads), np.float32))
        scores = self.op("Softmax", [self.op("Add", [self.op("Div", [scores, root]), mask])], axis=-1)
        context = self.op("Transpose", [self.op("MatMul", [scores, self.split_heads(v, [0, 2, 1, 3])])], perm=[0, 2, 1, 3])
        context = self.op("Reshape", [context, self.constant(np.array([0, 0, self.hidden], np.int64))])
        x = self.norm(self.op("Add", [self.linear(context, self.hidden, self.hidden), x]))
        return self.norm(self.op("Add", [self.linear(self.gelu(self.linear(x, self.hidden, inner)), inner, self.hidden), x]))

    def gelu(self, x):
        number = lambda value: self.constant(np.array(value, np.float32))
        erf = self.op("Erf", [self.op("Div", [x, number(np.sqrt(2.0))])])
        return self.op("Mul", [self.op("Mul", [x, self.op("Add", [erf, number(1)])]), number(0.5)])

    def save(self, path):
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
                  for name in ("input_ids", "attention_mask", "token_type_ids")]
        outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])]
        graph = helper.make_graph(self.nodes, "bert", inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(model, str(path))


def fp8q_models(fp8q, folder, arguments):
    """The E4M3 and INT8 files of FOLDER/model.onnx, made where they are missing."""
    model = folder / "model.onnx"
    run = lambda *words: subprocess.run([str(fp8q), *map(str, words), "--quiet"], check=True)
    if not (folder / "model.int8.onnx").exists():
        run("calibrate", model, *arguments)
        for recipe in ("e4m3", "int8"):
            run("convert", model, "--format", recipe)
    return {"fp32": model, "e4m3": folder / "model.e4m3.onnx", "int8": folder / "model.int8.onnx"}


def random_model(fp8q, shape):
    folder = ROOT / ".cache" / "peers" / shape
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "model.onnx").exists():
        Writer(*SHAPES[shape]).save(folder / "model.onnx")
    return fp8q_models(fp8q, folder, ["--random-data", "--examples", 32])


class OnnxRuntime:
    def __init__(self, name, precision, model, threads):
        self.name, self.precision = "onnxruntime " + name, precision
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.inputs = [i.name for i in self.session.get_inputs()]

    def run(self, feed):
        return self.session.run(None, {name: feed[name] for name in self.inputs})[0]


class OpenVino:
    def __init__(self, name, precision, model, threads, hint, nncf_data=None):
        import openvino as ov

        self.name, self.precision = "OpenVINO " + name, precision
        core = ov.Core()
        network = core.read_model(str(model))
        if nncf_data:
            import nncf

            nncf.set_log_level("ERROR")
            network = nncf.quantize(network, nncf.Dataset(nncf_data), model_type=nncf.ModelType.TRANSFORMER,
                                    subset_size=len(nncf_data))
        self.inputs = [i.any_name for i in network.inputs]
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        self.request = core.compile_model(network, "CPU", settings).create_infer_request()

    def run(self, feed):
        return list(self.request.infer({name: feed[name] for name in self.inputs}).values())[0]


class PyTorch:
    def __init__(self, precision, shape, threads):
        import torch
        from bench_torch_gpu import Encoder

        self.name, self.precision, self.torch = f"PyTorch {precision} compiled", precision, torch
        torch.set_num_threads(threads)
        encoder = Encoder(*SHAPES[shape]).to({"fp32": torch.float32, "bf16": torch.bfloat16}[precision]).eval()
        self.encoder = torch.compile(encoder, dynamic=False)

    def run(self, feed):
        with self.torch.inference_mode():
            return self.encoder(self.torch.from_numpy(feed["input_ids"]))


def cpu_has(flag):
    return flag in pathlib.Path("/proc/cpuinfo").read_text()


def peers_of(models, samples, threads, shape=None):
    from onnxruntime.quantization import quantize_dynamic

    dynamic = models["fp32"].with_name("ort-dynamic.onnx")
    if not dynamic.exists():
        quantize_dynamic(str(models["fp32"]), str(dynamic))
    makers = [
        lambda: OnnxRuntime("fp32", "fp32", models["fp32"], threads),
        lambda: OnnxRuntime("int8 dynamic", "int8", dynamic, threads),
        lambda: OnnxRuntime("int8 file", "int8", models["int8"], threads),
        lambda: OnnxRuntime("fp8 file", "fp8", models["e4m3"], threads),
        lambda: OpenVino("fp32", "fp32", models["fp32"], threads, "f32"),
        lambda: OpenVino("int8 NNCF", "int8", models["fp32"], threads, "f32", samples),
        lambda: OpenVino("fp8 file", "fp8", models["e4m3"], threads, "f32"),
    ]
    bf16 = cpu_has("avx512_bf16")
    if bf16:
        makers.append(lambda: OpenVino("bf16", "bf16", models["fp32"], threads, "bf16"))
    if shape and importlib.util.find_spec("torch"):
        makers += [lambda p=p: PyTorch(p, shape, threads) for p in (("fp32", "bf16") if bf16 else ("fp32",))]
    peers = []
    for make in makers:
        try:
            peers.append(make())
        except Exception as e:  # a peer that refuses a file is a finding, not an end
            print(f"left out: {type(e).__name__}: {str(e).splitlines()[0][:150]}", file=sys.stderr)
    return peers


def random_feed(batch, length):
    ids = np.random.default_rng(2).integers(1000, VOCABULARY, (batch, length))
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def seconds_of(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def fp8q_cell(a, models, batch, length):
    """Median ms by format of one process of `fp8q bench`."""
    command = [str(a.fp8q), "bench", *map(str, models.values()), "--batch", str(batch), "--length", str(length),
               "--threads", str(a.threads), "--min-time", str(a.seconds), "--json", "-"]
    rows = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["rows"]
    return {f"fp8q {form}": row["median_ms"] for form, row in zip(models, rows)}


def peer_cell(peer, feed, seconds):
    times = [seconds_of(lambda: peer.run(feed))]
    while sum(times) < seconds or len(times) < 3:
        times.append(seconds_of(lambda: peer.run(feed)))
    return 1e3 * statistics.median(times)


def shapes(a):
    cells = []
    for text in a.cells:
        shape, lengths, batches = text.split(":")
        models = random_model(a.fp8q, shape)
        peers = peers_of(models, [random_feed(1, 128) for _ in range(8)], a.threads, shape)
        for length in map(int, lengths.split(",")):
            for batch in map(int, batches.split(",")):
                feed = random_feed(batch, length)
                for peer in peers:
                    peer.run(feed)  # shapes are compiled at the first run
                rounds = []
                for _ in range(a.rounds):
                    rounds.append(fp8q_cell(a, models, batch, length))
                    rounds[-1].update({p.name: peer_cell(p, feed, a.seconds) for p in peers})
                cells.append({"cell": f"{shape} s{length} b{batch}", "unit": "ms", "rounds": rounds})
                print_cell(cells[-1])
    return cells


def text(a):
    from check_onnxruntime import encodings

    models = fp8q_models(a.fp8q, a.folder, ["--task", a.task, "--data", a.data])
    examples = sorted(encodings(a.folder, a.data, a.task, None), key=lambda e: -len(e.ids))
    samples = [feed_of(examples[i::len(examples) // 32][:1]) for i in range(32)]
    peers = peers_of(models, samples, a.threads)

    def run_peer(peer):
        ordered = sorted(encodings(a.folder, a.data, a.task, None), key=lambda e: -len(e.ids))
        for i in range(0, len(ordered), 32):
            peer.run(feed_of(ordered[i:i + 32]))

    def run_fp8q(model):
        subprocess.run([str(a.fp8q), "eval", str(model), "--task", a.task, "--data", str(a.data), "--no-baseline",
                        "--threads", str(a.threads), "--quiet"], check=True)

    for peer in peers:
        run_peer(peer)
    rounds = []
    for _ in range(a.rounds):
        rounds.append({f"fp8q {form}": seconds_of(lambda: run_fp8q(model)) for form, model in models.items()})
        rounds[-1].update({p.name: seconds_of(lambda: run_peer(p)) for p in peers})
    cell = {"cell": f"{a.task}, {len(examples)} examples", "unit": "s", "rounds": rounds}
    print_cell(cell)
    return [cell]


def feed_of(batch):
    width = max(len(e.ids) for e in batch)
    padded = lambda values: np.array([v + [0] * (width - len(v)) for v in values], dtype=np.int64)
    return {"input_ids": padded([e.ids for e in batch]), "attention_mask": padded([[1] * len(e.ids) for e in batch]),
            "token_type_ids": padded([e.type_ids for e in batch])}


def print_cell(cell):
    names = list(cell["rounds"][0])
    medians = {name: statistics.median(r[name] for r in cell["rounds"]) for name in names}
    ours = [name for name in names if name.startswith("fp8q")]
    print(f"\n{cell['cell']} ({cell['unit']}; times as fast: {', '.join(ours)})")
    for name in names:
        ratios = "".join(f"{medians[name] / medians[o]:9.2f}" for o in ours)
        print(f"  {name:26}{medians[name]:10.3f}{ratios}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    grid = commands.add_parser("shapes")
    grid.add_argument("--cells", nargs="+", default=CELLS, metavar="SHAPE:LENGTHS:BATCHES")
    grid.add_argument("--seconds", type=float, default=0.5, help="of runs of each in a round, at least 3 runs")
    task = commands.add_parser("text")
    task.add_argument("folder", type=pathlib.Path, help="with model.onnx and tokenizer.json")
    task.add_argument("--task", required=True)
    task.add_argument("--data", type=pathlib.Path, required=True)
    for command in (grid, task):
        command.add_argument("--fp8q", type=pathlib.Path, default=ROOT / "build/bin/fp8q")
        command.add_argument("--threads", type=int, default=2)
        command.add_argument("--rounds", type=int, default=5)
        command.add_argument("--json", type=pathlib.Path)
    a = parser.parse_args()
    cells = {"shapes": shapes, "text": text}[a.what](a)
    if a.json:
        versions = {"fp8q": subprocess.run([str(a.fp8q), "--version"], capture_output=True, text=True).stdout.strip(),
                    "onnxruntime": ort.__version__}
        a.json.write_text(json.dumps({"versions": versions, "threads": a.threads, "cells": cells}, indent=1) + "\n")


if __name__ == "__main__":
    main()
