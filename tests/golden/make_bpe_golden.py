#!/usr/bin/env python3
"""Write tests/golden/bpe.json: what the `tokenizers` package makes of awkward texts by byte-level BPE.

    make_bpe_golden.py > bpe.json

Trains a small vocabulary on the texts below, and splits others with it under several pre-tokenizers, post-processors
and normalizers. Development only; needs `tokenizers`.
"""
import json
import tokenizers
from make_tokenizer_golden import PAIRS, TEXTS as WORDPIECE_TEXTS, case
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

CORPUS = [
    "The film is a charming and often affecting journey through the streets of a small town.",
    "It's the kind of story that they've told before, but we'll gladly hear it again.",
    "There is nothing here that isn't done better in the first three films of the series.",
    "The actors are good, the writing is better, and the ending is the best thing in 2024.",
    "Caf\u00e9 au lait, na\u00efve r\u00e9sum\u00e9s and a \u20ac5 coffee.",
] * 3
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
TEXTS = WORDPIECE_TEXTS[:13] + WORDPIECE_TEXTS[14:30] + [
    "they've we'll it's I'm he'd don't you're 's 'S 'LL ''ve 'x", "can't've '", "a  b   c    d ", "   leading",
    "trailing   ", "line\nbreak\r\n\r\nwindows\ttab \t mixed \n ", "\n", "\n\na", " \n a",
    "nb\u00a0space \u00a0 em\u2003 \u3000ideo\u2028 x\u0085y", "\u200b\u200d\ufeffx",
    "12 34567 3.14 x2y \u0663\u0664 \u00bd\u2160 \u2460", "!!! ... -- $5.00 #tag @me ~x^y`z (a-b)",
    "the  film<mask> is <mask>  good<mask>", "a<s>b</s> c <pad> <unk>", "nul\u0000bell\u0007del\u007f\u001b[0m",
    "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd",
    "\ufffd\ue000\U000f0000", "\u1c89\ua7cb \U00010d40\U00010d41 \U0002ebf0",
    "\u0915\u093e\u0930\u094d\u092f \u0e20\u0e32 \u05e9\u05b8\u05c1 \u0645\u064e",
    "e\u0301e\u0323\u0301 \u0344 \u0f73\u302e \U0001d15e", "thethethethethethethe" * 3, "ing" * 20, "x" * 40,
]


def byte_level(prefix, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def roberta(prefix, trim=True):
    return {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": trim,
            "add_prefix_space": prefix}


def template(token, identity):
    return {token: {"id": identity, "type_id": 1 if identity == "B" else 0}}


START, END = template("SpecialToken", "<s>"), template("SpecialToken", "</s>")
FRAME = {"type": "TemplateProcessing", "single": [START, template("Sequence", "A"), END],
         "pair": [START, template("Sequence", "A"), END, template("Sequence", "B"), END],
         "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in (("<s>", 0), ("</s>", 2))}}


def sequence(key, *parts):
    return {"type": "Sequence", key: list(parts)}


GROUPS = [
    ("RoBERTa", {"pre_tokenizer": byte_level(False), "post_processor": roberta(False)}),
    ("RoBERTa, space before", {"pre_tokenizer": byte_level(True), "post_processor": roberta(True)}),
    ("NFC, offsets kept, no frame", {"normalizer": {"type": "NFC"}, "pre_tokenizer": byte_level(False)}),
    ("NFKC, lower case, words first, template",
     {"normalizer": sequence("normalizers", {"type": "NFKC"}, {"type": "Lowercase"}),
      "pre_tokenizer": sequence("pretokenizers", {"type": "WhitespaceSplit"},
                                {"type": "Digits", "individual_digits": True}, byte_level(True)),
      "post_processor": sequence("processors", byte_level(True), FRAME)}),
    ("whole texts", {"pre_tokenizer": byte_level(True, regex=False), "post_processor": FRAME}),
]


def train():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=380, special_tokens=SPECIAL, initial_alphabet=alphabet,
                                  show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    spec = json.loads(tokenizer.to_str())
    for token in spec["added_tokens"]:
        token["lstrip"] = token["content"] == "<mask>"
    return spec


def main():
    base = train()
    print(f'{{"tokenizers": "{tokenizers.__version__}", "spec": {json.dumps(base, separators=(",", ":"))}, "groups": [')
    for i, (name, parts) in enumerate(GROUPS):
        tokenizer = Tokenizer.from_str(json.dumps({**base, **parts}))
        cases = [case(tokenizer, t, None, 512) for t in (TEXTS if i < 2 else TEXTS[::2])]
        cases += [case(tokenizer, a, b, n) for a, b in PAIRS for n in ((4, 16) if i < 2 else (7,))]
        print(json.dumps({"name": name, "parts": parts})[:-1] + ', "cases": [')
        print(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
        print("]}" + ("," if i + 1 < len(GROUPS) else ""))
    print("]}")


if __name__ == "__main__":
    main()
