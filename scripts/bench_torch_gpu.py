#!/usr/bin/env python3
"""Measures PyTorch on the shapes of `fp8q bench`: the bar for fp8q's GPU engine. Development only.

A plain BERT encoder with random weights and full-length sequences: scaled_dot_product_attention, torch.compile, one
CUDA graph per cell. FP16, BF16, and FP8: the layers' linears by torch._scaled_mm (E4M3, one scale per tensor, static,
fast accumulation), everything else in BF16. Precisions take turns within a cell; times are medians over graph replays,
by CUDA events. Needs a GPU and PyTorch; --device cpu --precision fp32 --compile none is a smoke test without a GPU.
"""

import argparse
import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

# layers, hidden, heads, inner; as in src/encoder/random_shapes.def
SHAPES = {
    "tiny": (2, 64, 2, 256),
    "minilm-l6": (6, 384, 12, 1536),
    "minilm-l12": (12, 384, 12, 1536),
    "bert-base": (12, 768, 12, 3072),
    "bert-large": (24, 1024, 16, 4096),
}
VOCABULARY, POSITIONS = 30522, 512
# The most telling cells first: a budget of time may leave the last ones out.
GRID = ["bert-base:128:32,1,128", "bert-large:384:32,1,128", "minilm-l6:128:128,32,1", "bert-base:128:8"]
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16, "fp8": torch.bfloat16}
E4M3_LARGEST = 448.0


def to_e4m3(x, step):
    return (x.float() / step).clamp(-E4M3_LARGEST, E4M3_LARGEST).to(torch.float8_e4m3fn)


class Linear(nn.Linear):
    """A linear layer whose input is prepared by the caller, where it can be fused with what made it."""

    def prepare(self, x):
        return x


class Fp8Linear(nn.Module):
    def __init__(self, linear, input_absmax):
        super().__init__()
        weight = linear.weight.detach()
        step = weight.float().abs().max() / E4M3_LARGEST
        self.register_buffer("weight", to_e4m3(weight, step))
        self.register_buffer("weight_step", step)
        self.register_buffer("input_step", input_absmax.float() / E4M3_LARGEST)
        self.register_buffer("bias", linear.bias.detach().to(torch.bfloat16))

    def prepare(self, x):
        return to_e4m3(x, self.input_step)

    def forward(self, x):
        # The second operand must be column-major: the transposed view of [out, in].
        y = torch._scaled_mm(x.reshape(-1, x.shape[-1]), self.weight.t(), scale_a=self.input_step,
                             scale_b=self.weight_step, bias=self.bias, out_dtype=torch.bfloat16, use_fast_accum=True)
        return y.view(*x.shape[:-1], -1)


class Block(nn.Module):
    """A part that is compiled for itself. It returns the hidden states and, prepared, the input of the next layer's QKV
    product, so that rounding to FP8 can fuse with the LayerNorm before it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("next_step", None)  # of that input, where it is FP8

    def both(self, x):
        return x, (x if self.next_step is None else to_e4m3(x, self.next_step))


class Embeddings(Block):
    def __init__(self, hidden):
        super().__init__()
        self.word, self.position = nn.Embedding(VOCABULARY, hidden), nn.Embedding(POSITIONS, hidden)
        self.kind = nn.Embedding(2, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, ids):
        return self.both(self.norm(self.word(ids) + self.position.weight[: ids.shape[1]] + self.kind.weight[0]))


class Layer(Block):
    def __init__(self, hidden, heads, inner):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = Linear(hidden, 3 * hidden), Linear(hidden, hidden)
        self.ffn1, self.ffn2 = Linear(hidden, inner), Linear(inner, hidden)
        self.norm1, self.norm2 = nn.LayerNorm(hidden, eps=1e-12), nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, x, prepared):
        batch, length, hidden = x.shape
        qkv = self.qkv(prepared).view(batch, length, 3, self.heads, hidden // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        context = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, hidden)
        x = self.norm1(x + self.out(self.out.prepare(context)))
        inner = F.gelu(self.ffn1(self.ffn1.prepare(x)))
        return self.both(self.norm2(x + self.ffn2(self.ffn2.prepare(inner))))


class Head(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.pooler, self.classifier = nn.Linear(hidden, hidden), nn.Linear(hidden, 2)

    def forward(self, x):
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class Encoder(nn.Module):
    def __init__(self, layers, hidden, heads, inner):
        super().__init__()
        self.embeddings = Embeddings(hidden)
        self.layers = nn.ModuleList(Layer(hidden, heads, inner) for _ in range(layers))
        self.head = Head(hidden)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)

    def forward(self, ids):
        x, prepared = self.embeddings(ids)
        for layer in self.layers:
            x, prepared = layer(x, prepared)
        return self.head(x)


def make_fp8(encoder, ids):
    """Replaces the layers' linears; activation scales from the largest values that `ids` bring about."""
    absmax = {}

    def watch(module, inputs):
        absmax[module] = inputs[0].detach().abs().max()

    linears = [m for m in encoder.modules() if isinstance(m, Linear)]
    hooks = [m.register_forward_pre_hook(watch) for m in linears]
    encoder(ids)
    for hook in hooks:
        hook.remove()
    for layer in encoder.layers:
        for name in ("qkv", "out", "ffn1", "ffn2"):
            linear = getattr(layer, name)
            setattr(layer, name, Fp8Linear(linear, absmax[linear]))
    # The last layer rounds too, for nobody: then all layers are the same code.
    blocks = [encoder.embeddings, *encoder.layers]
    for block, following in zip(blocks, blocks[1:] + blocks[1:2]):
        block.next_step = following.qkv.input_step


def make_encoder(shape, precision, ids, args):
    torch.manual_seed(args.seed)
    encoder = Encoder(*SHAPES[shape]).to(args.device, DTYPES[precision]).eval()
    if precision == "fp8":
        make_fp8(encoder, ids[:4])
    parts = {"parts": [encoder.embeddings, *encoder.layers, encoder.head], "whole": [encoder], "none": []}
    for part in parts[args.compile]:
        part.compile(mode=args.mode, fullgraph=True, dynamic=False)
    return encoder


def as_graph(encoder, ids):
    """A function that replays the forward pass."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            encoder(ids)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = encoder(ids)
    graph.replay()
    torch.cuda.synchronize()
    if not torch.isfinite(result).all():
        raise RuntimeError("the outputs are not finite")
    return graph.replay


def time_on_gpu(functions, args):
    """Milliseconds of every replay, the functions in turn; queued ahead, so that the GPU never waits."""
    times = [[] for _ in functions]
    start = time.perf_counter()
    while time.perf_counter() - start < args.warmup:
        for f in functions:
            f()
        torch.cuda.synchronize()
    start = time.perf_counter()
    while time.perf_counter() - start < args.min_time * len(functions) or len(times[0]) < args.least:
        marks = []
        for _ in range(10):
            for i, f in enumerate(functions):
                before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                before.record()
                f()
                after.record()
                marks.append((i, before, after))
        torch.cuda.synchronize()
        for i, before, after in marks:
            times[i].append(before.elapsed_time(after))
    return times


def time_on_cpu(functions, args):
    times = [[] for _ in functions]
    for f in functions:
        f()
    while len(times[0]) < args.least:
        for i, f in enumerate(functions):
            start = time.perf_counter()
            f()
            times[i].append(1e3 * (time.perf_counter() - start))
    return times


def operations(shape, batch, length):
    layers, hidden, _, inner = SHAPES[shape]
    return batch * layers * (2 * length * (4 * hidden**2 + 2 * hidden * inner) + 4 * length**2 * hidden)


def measure_cell(shape, length, batch, args):
    torch.compiler.reset()
    if args.device == "cuda":
        torch.cuda.empty_cache()
    generator = torch.Generator().manual_seed(args.seed)
    ids = torch.randint(VOCABULARY, (batch, length), generator=generator).to(args.device)
    rows, functions, encoders = [], [], []
    for precision in args.precision:
        row = {"shape": shape, "batch": batch, "length": length, "precision": precision}
        try:
            encoder = make_encoder(shape, precision, ids, args)
            encoders.append(encoder)  # a graph does not keep the weights it reads
            functions.append(as_graph(encoder, ids) if args.device == "cuda" else lambda e=encoder: e(ids))
        except Exception as error:  # one precision that does not run must not lose the others
            row["error"] = f"{type(error).__name__}: {error}".splitlines()[0]
        rows.append(row)
    timed = time_on_gpu if args.device == "cuda" else time_on_cpu
    times = iter(timed(functions, args) if functions else [])
    for row in rows:
        if "error" in row:
            continue
        ms = sorted(next(times))
        row["ms"] = statistics.median(ms)
        row["p10_ms"], row["p90_ms"] = ms[len(ms) // 10], ms[len(ms) * 9 // 10]
        row["runs"] = len(ms)
        row["tflops"] = operations(shape, batch, length) / row["ms"] / 1e9
    return rows


def print_row(row):
    cell = f"{row['shape']:<12}{row['precision']:<6}{row['batch']:>6}{row['length']:>8}"
    if "error" in row:
        print(f"{cell}  failed: {row['error']}", flush=True)
    else:
        print(f"{cell}{row['ms']:>11.4f}{row['p10_ms']:>11.4f}..{row['p90_ms']:.4f}"
              f"{1e3 * row['batch'] / row['ms']:>14.0f}{row['tflops']:>10.1f}", flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", nargs="+", default=GRID, metavar="SHAPE:LENGTH:BATCH,...",
                        help=f"cells (default: {' '.join(GRID)}); shapes: {', '.join(SHAPES)}")
    parser.add_argument("--precision", "--dtype", nargs="+", choices=sorted(DTYPES), help="default: fp16 bf16 fp8")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--compile", choices=["parts", "whole", "none"], default="parts",
                        help="what torch.compile sees at once; there is nothing to fuse across parts, and all layers "
                        "are one compilation (default: parts)")
    parser.add_argument("--mode", default="max-autotune-no-cudagraphs", help="of torch.compile (default: %(default)s)")
    parser.add_argument("--min-time", type=float, default=1.0, metavar="S", help="timed seconds of each precision")
    parser.add_argument("--warmup", type=float, default=0.5, metavar="S")
    parser.add_argument("--least", type=int, default=20, metavar="N", help="replays at least (default: %(default)s)")
    parser.add_argument("--budget", type=float, default=float("inf"), metavar="S", help="start no cell after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="also write the results as JSON")
    args = parser.parse_args()
    args.precision = args.precision or ["fp16", "bf16", "fp8"]
    args.cells = []
    for cell in args.grid:
        try:
            shape, length, batches = cell.split(":")
            args.cells += [(shape, int(length), int(b)) for b in batches.split(",")]
        except ValueError:
            parser.error(f"--grid {cell}: is not SHAPE:LENGTH:BATCH,...")
        if shape not in SHAPES or not 0 < int(length) <= POSITIONS:
            parser.error(f"--grid {cell}: shapes are {', '.join(SHAPES)}, lengths 1 to {POSITIONS}")
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("PyTorch finds no GPU; --device cpu is a smoke test")
    return args


@torch.no_grad()
def main():
    args = parse_arguments()
    device = torch.cuda.get_device_name() if args.device == "cuda" else "cpu"
    print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, {device}; compiled: {args.compile}, {args.mode}")
    print(f"{'shape':<12}{'':<6}{'batch':>6}{'length':>8}{'ms':>11}{'p10..p90':>19}{'sequences/s':>14}{'TFLOP/s':>10}")
    started = time.monotonic()
    rows = []
    for shape, length, batch in args.cells:
        if time.monotonic() - started > args.budget:
            print(f"no time left for {shape}, batch {batch}, length {length}")
            continue
        for row in measure_cell(shape, length, batch, args):
            rows.append(row)
            print_row(row)
        if args.json:  # after every cell: what is measured is kept if the rest is not
            facts = {"torch": torch.__version__, "cuda": torch.version.cuda, "device": device,
                     "compile": args.compile, "mode": args.mode, "seed": args.seed, "rows": rows}
            with open(args.json, "w", encoding="utf-8") as file:
                json.dump(facts, file, indent=2)
    return 1 if any("error" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
