#!/usr/bin/env python3
"""Makes docs/results.md: every recipe on every fine-tuned example model. Development only, no packages needed.

    make_results.py MODELS DATA [--fp8q build/bin/fp8q] [--work build/results] [--only sst2 ...]

MODELS is the folder of the example models (scripts/test.sh builds them in build/models), DATA the one that holds the
GLUE tasks' folders in glue/ and SQuAD's files in squad/. Each model is calibrated once, on 128 training examples of its
task; every variant is converted from that, and scored beside the FP32 model, so that differences are paired. On the
model with naive-int8 `fp8q sensitivity` ranks the Sites and `fp8q tune` looks for the cheapest plan without the loss,
on half of the examples; the plan is scored on the other half, and on all.
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
HOLDOUT = 0.5  # share of the examples that tuning does not see
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
        self.tuning = self.tuned = None
        if self.variants["naive-int8"]["difference"]["score"] < -MAX_DROP:
            self.tune(scoring)
        return self

    def tune(self, scoring):
        plan, converted = self.work / "naive-int8-tuned.json", self.work / "model.naive-int8-tuned.onnx"
        self.tuning = self.kept("tune", "tune", self.source, "--calib", self.statistics, "--recipe", "naive-int8",
                                "--max-drop", MAX_DROP, "--holdout", HOLDOUT, "-o", plan, *scoring)
        if not converted.exists():
            self.fp8q("convert", self.source, "--calib", self.statistics, "--plan", plan, "-o", converted)
        self.tuned = self.kept("tuned", "eval", converted, "--baseline", self.source, *scoring, *self.beside)


def interval(values, sign=""):
    return f"[{values[0]:{sign}.2f}, {values[1]:{sign}.2f}]"


def p_text(p):
    return "<0.001" if p < 0.001 else f"{p:.3f}"


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


def recovered(plan, recipe):
    """How much of what the recipe loses the plan gives back, by their differences from FP32."""
    return f"{100 * (1 - min(plan['score'], 0) / recipe['score']):.0f} %"


def tuning_tables(studies):
    scores, sites = [], []
    for study in (s for s in studies if s.tuning):
        t, held = study.tuning, study.tuning["holdout"]
        recipe_seen, plan_seen = t["evaluations"][0], t["evaluations"][t["chosen"]]
        cell = lambda d: f"{d['score']:+.2f} {interval(d['ci95'], '+')}"
        for where, examples, recipe, plan in [
                ("seen", t["examples"], *({"score": e["difference"], "ci95": e["interval"]}
                                          for e in (recipe_seen, plan_seen))),
                ("held out", held["examples"], held["recipe"]["difference"], held["tuned"]["difference"]),
                ("all", study.tuned["examples"], study.variants["naive-int8"]["difference"],
                 study.tuned["difference"])]:
            p = p_text(plan["p_value"]) if "p_value" in plan else ""
            scores.append([study.name, where, str(examples), cell(recipe), cell(plan), p, recovered(plan, recipe)])
        changed = sum(len(f["sites"]) for f in t["fallbacks"])
        to_float = sum(len(f["sites"]) for f in t["fallbacks"] if f["to"] == "float")
        total = t["sites_in_recipe"]
        sites.append([study.name, str(total), str(total - changed), str(changed - to_float), str(to_float),
                      f"{100 * plan_seen['quantised_sites'] / total:.0f} %"])
    return (table(["", "examples", "number", "naive-int8", "plan", "p", "recovered"], scores),
            table(["", "Sites", "INT8", "E4M3", "float", "quantized"], sites))


def beyond_the_demand(studies):
    tuned = [s for s in studies if s.tuning]
    return (f"{sum(s.tuning['holdout']['tuned']['difference']['score'] < -MAX_DROP for s in tuned)} of "
            f"{len(tuned)}")


def fallback_lines(studies):
    lines = []
    for study in studies:
        if study.tuning and study.tuning["fallbacks"]:
            listed = ", ".join(f"`{f['unit']}` → {f['to']}" for f in study.tuning["fallbacks"])
            lines.append(f"* {study.name}: {listed}")
    return "\n".join(lines)


def page(studies):
    scores, differences, flips = score_tables(studies)
    tuning, sites = tuning_tables(studies)
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

`fp8q tune --recipe naive-int8 --max-drop {MAX_DROP} --holdout {HOLDOUT}`, where the recipe itself is not within
{MAX_DROP} points of FP32. The search sees half of the examples, and its scores there flatter the plan it chooses; the
honest ones are those of the examples held out. Differences from FP32 with their 95 % intervals; p: of no difference;
recovered: of what naive-int8 loses.

{tuning}

On the examples held out {beyond_the_demand(studies)} plans lose more than the {MAX_DROP} points allowed: to meet a
demand as measured on a few hundred examples promises little about others. `--confidence` asks for the low end of the
interval instead.

Sites by what they have in the plan:

{sites}

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
