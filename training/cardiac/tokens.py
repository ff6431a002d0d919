"""Backbone tokens of many recordings, computed once, 16-bit: ablations train only what follows them.

A set is a directory of parts of 50 recordings, so that an interrupted job goes on where it stopped.
"""
import os

import torch

from .samples import PhantomSource, collate, normalise
from .seeds import fixed_list, train_seed

PART = 50


def seeds_of(split, count):
    """[(seed, grade)]: training seeds count from the end of their range, so that none trained the backbone."""
    if split == "train":
        return [(train_seed(90_000_000 + i), -1) for i in range(count)]
    return fixed_list(split)[:count]


@torch.no_grad()
def part_of(model, source, seeds, autocast):
    """Tensors of some recordings: frame [n,I,T,E], patch [n,I,T,N,D], grade, number, severity."""
    kept = []
    for seed, grade in seeds:
        batch = collate([source.sample(seed, grade)])
        with autocast():
            c, tokens = model.vision(normalise(batch["clips"], model.config).flatten(0, 1))
        kept.append({"frame": c.half()[None], "patch": tokens.half()[None], "grade": batch["grade"],
                     "number": batch["number"], "severity": batch["severity"]})
    return {name: torch.cat([k[name] for k in kept]) for name in kept[0]}


def cache_tokens(directory, model, split, count, autocast, say=lambda _: None):
    """Write what is missing of a set."""
    source = PhantomSource(model.config["input_side"], model.config["frames"])
    seeds = seeds_of(split, count)
    os.makedirs(directory, exist_ok=True)
    for first in range(0, len(seeds), PART):
        path = os.path.join(directory, f"{split}-{first:05}.pt")
        if not os.path.exists(path):
            torch.save(part_of(model, source, seeds[first:first + PART], autocast), path + ".new")
            os.replace(path + ".new", path)
            say(f"{split}: {min(first + PART, len(seeds))} of {len(seeds)}")


def read_tokens(directory, split):
    """The set as one dictionary of tensors."""
    names = sorted(name for name in os.listdir(directory) if name.startswith(split + "-") and name.endswith(".pt"))
    if not names:
        raise ValueError(f"{directory} holds no tokens of {split}; run ablations.py cache first")
    parts = [torch.load(os.path.join(directory, name)) for name in names]
    return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
