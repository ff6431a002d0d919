"""Which phantom seeds train, choose and judge: training/configs/seeds.json, frozen.

Settings are chosen on `validation`; `test` is rendered for a reported figure only.
"""
import json
import os

SEEDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "configs", "seeds.json")


def read_seeds(path=SEEDS):
    """The file's object; its splits are checked to be disjoint."""
    with open(path, encoding="utf-8") as file:
        seeds = json.load(file)
    spans = sorted((s["first"], s["first"] + count(s), name) for name, s in seeds["splits"].items())
    for (_, end, name), (begin, _, other) in zip(spans, spans[1:]):
        if begin < end:
            raise ValueError(f"{path}: the seeds of {name} and {other} overlap")
    return seeds


def count(split):
    """Number of recordings of a split."""
    return split["count"] if "count" in split else sum(split["grades"])


def interleaved(counts):
    """counts[g] grades g, mixed evenly, so that any first part has nearly the whole's proportions."""
    places = [((i + 0.5) / n, grade) for grade, n in enumerate(counts) for i in range(n)]
    return [grade for _, grade in sorted(places)]


def fixed_list(name, seeds=None):
    """[(seed, grade)] of a split with fixed grades: validation or test."""
    split = (seeds or read_seeds())["splits"][name]
    return [(split["first"] + i, grade) for i, grade in enumerate(interleaved(split["grades"]))]


def train_seed(index, seeds=None):
    """Seed of training sample `index`."""
    split = (seeds or read_seeds())["splits"]["train"]
    if not 0 <= index < split["count"]:
        raise ValueError(f"training sample {index} lies outside the {split['count']} training seeds")
    return split["first"] + index
