#!/usr/bin/env python3
"""Makes docs/results.md: every recipe on every fine-tuned example model. Development only, no packages needed.

    make_results.py MODELS DATA [--fp8q build/bin/fp8q] [--work build/results] [--only sst2 ...]

MODELS is the folder of the example models (scripts/test.sh builds them in build/models), DATA the one that holds the
GLUE tasks' folders in glue/ and SQuAD's files in squad/. Each model is calibrated once, on 128 training examples of its
task; every variant is converted from that, and scored beside the FP32 model, so that differences are paired. On the
model with naive-int8 `fp8q sensitivity` ranks the Sites and `fp8q tune` looks for the cheapest plan without the loss.
All results are kept in --work as JSON, which `fp8q report` shows; a second run takes up where the first was stopped.
"""
import argparse
import json
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# column: model, task, folder of its data below DATA
STUDIES = {
    "sst2": ("minilm-l6-sst2", "sst2", "glue"),
    "mrpc": ("minilm-l6-mrpc", "mrpc", "glue"),
    "stsb": ("minilm-l6-stsb", "stsb", "glue"),
    "squad": ("minilm-l6-squad", "squad", "squad"),
    "demo": (ROOT / "models/demo-sst2", "sst2", "glue"),  # not in the means: the task is there already
}
WINDOWS = ["--max-length", "256", "--doc-stride", "96"]  # of SQuAD: as the model was trained
TRIAL_WINDOWS = 4  # of SQuAD that `sensitivity` runs: ten times as long as the other tasks' examples
SPLITS = {"mrpc": ["--split", "test"]}  # MRPC has no dev file
MAX_DROP = 0.5  # points, of tuning
# name, options of `fp8q convert`
VARIANTS = [
    ("e4m3", "--format e4m3"),
    ("e5m2", "--format e5m2"),
    ("int8", "--format int8"),
    ("int8, percentile", "--format int8 --observer percentile"),
    ("int8, mse", "--format int8 --observer mse"),
    ("int8, SmoothQuant", "--format int8 --smooth-quant auto"),
    ("int8-dynamic", "--format int8-dynamic"),
    ("naive-e4m3", "--format naive-e4m3"),
    ("naive-int8", "--format naive-int8"),
]


class Study:
    """The results of one model on its task."""

    def __init__(self, a, name):
        self.a, self.name = a, name
        model, self.task, data = STUDIES[name]
        self.folder = a.models_folder / model
        self.work = a.work / self.folder.name
        self.work.mkdir(parents=True, exist_ok=True)
        self.source = self.folder / "model.onnx"
        self.statistics = self.work / "model.calib.json"
        self.on_task = ["--task", self.task, "--data", a.data / data]
        self.beside = ["--tokenizer", self.folder / "tokenizer.json", "--config", self.folder / "config.json"]

    def fp8q(self, *words):
        words = [str(w) for w in (self.a.fp8q, *words, "--quiet")]
        print("$", shlex.join(words), file=sys.stderr, flush=True)
        subprocess.run(words, check=True)

    def kept(self, name, *words):
        """The JSON result `name`, made by a command where it is not there yet."""
        path = self.work / f"{name}.json"
        if not path.exists():
            partial = path.with_suffix(".partial")
            self.fp8q(*words, "--json", partial)
            partial.rename(path)
        return json.loads(path.read_text())

    def scored(self, scoring):
        """Scores by variant: all that are missing by one call, which runs the FP32 model once."""
        missing = []
        for name, options in VARIANTS:
            stem = name.replace(", ", "-").lower()
            converted, result = self.work / f"model.{stem}.onnx", self.work / f"{stem}.json"
            if not result.exists():
                if not converted.exists():
                    self.fp8q("convert", self.source, "--calib", self.statistics, "-o", converted, *options.split())
                missing.append((converted, result))
        if missing:
            together = self.work / "together.json"
            self.fp8q("eval", *(c for c, _ in missing), "--baseline", self.source, *scoring, *self.beside,
                      "--json", together)
            found = json.loads(together.read_text())
            together.unlink()
            for (_, result), scores in zip(missing, found if isinstance(found, list) else [found]):
                result.write_text(json.dumps(scores, indent=1) + "\n")
        return {name: json.loads((self.work / f"{name.replace(', ', '-').lower()}.json").read_text())
                for name, _ in VARIANTS}

    def run(self):
        length = WINDOWS[:2] if self.task == "squad" else []
        few = ["--examples", TRIAL_WINDOWS] if self.task == "squad" else []
        if not self.statistics.exists():
            self.fp8q("calibrate", self.source, *self.on_task, *length, "-o", self.statistics)
        scoring = [*self.on_task, *SPLITS.get(self.task, []), *(WINDOWS if self.task == "squad" else [])]
        self.variants = self.scored(scoring)
        self.sensitivity = self.kept("sensitivity", "sensitivity", self.source, "--calib", self.statistics,
                                     "--recipe", "naive-int8", *self.on_task[2:], *length, *few)  # by divergence alone
        self.tuning = None
        if self.variants["naive-int8"]["difference"]["score"] < -MAX_DROP and self.task != "squad":
            self.tuning = self.kept("tune", "tune", self.source, "--calib", self.statistics, "--recipe", "naive-int8",
                                    "--max-drop", MAX_DROP, "-o", self.work / "naive-int8-tuned.json", *scoring)
        return self


def interval(values, sign=""):
    return f"[{values[0]:{sign}.2f}, {values[1]:{sign}.2f}]"


def table(head, rows, right=True):
    rule = ["---"] + ["---:" if right else "---"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def mean(studies, values):
    of_tasks = [value for study, value in zip(studies, values) if study.name == study.task]
    return sum(of_tasks) / len(of_tasks)


def score_tables(studies):
    names = [s.name for s in studies]
    baselines = [s.variants["e4m3"]["baseline"] for s in studies]
    cell = lambda r: f"{r['score']:.2f} {interval(r['ci95'])}"
    scores = [["fp32", *map(cell, baselines), f"{mean(studies, [b['score'] for b in baselines]):.2f}"]]
    differences, flips = [], []
    for name, _ in VARIANTS:
        results = [s.variants[name] for s in studies]
        scores.append([name, *map(cell, results), f"{mean(studies, [r['score'] for r in results]):.2f}"])
        found = [r["difference"] for r in results]
        differences.append([name, *(f"{d['score']:+.2f} {interval(d['ci95'], '+')}" for d in found),
                            f"{mean(studies, [d['score'] for d in found]):+.2f}"])
        flips.append([name, *(f"{r['difference']['flips']} of {r['examples']}"
                              for s, r in zip(studies, results) if s.task != "stsb")])
    return (table(["", *names, "mean"], scores), table(["", *names, "mean"], differences),
            table(["", *(n for n in names if n != "stsb")], flips))


def worst_sites(study, format_name, count=6):
    sites = [s for s in study.sensitivity["sites"] if format_name in s["formats"]]
    sites.sort(key=lambda s: s["formats"][format_name]["rank"])
    return sites[:count]


def sensitivity_table(studies):
    rows = []
    for study in studies:
        for site in worst_sites(study, "int8"):
            int8, e4m3 = site["formats"]["int8"], site["formats"]["e4m3"]
            d = site["distribution"]
            rows.append([f"{study.name}: {site['path']}", f"{int8['alone']['divergence']:.1e}",
                         f"{e4m3['alone']['divergence']:.1e}", f"{int8['sqnr_db']:.1f}", f"{e4m3['sqnr_db']:.1f}",
                         f"{d['outlier_ratio']:.0f}", f"{d['kurtosis']:.0f}"])
    return table(["Site", "INT8 alone", "E4M3 alone", "SQNR INT8, dB", "SQNR E4M3, dB", "absmax / rms", "kurtosis"],
                 rows)


def whole_table(studies):
    return table(["", *(s.name for s in studies)],
                 [[name] + [f"{s.sensitivity['whole'][name]['divergence']:.1e}" for s in studies]
                  for name in ("e4m3", "e5m2", "int8")])


def tuning_table(studies):
    rows = []
    for study in studies:
        t = study.tuning
        if not t:
            continue
        first = t["evaluations"][0]
        if t["chosen"] is None:
            rows.append([study.name, f"{first['difference']:+.2f}", "no plan", "", "", ""])
            continue
        chosen = t["evaluations"][t["chosen"]]
        recovered = 1 - min(chosen["difference"], 0) / first["difference"]
        changed = sum(len(f["sites"]) for f in t["fallbacks"])
        to_float = sum(len(f["sites"]) for f in t["fallbacks"] if f["to"] == "float")
        total = t["sites_in_recipe"]
        rows.append([study.name, f"{first['difference']:+.2f}",
                     f"{chosen['difference']:+.2f} {interval(chosen['interval'], '+')}", f"{100 * recovered:.0f} %",
                     f"{total - changed} + {changed - to_float} of {total}", str(to_float)])
    return table(["", "naive-int8", "tuned", "recovered", "Sites INT8 + E4M3", "float"], rows)


def fallback_lines(studies):
    lines = []
    for study in studies:
        if study.tuning and study.tuning["fallbacks"]:
            listed = ", ".join(f"`{f['unit']}` → {f['to']}" for f in study.tuning["fallbacks"])
            lines.append(f"* {study.name}: {listed}")
    return "\n".join(lines)


def page(studies):
    scores, differences, flips = score_tables(studies)
    facts = studies[0].variants["e4m3"]
    variants = "; ".join(f"{name} = `{options}`" for name, options in VARIANTS)
    return f"""# Results

Fine-tuned MiniLM-L6 models (22.7 M parameters each; SQuAD: trained on 894 questions, a weak reader), every recipe.
Made by `scripts/make_results.py` with fp8q {facts['version']} on {facts['engine']}.
Evaluated on SST-2 dev, MRPC test, STS-B dev and the held-out articles of XQuAD's English part (SQuAD v1.1 format);
`demo` is the demo model in `models/`, on SST-2 dev, and not in the means. Calibration: 128 training examples of the
task, once for all variants of a model.

Scores x 100; of two metrics their mean (SQuAD: F1). In brackets the 95 % interval, by bootstrap over the examples;
differences from FP32 are paired, on the same examples. Variants (options of `fp8q convert`): {variants}.

## Scores

{scores}

## Difference from FP32

{differences}

## Answers that changed

{flips}

## Where naive-int8 loses

`fp8q sensitivity --recipe naive-int8` on 16 training examples (SQuAD: {TRIAL_WINDOWS} windows): divergence of the
outputs from FP32 with this Site alone rounded (mean KL divergence of decisions in nats; STS-B: squared error over the squares of the outputs), and the error of the
rounding itself. The six worst Sites of each model in INT8:

{sensitivity_table(studies)}

Divergence with every Site of the recipe rounded, in each format:

{whole_table(studies)}

## Tuning naive-int8

`fp8q tune --recipe naive-int8 --max-drop {MAX_DROP}`: the plan found within {MAX_DROP} points of FP32, where the recipe
itself is not. It was chosen by its score on these examples, which flatters it. Not run on SQuAD.

{tuning_table(studies)}

What falls back:

{fallback_lines(studies)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models_folder", type=pathlib.Path, metavar="MODELS")
    parser.add_argument("data", type=pathlib.Path, metavar="DATA")
    parser.add_argument("--fp8q", type=pathlib.Path, default=ROOT / "build/bin/fp8q")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build/results")
    parser.add_argument("--only", nargs="+", default=list(STUDIES), choices=list(STUDIES))
    parser.add_argument("-o", "--output", type=pathlib.Path, default=ROOT / "docs/results.md")
    a = parser.parse_args()
    studies = [Study(a, name).run() for name in a.only]
    a.output.write_text(page(studies))
    print(f"wrote {a.output}")


if __name__ == "__main__":
    main()
