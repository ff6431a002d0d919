#!/usr/bin/env python3
"""Grade phantoms, or videos of a manifest, with PyTorch, and write the predictions as CSV.

MODEL: a model file, or a checkpoint of train_mreg.py (also of an ablation). evaluate.py reads the CSV.
"""
import argparse
import contextlib
import json
import sys
import time

import torch

from cardiac.checkpoint import CheckpointError, read_checkpoint
from cardiac.initialise import new_model
from cardiac.modelfile import ModelError, build, read_model_file
from cardiac.phantom import PhantomError, draw, jet_type
from cardiac.predict import predict, write_rows
from cardiac.progress import Progress
from cardiac.safetensors_io import SafetensorsError
from cardiac.samples import PhantomSource, collate
from cardiac.seeds import fixed_list
from cardiac.videos import VARIANTS


def load(path):
    """The network of a model file or checkpoint, single precision, with its variant."""
    if path.endswith(".safetensors"):
        arch, config, _, tensors = read_model_file(path)
        if arch != "mreg":
            raise ModelError(f"{path} is a model of {arch}, expected mreg")
        model, variant = build("mreg", config, tensors), VARIANTS["mreg"]
    else:
        saved = read_checkpoint(path)
        variant, size = saved["variant"], saved["size"]
        if isinstance(size, str):
            from random_model import XCLIP_SIZES
            size = XCLIP_SIZES[size]
        model = new_model(size, saved["config"], variant)
        model.load_state_dict(saved["state_dict"])
    model.variant = variant
    return model.float().eval()


def seeds_of(args):
    """[(seed, grade or -1)] that the arguments name."""
    if args.seeds:
        with open(args.seeds, encoding="utf-8") as file:
            return [(int(line.split(",")[0]), int((line.split(",") + ["-1"])[1]))
                    for line in file if line[:1].isdigit()]
    return fixed_list(args.split)[:args.limit]


def phantom_samples(args, model):
    """Samples with their truth columns, one by one."""
    source = PhantomSource(model.config["input_side"], model.config["frames"], region=args.region)
    for seed, grade in seeds_of(args):
        sample = source.sample(seed, grade)
        yield sample, {"jet": jet_type(draw(seed, grade)), "severity": float(max(sample["severity"]))}


def manifest_samples(args, model):
    """Samples of a manifest's rows; what cannot be graded becomes a row of its state."""
    from cardiac.videofile import ManifestSource
    source = ManifestSource(manifest=args.manifest, side=model.config["input_side"],
                            frames=model.config["frames"], region=args.region)
    for sample in source.fixed(args.split):
        yield sample, {}


def predict_all(model, samples, count, batch_size=4):
    """(rows, curves {seed: [I,T]}) of an iterable of (sample, truth)."""
    rows, progress, begin = [], Progress(True), time.monotonic()
    batch = []

    def flush():
        found, _, _ = predict(model, collate([sample for sample, _ in batch]), contextlib.nullcontext)
        for row, (sample, truth) in zip(found, batch):
            if "severity" in sample:
                row["best"] = int(sample["severity"][row["instance"]] >= 0.8 * max(sample["severity"]))
            rows.append({**row, **truth})
        batch.clear()
        seconds = time.monotonic() - begin
        progress.show("predict", len(rows) / max(count, len(rows)), seconds, 3 * len(rows), {})

    for item in samples:
        batch.append(item)
        if len(batch) == batch_size:
            flush()
    if batch:
        flush()
    return rows


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("out", metavar="OUT.csv")
    parser.add_argument("--split", default="validation", help="validation or test (configs/seeds.json), or a "
                        "manifest's split; test is for reported figures only")
    parser.add_argument("--limit", type=int, help="only the first so many")
    parser.add_argument("--seeds", metavar="FILE", help="lines of seed[,grade] instead of a split")
    parser.add_argument("--manifest", metavar="CSV", help="videos instead of phantoms: path, label, split")
    parser.add_argument("--region", choices=("roi", "screen"), default="roi", help="what is shown to the network")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        model = load(args.model)
        samples = manifest_samples(args, model) if args.manifest else phantom_samples(args, model)
        rows = predict_all(model, samples, 1 if args.manifest else len(seeds_of(args)))
        write_rows(args.out, rows)
    except (ModelError, CheckpointError, SafetensorsError, PhantomError, OSError, ValueError, KeyError) as error:
        sys.exit(f"predict_mreg.py: {error}")
    right = sum(row["grade"] == row["label"] for row in rows)
    print(json.dumps({"videos": len(rows), "accuracy": right / len(rows)}))


if __name__ == "__main__":
    main()
