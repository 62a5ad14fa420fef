#!/usr/bin/env python3
"""Train the demo model: a 4-layer, 256-wide BERT sentiment classifier, small enough to live in the repository.

The student learns from scratch, with its own 8k WordPiece vocabulary, by distilling a teacher fine-tuned on SST-2
(logit matching plus the gold label). It is a demonstration and test model, not a leaderboard entry.

    scripts/fetch_glue.sh --dir glue_data SST-2 CoLA MRPC RTE STS-B
    scripts/train_demo_model.py --teacher TEACHER_DIR --out TRAINED_DIR --epochs 6
    scripts/export_demo_model.py --checkpoint TRAINED_DIR

GLUE_DIR (--glue, default: glue_data in the repository) holds the official GLUE files: SST-2/train.tsv and dev.tsv, and
the train.tsv of CoLA, MRPC, RTE and STS-B. TEACHER_DIR holds a BertForSequenceClassification checkpoint with two labels
(config.json, model.safetensors with all its weights) and its tokenizer.json. TRAINED_DIR receives model.safetensors
(float16), config.json, tokenizer.json, vocab.txt and train.json.

Needs PyTorch 2.x, transformers, tokenizers and safetensors. It runs on the CPU, in bfloat16 autocast. The seed is
fixed, but two runs do not give the same weights: the vocabulary trainer orders equally good entries differently each
time, and rounding depends on library versions and processor.
"""
import argparse
import json
import math
import pathlib
import random
import time

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MAX_TOKENS = 128
NO_LABEL = -100
EXTRA_TEXTS = 12000  # of each kind of unlabeled text: sentences of other tasks, and joined pairs of SST-2 sentences
BATCH = 64
PEAK_RATE = 5e-4
WARM_UP_STEPS = 500
TEMPERATURE = 2
GOLD_WEIGHT = 0.3


def read_tsv(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def read_sst2(path):
    """Sentences and labels of an SST-2 file."""
    return [(row[0].strip(), int(row[1])) for row in read_tsv(path)[1:]]


def other_sentences(glue):
    """Sentences of the other tasks' training sets; their labels are not used."""
    texts = [row[3] for row in read_tsv(glue / "CoLA/train.tsv")]
    for task, columns in (("MRPC", (3, 4)), ("RTE", (1, 2)), ("STS-B", (7, 8))):
        rows = read_tsv(glue / task / "train.tsv")[1:]
        texts += [row[column] for row in rows if len(row) > max(columns) for column in columns]
    return [text for text in texts if len(text) < 300]


def train_tokenizer(texts, size):
    """Uncased WordPiece tokenizer with a vocabulary learned from the texts."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIALS))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def batches(ids, size, shuffle):
    """Yield (indices, padded ids, mask) of batches of texts of similar length."""
    order = list(range(len(ids)))
    if shuffle:
        random.shuffle(order)
    groups = []
    for first in range(0, len(order), size * 50):
        chunk = sorted(order[first:first + size * 50], key=lambda i: len(ids[i]))
        groups += [chunk[i:i + size] for i in range(0, len(chunk), size)]
    if shuffle:
        random.shuffle(groups)
    for group in groups:
        width = max(len(ids[i]) for i in group)
        padded = torch.zeros(len(group), width, dtype=torch.long)
        mask = torch.zeros(len(group), width, dtype=torch.long)
        for row, i in enumerate(group):
            padded[row, :len(ids[i])] = torch.tensor(ids[i])
            mask[row, :len(ids[i])] = 1
        yield group, padded, mask


def forward(model, padded, mask):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return model(input_ids=padded, attention_mask=mask).logits.float()


@torch.no_grad()
def all_logits(model, ids):
    model.eval()
    logits = torch.zeros(len(ids), model.config.num_labels)
    for group, padded, mask in batches(ids, 128, shuffle=False):
        logits[group] = forward(model, padded, mask)
    model.train()
    return logits


def teacher_logits(folder, texts):
    teacher = BertForSequenceClassification(BertConfig.from_pretrained(folder))
    teacher.load_state_dict(load_file(folder / "model.safetensors"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return all_logits(teacher, [encoding.ids for encoding in tokenizer.encode_batch(texts)])


def student_config(vocab_size):
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=1024,
        max_position_embeddings=MAX_TOKENS,
        num_labels=2,
        id2label={0: "negative", 1: "positive"},
        label2id={"negative": 0, "positive": 1},
    )


def make_optimizer(model):
    """AdamW with weight decay on matrices only."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_RATE)


def distillation_loss(logits, target, label):
    """Divergence from the teacher's softened answer, plus cross entropy where there is a gold label."""
    student = (logits / TEMPERATURE).log_softmax(-1)
    teacher = (target / TEMPERATURE).softmax(-1)
    loss = nn.functional.kl_div(student, teacher, reduction="batchmean") * TEMPERATURE**2
    if (label >= 0).any():
        loss = loss + GOLD_WEIGHT * nn.functional.cross_entropy(logits, label, ignore_index=NO_LABEL)
    return loss


def train(student, ids, soft, gold, epochs, after_epoch):
    """Train the student in place and return the number of steps; after_epoch is called as (epoch, step)."""
    steps, step = epochs * math.ceil(len(ids) / BATCH), 0
    optimizer = make_optimizer(student)
    student.train()
    for epoch in range(1, epochs + 1):
        for group, padded, mask in batches(ids, BATCH, shuffle=True):
            rate = PEAK_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * max(0.02, 1 - step / steps)
            for parameters in optimizer.param_groups:
                parameters["lr"] = rate
            loss = distillation_loss(forward(student, padded, mask), soft[group], gold[group])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step()
            step += 1
        after_epoch(epoch, step)
    return step


def save(out, config, student, tokenizer, summary):
    out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.half().contiguous() for k, v in student.state_dict().items()}, out / "model.safetensors")
    config.save_pretrained(out)
    tokenizer.save(str(out / "tokenizer.json"))
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (out / "vocab.txt").write_text("".join(f"{word}\n" for word, _ in words), encoding="utf-8")
    (out / "train.json").write_text(json.dumps(summary) + "\n", encoding="utf-8")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--glue", type=pathlib.Path, default=ROOT / "glue_data", help="folder with official GLUE files")
    parser.add_argument("--teacher", type=pathlib.Path, required=True, help="folder with the teacher's checkpoint")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder to write the trained checkpoint to")
    parser.add_argument("--epochs", type=int, default=8, help="default 8; the published model had 6")
    parser.add_argument("--vocab", type=int, default=8192, help="size of the vocabulary (default 8192)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.manual_seed(1)
    random.seed(1)

    labeled = read_sst2(arguments.glue / "SST-2/train.tsv")
    dev = read_sst2(arguments.glue / "SST-2/dev.tsv")
    other = other_sentences(arguments.glue)
    sentences = [text for text, _ in labeled]
    tokenizer = train_tokenizer(sentences + other, arguments.vocab)

    unlabeled = random.sample(other, min(EXTRA_TEXTS, len(other)))
    for _ in range(EXTRA_TEXTS):
        parts = (random.choice(labeled)[0], random.choice(("and", "but", ",")), random.choice(labeled)[0])
        unlabeled.append(" ".join(parts))
    texts = sentences + unlabeled

    soft = teacher_logits(arguments.teacher, texts)
    gold = torch.tensor([label for _, label in labeled] + [NO_LABEL] * len(unlabeled))
    agreement = (soft[:len(labeled)].argmax(-1) == gold[:len(labeled)]).float().mean()
    print(f"teacher labeled {len(texts)} texts; agrees with gold on {agreement:.4f}", flush=True)

    config = student_config(tokenizer.get_vocab_size())
    student = BertForSequenceClassification(config)
    ids = [encoding.ids[:MAX_TOKENS] for encoding in tokenizer.encode_batch(texts)]
    dev_ids = [encoding.ids for encoding in tokenizer.encode_batch([text for text, _ in dev])]
    dev_gold = torch.tensor([label for _, label in dev])
    start = time.time()
    summary = {"dev_accuracy": None, "epochs": arguments.epochs}

    def report(epoch, step):
        accuracy = (all_logits(student, dev_ids).argmax(-1) == dev_gold).float().mean().item()
        summary["dev_accuracy"] = accuracy
        seconds = time.time() - start
        print(f"epoch {epoch}/{arguments.epochs} step {step} dev accuracy {accuracy:.4f} {seconds:.0f}s", flush=True)

    summary["steps"] = train(student, ids, soft, gold, arguments.epochs, report)
    save(arguments.out, config, student, tokenizer, summary)


if __name__ == "__main__":
    main()
