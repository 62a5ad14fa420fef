#!/usr/bin/env python3
"""Write the demo checkpoint as an ordinary ONNX file whose large initializers are float16 behind a Cast.

    scripts/export_demo_model.py --checkpoint TRAINED_DIR [--out models/demo-sst2]

TRAINED_DIR is what scripts/train_demo_model.py wrote. The output folder (default: models/demo-sst2 in the repository)
receives model.onnx (opset 14), config.json, tokenizer.json, tokenizer_config.json and vocab.txt.

Needs PyTorch 2.4 (its TorchScript-based exporter), transformers 4.44, onnx, numpy and safetensors.
"""
import argparse
import json
import pathlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file
from transformers import BertConfig, BertForSequenceClassification

ROOT = pathlib.Path(__file__).resolve().parent.parent
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
SMALLEST_HALF = 1024  # initializers with fewer elements stay float32


def load_checkpoint(folder, settings):
    """The model in float32, with attention written out as plain operators."""
    config = BertConfig(**{k: v for k, v in settings.items() if k != "transformers_version"})
    config._attn_implementation = "eager"
    model = BertForSequenceClassification(config).eval()
    model.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
    return model


def export(model, path):
    shape = (2, 16)
    ones, zeros = torch.ones(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    example = (torch.randint(5, model.config.vocab_size, shape), ones, zeros)
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in INPUTS}
    axes["logits"] = {0: "batch_size"}
    torch.onnx.export(
        model,
        example,
        str(path),
        input_names=INPUTS,
        output_names=["logits"],
        opset_version=14,
        dynamic_axes=axes,
    )


def halve_initializers(model):
    """Store the large float32 initializers as float16, each behind a Cast that gives it its old name and type."""
    graph, casts, initializers = model.graph, [], []
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype != np.float32 or value.size < SMALLEST_HALF:
            initializers.append(tensor)
            continue
        half = value.astype(np.float16)
        if not (half.astype(np.float32) == value).all():
            raise SystemExit(f"{tensor.name}: not exact in float16; the checkpoint should hold float16 values already")
        stored = tensor.name + "_fp16"
        initializers.append(numpy_helper.from_array(half, stored))
        casts.append(
            helper.make_node("Cast", [stored], [tensor.name], name=tensor.name + "/Cast", to=TensorProto.FLOAT)
        )
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:], graph.value_info[:]
    graph.initializer.extend(initializers)
    graph.node.extend(casts + nodes)


def copy_settings(checkpoint, out, settings):
    settings = settings | {"architectures": ["BertForSequenceClassification"], "finetuning_task": "sst2"}
    (out / "config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in ("tokenizer.json", "vocab.txt"):
        (out / name).write_bytes((checkpoint / name).read_bytes())
    tokenizer = {"do_lower_case": True, "tokenizer_class": "BertTokenizer", "model_max_length": 128}
    (out / "tokenizer_config.json").write_text(json.dumps(tokenizer) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True, help="folder with the trained checkpoint")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "models/demo-sst2", help="folder to write to")
    arguments = parser.parse_args()

    settings = json.loads((arguments.checkpoint / "config.json").read_text(encoding="utf-8"))
    path = arguments.out / "model.onnx"
    arguments.out.mkdir(parents=True, exist_ok=True)
    export(load_checkpoint(arguments.checkpoint, settings), path)
    model = onnx.load(path)
    halve_initializers(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    copy_settings(arguments.checkpoint, arguments.out, settings)


if __name__ == "__main__":
    main()
