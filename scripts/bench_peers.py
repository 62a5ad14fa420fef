#!/usr/bin/env python3
"""Measures fp8q beside other CPU runtimes on the same models, in the same run, taking turns. Development only.

    bench_peers.py shapes [--cells minilm-l6:32,128:1,8 ...]
        BERT encoders with random weights and full-length sequences: latency per batch. fp8q answers through
        bench_server, a program that holds its models open as the peers do, so that nobody's start-up counts

    bench_peers.py text FOLDER --task sst2 --data GLUE
        a fine-tuned model on a task's real sentences, from text to score: fp8q as it is typed; the peers with the
        Tokenizers library, sentences sorted by length, batches of 32 padded to their longest

Peers: onnxruntime FP32, INT8 (dynamic and static by its own tools, and fp8q's own Q/DQ file) and fp8q's FP8 file;
OpenVINO FP32, BF16 where the CPU has it, INT8 by NNCF, and the FP8 file; CTranslate2 FP32, INT8 and BF16 where it
computes in it, and PyTorch FP32 and BF16, compiled, where they are installed, both on random weights. All but PyTorch
come with scripts/make_venv.sh --peers.

In every round each contestant takes one turn, fp8q too, and from round to round another one begins. Times are medians
over the rounds. A ratio is a contestant's time over fp8q's in the same round: its median over the rounds comes with the
lowest and the highest, and above 1 fp8q is faster. --json FILE keeps every round, in the order of its turns; --table
FILE writes Markdown. Both are written anew after every cell.
"""
import argparse
import importlib.metadata
import importlib.util
import json
import logging
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

ROOT = pathlib.Path(__file__).resolve().parent.parent
# layers, hidden, heads, inner; as in src/encoder/random_shapes.def
SHAPES = {
    "tiny": (2, 64, 2, 256),
    "minilm-l6": (6, 384, 12, 1536),
    "bert-base": (12, 768, 12, 3072),
    "bert-large": (24, 1024, 16, 4096),
}
VOCABULARY, POSITIONS, EPSILON = 30522, 512, 1e-12
CELLS = [f"{shape}:32,128,384:1,8" for shape in ("minilm-l6", "bert-base", "bert-large")]
# What is told of a CPU: the name of an instruction set, and its flag in /proc/cpuinfo.
INSTRUCTION_SETS = {"AVX2": "avx2", "AVX-512": "avx512f", "AVX-VNNI": "avx_vnni", "AVX512-VNNI": "avx512_vnni",
                    "AVX512-BF16": "avx512_bf16", "AMX": "amx_tile"}


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
        return self.op("LayerNormalization", [x, self.constant(ones), self.constant(zeros)], axis=-1, epsilon=EPSILON)

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
        context = self.op("MatMul", [scores, self.split_heads(v, [0, 2, 1, 3])])
        context = self.op("Transpose", [context], perm=[0, 2, 1, 3])
        context = self.op("Reshape", [context, self.constant(np.array([0, 0, self.hidden], np.int64))])
        x = self.norm(self.op("Add", [self.linear(context, self.hidden, self.hidden), x]))
        wide = self.gelu(self.linear(x, self.hidden, inner))
        return self.norm(self.op("Add", [self.linear(wide, inner, self.hidden), x]))

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


class Server:
    """fp8q with its models open, in a process of its own (tools/bench/bench_server.cc)."""

    def __init__(self, program, models, threads):
        self.formats = list(models)
        self.process = subprocess.Popen([str(program), str(threads), *map(str, models.values())], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.line()  # says that it is ready

    def line(self):
        return self.process.stdout.readline() or sys.exit(f"bench_server ended with status {self.process.wait()}")

    def turn(self, form, batch, length, seconds):
        """The median milliseconds of a run."""
        print("run", self.formats.index(form), batch, length, seconds, file=self.process.stdin, flush=True)
        return float(self.line().split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


class OnnxRuntime:
    def __init__(self, name, model, threads):
        self.name = "onnxruntime " + name
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self.inputs = [i.name for i in self.session.get_inputs()]

    def run(self, feed):
        return self.session.run(None, {name: feed[name] for name in self.inputs})[0]


class Samples(quantization.CalibrationDataReader):
    def __init__(self, samples):
        self.rest = iter(samples)

    def get_next(self):
        return next(self.rest, None)


def ort_dynamic(model):
    path = model.with_name("ort-dynamic.onnx")
    if not path.exists():
        quantization.quantize_dynamic(str(model), str(path))
    return path


def ort_static(model, samples):
    """Types as onnxruntime advises for x86; on a CPU with AVX2, QInt8 activations take two to three times as long. Only
    products are quantized: with all the operators that its tools quantize by default, an encoder takes longer, too."""
    path = model.with_name("ort-static.onnx")
    if not path.exists():
        quantization.quantize_static(str(model), str(path), Samples(samples), per_channel=True, reduce_range=False,
                                     activation_type=quantization.QuantType.QUInt8,
                                     weight_type=quantization.QuantType.QInt8, op_types_to_quantize=["MatMul"])
    return path


class OpenVino:
    def __init__(self, name, model, threads, hint, nncf_data=None):
        import openvino as ov

        self.name = "OpenVINO " + name
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


class CTranslate2:
    """The encoder with its pooler; the classifier's two columns are left out. In FP32 the last hidden states are those
    of the ONNX model, to an NMSE of 1e-13."""

    def __init__(self, name, model, shape, threads, compute_type):
        import ctranslate2

        self.name, self.from_array = "CTranslate2 " + name, ctranslate2.StorageView.from_array
        folder = model.with_name("ctranslate2")
        if not folder.exists():
            self.convert(model, shape, folder)
        self.encoder = ctranslate2.Encoder(str(folder), compute_type=compute_type, intra_threads=threads)

    def run(self, feed):
        ids = np.ascontiguousarray(feed["input_ids"], np.int32)
        lengths = feed["attention_mask"].sum(1, dtype=np.int32)
        return np.array(self.encoder.forward_batch(self.from_array(ids), self.from_array(lengths)).pooler_output)

    @staticmethod
    def convert(model, shape, folder):
        """Writes what its converter of Transformers' BertModel would, from the weights in the order in which Writer
        uses them."""
        from ctranslate2.specs import TransformerEncoderModelSpec, TransformerEncoderSpec, common_spec

        layers, _, heads, _ = SHAPES[shape]
        graph = onnx.load(str(model)).graph
        arrays = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
        inputs_of = lambda kind: [[arrays.get(i) for i in node.input] for node in graph.node if node.op_type == kind]
        biased = [(node.input[1], arrays[node.input[0]]) for node in graph.node
                  if node.op_type == "Add" and node.input[0] in arrays]
        matrices = {node.output[0]: arrays.get(node.input[1]) for node in graph.node if node.op_type == "MatMul"}
        linears = iter([(matrices[product].T, bias) for product, bias in biased])
        norms = iter([(gamma, beta) for _, gamma, beta in inputs_of("LayerNormalization")])
        tables = [table for table, _ in inputs_of("Gather") if table is not None and table.ndim == 2 and
                  table.dtype == np.float32]

        def linear(spec, parts=1):
            weights, biases = zip(*(next(linears) for _ in range(parts)))
            spec.weight, spec.bias = np.concatenate(weights), np.concatenate(biases)

        def norm(spec):
            spec.gamma, spec.beta = next(norms)

        encoder = TransformerEncoderSpec(layers, heads, pre_norm=False, activation=common_spec.Activation.GELU,
                                         num_source_embeddings=2, embeddings_merge=common_spec.EmbeddingsMerge.ADD,
                                         layernorm_embedding=True)
        encoder.scale_embeddings = False
        encoder.embeddings[0].weight, encoder.embeddings[1].weight, encoder.position_encodings.encodings = tables
        norm(encoder.layernorm_embedding)
        for layer in encoder.layer:
            linear(layer.self_attention.linear[0], parts=3)
            linear(layer.self_attention.linear[1])
            norm(layer.self_attention.layer_norm)
            linear(layer.ffn.linear_0)
            linear(layer.ffn.linear_1)
            norm(layer.ffn.layer_norm)
        spec = TransformerEncoderModelSpec(encoder, pooling_layer=True)
        linear(spec.pooler_dense)
        spec.config.layer_norm_epsilon, spec.config.unk_token = EPSILON, "0"
        spec.register_vocabulary(list(map(str, range(VOCABULARY))))
        spec.validate()
        folder.mkdir()
        spec.save(str(folder))


class PyTorch:
    def __init__(self, precision, shape, threads):
        import torch
        from bench_torch_gpu import Encoder

        self.name, self.torch = f"PyTorch {precision} compiled", torch
        torch.set_num_threads(threads)
        encoder = Encoder(*SHAPES[shape]).to({"fp32": torch.float32, "bf16": torch.bfloat16}[precision]).eval()
        self.encoder = torch.compile(encoder, dynamic=False)

    def run(self, feed):
        with self.torch.inference_mode():
            return self.encoder(self.torch.from_numpy(feed["input_ids"]))


def cpu():
    """The CPU's name and the names of its instruction sets."""
    facts = dict(line.split(":", 1) for line in pathlib.Path("/proc/cpuinfo").read_text().split("\n\n")[0].split("\n"))
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    flags = facts["flags"].split()
    return facts["model name"], [name for name, flag in INSTRUCTION_SETS.items() if flag in flags]


def ctranslate2_peers(model, shape, threads):
    import ctranslate2

    able = ctranslate2.get_supported_compute_types("cpu")
    for name, compute_type in (("fp32", "float32"), ("int8", "int8"), ("bf16", "bfloat16")):
        if compute_type in able:
            yield lambda name=name, kind=compute_type: CTranslate2(name, model, shape, threads, kind)


def peers_of(a, models, samples, shape=None):
    model, threads = models["fp32"], a.threads
    inputs = [i.name for i in onnx.load(str(model), load_external_data=False).graph.input]
    samples = [{name: sample[name] for name in inputs} for sample in samples]
    makers = [
        lambda: OnnxRuntime("fp32", model, threads),
        lambda: OnnxRuntime("int8 dynamic", ort_dynamic(model), threads),
        lambda: OnnxRuntime("int8 static", ort_static(model, samples), threads),
        lambda: OnnxRuntime("int8 file", models["int8"], threads),
        lambda: OnnxRuntime("fp8 file", models["e4m3"], threads),
        lambda: OpenVino("fp32", model, threads, "f32"),
        lambda: OpenVino("int8 NNCF", model, threads, "f32", samples),
        lambda: OpenVino("fp8 file", models["e4m3"], threads, "f32"),
    ]
    bf16 = "AVX512-BF16" in cpu()[1]
    if bf16:
        makers.append(lambda: OpenVino("bf16", model, threads, "bf16"))
    if shape and importlib.util.find_spec("ctranslate2"):
        makers += ctranslate2_peers(model, shape, threads)
    if shape and importlib.util.find_spec("torch"):
        makers += [lambda p=p: PyTorch(p, shape, threads) for p in (("fp32", "bf16") if bf16 else ("fp32",))]
    peers = []
    for make in makers:
        try:
            peer = make()
            if peer.name not in a.without:
                peer.run(samples[0])
                peers.append(peer)
        except Exception as e:  # a peer that refuses a file is a finding, not an end
            print(f"left out: {type(e).__name__}: {str(e).splitlines()[0][:150]}", file=sys.stderr)
    return peers


def random_feed(batch, length, seed):
    ids = np.random.default_rng(seed).integers(1000, VOCABULARY, (batch, length))
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def seconds_of(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def peer_turn(peer, feed, seconds):
    """The median milliseconds of a run, by the same rule as bench_server's."""
    peer.run(feed)
    times = []
    while sum(times) < seconds or len(times) < 3:
        times.append(seconds_of(lambda: peer.run(feed)))
    return 1e3 * statistics.median(times)


def take_turns(contestants, count):
    """What each contestant's turn returned, by its name, in every round. The rounds' first turns are spread evenly over
    the contestants."""
    names = list(contestants)
    rounds = []
    for i in range(count):
        first = i * len(names) // count
        rounds.append({name: contestants[name]() for name in names[first:] + names[:first]})
    return rounds


def shapes(a):
    for shape, grid in a.cells:
        yield from shape_cells(a, shape, grid)


def cells_of(text):
    """"minilm-l6:32,128:1,8" as the shape and its pairs of length and batch size."""
    shape, lengths, batches = text.split(":")
    return shape, [(positive(s), positive(b)) for s in lengths.split(",") for b in batches.split(",")]


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def shape_cells(a, shape, grid):
    models = random_model(a.fp8q, shape)
    with Server(a.server, models, a.threads) as server:
        peers = peers_of(a, models, [random_feed(1, 128, seed) for seed in range(8)], shape)
        for length, batch in grid:
            feed = random_feed(batch, length, seed=100)
            contestants = {f"fp8q {f}": lambda f=f: server.turn(f, batch, length, a.seconds) for f in models}
            contestants.update({p.name: lambda p=p: peer_turn(p, feed, a.seconds) for p in peers})
            yield {"cell": f"{shape} s{length} b{batch}", "unit": "ms", "rounds": take_turns(contestants, a.rounds)}


def text(a):
    from check_onnxruntime import encodings

    models = fp8q_models(a.fp8q, a.folder, ["--task", a.task, "--data", a.data])
    examples = sorted(encodings(a.folder, a.data, a.task, None), key=lambda e: -len(e.ids))
    samples = [feed_of(examples[i::len(examples) // 32][:1]) for i in range(32)]
    peers = peers_of(a, models, samples)

    def run_peer(peer):
        ordered = sorted(encodings(a.folder, a.data, a.task, None), key=lambda e: -len(e.ids))
        for i in range(0, len(ordered), 32):
            peer.run(feed_of(ordered[i:i + 32]))

    def run_fp8q(model):
        subprocess.run([str(a.fp8q), "eval", str(model), "--task", a.task, "--data", str(a.data), "--no-baseline",
                        "--threads", str(a.threads), "--quiet"], check=True)

    contestants = {f"fp8q {form}": lambda m=model: seconds_of(lambda: run_fp8q(m)) for form, model in models.items()}
    contestants.update({p.name: lambda p=p: seconds_of(lambda: run_peer(p)) for p in peers})
    for turn in contestants.values():
        turn()  # a round that is not counted
    yield {"cell": f"{a.task}, {len(examples)} examples", "unit": "s", "rounds": take_turns(contestants, a.rounds)}


def feed_of(batch):
    width = max(len(e.ids) for e in batch)
    padded = lambda values: np.array([v + [0] * (width - len(v)) for v in values], dtype=np.int64)
    return {"input_ids": padded([e.ids for e in batch]), "attention_mask": padded([[1] * len(e.ids) for e in batch]),
            "token_type_ids": padded([e.type_ids for e in batch])}


def fp8q_names(cell):
    return [name for name in cell["rounds"][0] if name.startswith("fp8q")]


def ratio(rounds, name, ours):
    if name == ours:
        return ""
    ratios = [r[name] / r[ours] for r in rounds]
    return f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


def rows_of(cell):
    """Each contestant's name, median time, and ratios to fp8q's formats in words."""
    rounds = cell["rounds"]
    for name in rounds[0]:
        median = statistics.median(r[name] for r in rounds)
        yield name, median, [ratio(rounds, name, ours) for ours in fp8q_names(cell)]


def print_cell(cell):
    heading = "".join(f"{'/ ' + ours:>26}" for ours in fp8q_names(cell))
    print(f"\n{cell['cell']}\n  {'':26}{cell['unit']:>10}{heading}")
    for name, median, ratios in rows_of(cell):
        print(f"  {name:26}{median:10.3f}" + "".join(f"{words:>26}" for words in ratios), flush=True)


def write_table(a, facts):
    name, sets = facts["cpu"]
    versions = ", ".join(f"{package} {version}" for package, version in facts["versions"].items())
    unit, ours = facts["cells"][0]["unit"], fp8q_names(facts["cells"][0])
    lines = [
        f"Made by `scripts/bench_peers.py {a.what}` on {name} ({', '.join(sets)}), --threads {a.threads}:",
        f"{versions}.",
        f"Times are medians of {a.rounds} rounds in which each contestant took one turn. Ratios are those of a round's",
        "times to fp8q's in that round: their median [lowest, highest]. Above 1 fp8q is faster.",
        "",
        f"| | contestant | {unit} | " + " | ".join("/ " + o for o in ours) + " |",
        "| --- | --- | ---: |" + " ---: |" * len(ours),
    ]
    for cell in facts["cells"]:
        for contestant, median, ratios in rows_of(cell):
            lines.append(" | ".join([f"| {cell['cell']}", contestant, f"{median:.3f}", *ratios]) + " |")
    a.table.write_text("\n".join(lines) + "\n")


def versions_of(fp8q):
    version = subprocess.run([str(fp8q), "--version"], check=True, capture_output=True, text=True).stdout.split()[-1]
    packages = [p for p in ("onnxruntime", "openvino", "nncf", "ctranslate2", "torch") if importlib.util.find_spec(p)]
    return {"fp8q": version, **{p: importlib.metadata.version(p) for p in packages}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    grid = commands.add_parser("shapes")
    grid.add_argument("--cells", nargs="+", type=cells_of, default=[cells_of(c) for c in CELLS],
                      metavar="SHAPE:LENGTHS:BATCHES")
    grid.add_argument("--seconds", type=float, default=0.5, help="of runs of each in a round, at least 3 runs")
    grid.add_argument("--server", type=pathlib.Path, default=ROOT / "build/tools/bench/bench_server",
                      help="made by `ninja -C build bench_server`")
    task = commands.add_parser("text")
    task.add_argument("folder", type=pathlib.Path, help="with model.onnx and tokenizer.json")
    task.add_argument("--task", required=True)
    task.add_argument("--data", type=pathlib.Path, required=True)
    for command in (grid, task):
        command.add_argument("--fp8q", type=pathlib.Path, default=ROOT / "build/bin/fp8q")
        command.add_argument("--threads", type=positive, default=2)
        command.add_argument("--rounds", type=positive, default=5)
        command.add_argument("--without", nargs="+", default=[], metavar="NAME",
                             help='contestants to leave out, as in "OpenVINO fp8 file"')
        command.add_argument("--json", type=pathlib.Path)
        command.add_argument("--table", type=pathlib.Path)
    a = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)  # onnxruntime's quantizers warn of every bias
    facts = {"versions": versions_of(a.fp8q), "cpu": cpu(), "threads": a.threads, "cells": []}
    for cell in {"shapes": shapes, "text": text}[a.what](a):
        print_cell(cell)
        facts["cells"].append(cell)
        if a.json:
            a.json.write_text(json.dumps(facts, indent=1) + "\n")
        if a.table:
            write_table(a, facts)


if __name__ == "__main__":
    main()
