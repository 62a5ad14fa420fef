#!/usr/bin/env python3
"""Compare fp8q's tokenizer with the `tokenizers` package on every line of files (development only; see make_venv.sh).

    cmake --build build --target print_tokens
    check_tokenizer.py TOKENIZER.json FILE...

Takes whole lines, tabs and markup included: more than any task feeds. JSON files count by their strings. Exit status 1
where a line's ids differ; the first such lines are shown.
"""
import argparse
import json
import pathlib
import subprocess
import sys

from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent


def strings_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings_in(part)


def lines_of(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        text = "\n".join(strings_in(json.loads(text)))
    return [line for line in text.split("\n") if line.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer", type=pathlib.Path)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--print-tokens", type=pathlib.Path, default=ROOT / "build/tools/bench/print_tokens")
    a = parser.parse_args()
    reference = Tokenizer.from_file(str(a.tokenizer))
    reference.no_truncation()
    reference.no_padding()
    total = tokens = 0
    different = []
    for file in a.files:
        lines = lines_of(file)
        done = subprocess.run([a.print_tokens, a.tokenizer], input="\n".join(lines) + "\n", encoding="utf-8",
                              capture_output=True, check=True)
        found = [[int(i) for i in line.split()] for line in done.stdout.split("\n")[:-1]]
        assert len(found) == len(lines), f"{file}: {len(lines)} lines, {len(found)} answers"
        expected = [e.ids for e in reference.encode_batch(lines, add_special_tokens=False)]
        different += [(file, line, f, e) for line, f, e in zip(lines, found, expected) if f != e]
        total += len(lines)
        tokens += sum(map(len, expected))
    for file, line, f, e in different[:5]:
        print(f"{file}: {line!r}\n  fp8q     {f}\n  expected {e}")
    print(f"{total} lines, {tokens} tokens, {len(different)} lines differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
