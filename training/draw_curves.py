#!/usr/bin/env python3
"""Draw the regression of every frame, as the paper's Fig. 4 does: OUT/curve-SEED.svg, and a CSV beside it.

With one model a line an instance, the selected one marked; with several models (e.g. with and without
amplification) a line a model, of the instance that the first one selects.
"""
import argparse
import csv
import os
import sys

import torch

from cardiac.modelfile import ModelError
from cardiac.checkpoint import CheckpointError
from cardiac.phantom import PhantomError
from cardiac.plots import curve_figure
from cardiac.safetensors_io import SafetensorsError
from cardiac.samples import PhantomSource, collate, normalise
from cardiac.seeds import fixed_list
from cardiac.videos import choose, encode_videos, run_head_videos
from predict_mreg import load


@torch.no_grad()
def curves_of(model, sample):
    """(r of every frame [I,T], number of the selected instance)."""
    batch = collate([sample])
    _, p, z = encode_videos(model, normalise(batch["clips"], model.config))
    every = run_head_videos(model, z, p)
    return every["curve"][0].numpy(), int(choose(model, every["s2"])[0])


def lines_of(models, names, sample):
    """[(name, values)] of one recording."""
    first, selected = curves_of(models[0], sample)
    if len(models) == 1:
        grades = sample["grades"]
        return [(f"instance {k}{' (selected)' if k == selected else ''}, grade {grades[k]}", first[k])
                for k in range(len(first))]
    return [(name, curves_of(model, sample)[0][selected]) for name, model in zip(names, models)]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="model files or checkpoints")
    parser.add_argument("--out", required=True, metavar="OUT", help="directory of the drawings")
    parser.add_argument("--seeds", type=int, nargs="+", help="phantom seeds; by default four of validation's positives")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    known = dict(fixed_list("validation"))
    seeds = args.seeds or [seed for seed, grade in known.items() if grade > 0][:4]
    try:
        models = [load(path) for path in args.models]
        source = PhantomSource(models[0].config["input_side"], models[0].config["frames"])
        os.makedirs(args.out, exist_ok=True)
        for seed in seeds:
            sample = source.sample(seed, known.get(seed, -1))
            lines = lines_of(models, [os.path.basename(path) for path in args.models], sample)
            path = os.path.join(args.out, f"curve-{seed}")
            curve_figure(path, lines, models[0].config["thresholds"], f"recording {seed}, grade {sample['grade']}")
            with open(path + ".csv", "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["frame", *(name for name, _ in lines)])
                writer.writerows([t, *(f"{values[t]:.6g}" for _, values in lines)] for t in range(len(lines[0][1])))
    except (ModelError, CheckpointError, SafetensorsError, PhantomError, OSError, ValueError) as error:
        sys.exit(f"draw_curves.py: {error}")


if __name__ == "__main__":
    main()
