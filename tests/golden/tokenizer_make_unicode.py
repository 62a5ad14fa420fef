#!/usr/bin/env python3
"""Write src/text/bert_unicode.inc: the character classes that BERT tokenizers in the field use.

    tokenizer_make_unicode.py > src/text/bert_unicode.inc

The `tokenizers` package decides punctuation, control characters and accents by the tables of one old version of Unicode,
and a model is trained on what it decides. The classes are therefore measured, character by character, from the package
and frozen in a file, so that ids do not change with the Unicode version of a library. Development only; needs
`tokenizers`.
"""
import tokenizers
from tokenizers import normalizers, pre_tokenizers

OFF = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
MARK_BELOW = "\u0334"  # combining class 1: sorts before every other reorderable mark


def normalizer(**on):
    return normalizers.BertNormalizer(**{**OFF, **on})


def ranges(points):
    out = []
    for p in sorted(points):
        if out and out[-1][1] == p - 1:
            out[-1][1] = p
        else:
            out.append([p, p])
    return out


def measure():
    clean, strip, lower = normalizer(clean_text=True), normalizer(strip_accents=True), normalizer(lowercase=True)
    nfd, marks, split = normalizers.NFD(), normalizers.StripAccents(), pre_tokenizers.BertPreTokenizer()
    classes = {k: set() for k in ("kControl", "kSpace", "kPunctuation", "kNonspacing", "kReordered", "kDecomposed",
                                   "kOtherMark")}
    lowered = []
    for p in range(0x110000):
        if 0xD800 <= p < 0xE000:
            continue
        c = chr(p)
        if not clean.normalize_str(c) and p not in (0, 0xFFFD):
            classes["kControl"].add(p)
        pieces = len(split.pre_tokenize_str(f"a{c}b"))
        if pieces == 2:
            classes["kSpace"].add(p)
        if pieces == 3:
            classes["kPunctuation"].add(p)
        if not strip.normalize_str(c):
            classes["kNonspacing"].add(p)
        if nfd.normalize_str(c) != c:
            classes["kDecomposed"].add(p)
        if strip.normalize_str(c) == c and nfd.normalize_str("a" + c + MARK_BELOW) == "a" + MARK_BELOW + c:
            classes["kReordered"].add(p)
        if strip.normalize_str(c) and not marks.normalize_str(c):
            classes["kOtherMark"].add(p)
        if lower.normalize_str(c) != c:
            lowered.append((p, lower.normalize_str(c)))
    return classes, lowered


def lower_rows(lowered):
    """Runs of one-to-one mappings with a constant distance, over every character or every second one."""
    rows = []
    for p, to in lowered:
        if len(to) != 1:
            continue
        delta = ord(to) - p
        if rows and rows[-1][3] == delta and p - rows[-1][1] in (1, 2) and rows[-1][2] in (0, p - rows[-1][1]):
            rows[-1][2] = p - rows[-1][1]
            rows[-1][1] = p
        else:
            rows.append([p, p, 0, delta])
    return [(a, b, max(step, 1), d) for a, b, step, d in rows]


def emit(kind, name, rows, form, per_line):
    print(f"constexpr {kind} {name}[] = {{")
    for i in range(0, len(rows), per_line):
        print("    " + " ".join(form(r) + "," for r in rows[i:i + per_line]))
    print("};\n")


def main():
    classes, lowered = measure()
    print(f"// Made by tests/golden/tokenizer_make_unicode.py with tokenizers {tokenizers.__version__}; do not edit.\n")
    for name, points in classes.items():
        emit("Range", name, ranges(points), lambda r: f"{{0x{r[0]:04X}, 0x{r[1]:04X}}}", 6)
    emit("LowerRun", "kLower", lower_rows(lowered), lambda r: f"{{0x{r[0]:04X}, 0x{r[1]:04X}, {r[2]}, {r[3]}}}", 4)
    print("// Characters whose lower case has several: " + ", ".join(f"U+{p:04X}" for p, to in lowered if len(to) != 1))


if __name__ == "__main__":
    main()
