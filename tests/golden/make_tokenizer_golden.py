#!/usr/bin/env python3
"""Write tests/golden/tokenizer.json: what the `tokenizers` package makes of awkward texts.

    make_tokenizer_golden.py > tokenizer.json

Uses models/demo-sst2/tokenizer.json, with other normalizers and an added token put into it. Development only; needs
`tokenizers`.
"""
import json
import pathlib
import tokenizers
from tokenizers import Tokenizer

BASE = pathlib.Path(__file__).resolve().parents[2] / "models/demo-sst2/tokenizer.json"

TEXTS = [
    "", " ", "\t\r\n", "a", "It's a charming and often affecting journey.", "UPPER lower MiXeD",
    "[SEP]", "[CLS] literal [SEP] tokens [MASK][PAD] [UNK]", "[sep] [ SEP ]", "a[SEP]b", "\u00e9[SEP]\u00e9 x",
    "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m", "cafe\u0301 e\u0301\u0323x", "\u0301abc", "\u0130stanbul I\u0307 \u0131",
    "\u039f\u0394\u039f\u03a3 \u03a3\u0391\u03a3", "Stra\u00dfe \u1e9e \ufb01ne", "\u212b \u2126 \u212a",
    "\u4e2d\u6587 text\u4e2d\u6587text", "\uf900\U0002f800 \U00020000", "\u3042\u30ab\u30ca \u304c", "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab",
    "nul\u0000byte bell\u0007 del\u007f", "soft\u00adhyphen zero\u200bwidth join\u200der", "\ufffd replaced\ufffdin",
    "nb\u00a0space em\u2003space ideo\u3000space line\u2028sep \u1680ogham", "vt\u000bff\u000cnel\u0085x",
    "don't...!? (a-b) $5.00 #tag @me ~x^y`z", "\u201cquoted\u201d \u2014 dash\u2026 \u00bfque? \u00a1ol\u00e9!", "\u20ac5 \u00a3\u00a5 \u00b1 \u00d7",
    "\U0001f600 emoji\U0001f1e9\U0001f1ea", "\ue000 private \U000f0000 use", "\u2e5d\U00010ead new dashes \u166d",
    "a" * 99, "a" * 100, "a" * 101, "\u00e9" * 100, "\u00e9" * 101, "x" * 100 + "!" + "y" * 101, "##ing ##", "un##able",
    "\u0915\u093e\u0930\u094d\u092f", "\u0e20\u0e32\u0e29\u0e32", "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd", "\u0645\u064e\u0631\u062d\u0628\u0627",
    "\u08d4\u0301a \u302e\u0323b", "\U00011938 \u1734", "\ua7cb\u1c89 \U00010d50", "one two three four five six seven eight nine ten",
]
PAIRS = [
    ("one two three", "four five"), ("", ""), ("a", ""), ("", "b"), ("same length here", "same length here"),
    ("the first is a much longer text than the other one", "short"), ("short", "the second is a much longer text than the other"),
    ("a a a a a a", "b b b b b b"), ("a a a a a a a", "b b b b b b"), ("x [SEP] y", "[CLS] z"),
]
LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16]


def normalizer(clean, cjk, accents, lower):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": cjk, "strip_accents": accents,
            "lowercase": lower}


ADDED = {"id": 8192, "content": "Caf\u00e9 Bar", "single_word": False, "lstrip": False, "rstrip": False, "normalized": True,
         "special": False}
GROUPS = [
    ("uncased", normalizer(True, True, None, True), []),
    ("cased", normalizer(True, True, None, False), []),
    ("cased, accents stripped", normalizer(True, False, True, False), []),
    ("not cleaned, accents kept", normalizer(False, False, False, True), []),
    ("with an added token", normalizer(True, True, None, True), [ADDED]),
    ("in parts", {"type": "Sequence", "normalizers": [{"type": t} for t in ("NFD", "Lowercase", "StripAccents")]}, [],
     {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"},
                                            {"type": "Digits", "individual_digits": False}]}),
    ("NFKC, then BERT's", {"type": "Sequence", "normalizers": [{"type": "NFKC"}, normalizer(True, True, None, True)]}, [],
     {"type": "Whitespace"}),
    ("no normalizer", None, [], {"type": "BertPreTokenizer"}),
]


def case(tokenizer, text, pair, length):
    tokenizer.enable_truncation(length)
    e = tokenizer.encode(text, pair) if pair is not None else tokenizer.encode(text)
    return {"text": text, "pair": pair, "max_length": length, "ids": e.ids, "type_ids": e.type_ids,
            "offsets": [list(o) for o in e.offsets]}


def main():
    base = json.loads(BASE.read_text(encoding="utf-8"))
    groups = []
    for name, norm, added, *split in GROUPS:
        split = split[0] if split else base["pre_tokenizer"]
        spec = {**base, "normalizer": norm, "pre_tokenizer": split, "added_tokens": base["added_tokens"] + added,
                "padding": None}
        tokenizer = Tokenizer.from_str(json.dumps(spec))
        texts = TEXTS if not added else ["at the cafe bar, CAFE\u0301 BAR!", "caf\u00e9  bar", "xCafe Bary [SEP]caf\u00e9 bar"]
        cases = [case(tokenizer, t, None, 128) for t in texts]
        if name == "uncased":
            cases += [case(tokenizer, a, b, n) for a, b in PAIRS for n in LENGTHS]
            cases += [case(tokenizer, TEXTS[-1], None, n) for n in (2, 3, 7, 11, 12)]
        groups.append({"name": name, "normalizer": norm, "pre_tokenizer": split, "added": added, "cases": cases})
    print(f'{{"tokenizers": "{tokenizers.__version__}", "groups": [')
    for i, g in enumerate(groups):
        head = json.dumps({k: v for k, v in g.items() if k != "cases"})[:-1]
        print(head + ', "cases": [')
        print(",\n".join(json.dumps(c, separators=(",", ":")) for c in g["cases"]))
        print("]}" + ("," if i + 1 < len(groups) else ""))
    print("]}")


if __name__ == "__main__":
    main()
