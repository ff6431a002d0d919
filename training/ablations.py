#!/usr/bin/env python3
"""The ablations of the paper's Table 2, several seeds a row, one table: on a frozen backbone, and end to end.

    ablations.py cache RUN/stage-masks.pt DIR      backbone tokens of 1400 + 211 + 808 recordings
    ablations.py train DIR [--rows …] [--seeds 3]  predictions of every row and seed on those tokens
    ablations.py whole RUN/stage-masks.pt DIR      the same, training the whole network by configs/mreg/*.json
    ablations.py report DIR [--page docs/evaluation-mreg.md --place frozen|whole]

On the frozen backbone everything after it trains from new weights: frame integration, prompts, head. End to end every
row starts from the same checkpoint, but `labels_only`, which starts from random weights and has the time of both
stages. What is already there is not done again.
"""
import argparse
import glob
import json
import os
import sys
import time

import numpy as np
import torch

from cardiac import losses, metrics
from cardiac.initialise import initialise, new_model, parameter_groups
from cardiac.predict import rows_of, write_rows
from cardiac.tokens import cache_tokens, read_tokens
from cardiac.trainer import make_autocast, rate_at
from cardiac.videos import VARIANTS, encode_tokens, run_videos
import predict_mreg
import train_mreg
from evaluate import evaluate, read_predictions
from predict_mreg import load

NAMES = {"baseline": "Baseline", "fs": "Baseline + FS", "fs_amp": "Baseline + FS + Amp",
         "fs_amp_class": "Baseline* + FS + Amp", "fs_amp_moe": "Baseline + FS + Amp + MoE",
         "random_instance": "MReg**", "mreg": "MReg"}
TITLES = {**NAMES, "labels_only": "MReg from labels only"}
WHOLE = {"baseline": "baseline", "fs_amp_class": "fs-amp-class", "mreg": "full", "labels_only": "labels-only"}
CONFIGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "configs", "mreg")
SIZES = {"train": 1400, "validation": 211, "test": 808}
BEGIN, END = "<!-- {} ablations: written by training/ablations.py -->", "<!-- end of {} ablations -->"


def taken(data, rows):
    """Some rows of a set."""
    return {name: tensor[rows] for name, tensor in data.items()}


@torch.no_grad()
def predictions(model, data, batch=32):
    """Rows of a whole set."""
    model.eval()
    rows = []
    for first in range(0, len(data["grade"]), batch):
        part = taken(data, slice(first, first + batch))
        z, p = encode_tokens(model, part["frame"].float(), part["patch"].float())
        found = rows_of(model, run_videos(model, z, p, part["number"]), part["number"], part["grade"])
        for row, severity in zip(found, part["severity"]):
            row["best"] = int(severity[row["instance"]] >= 0.8 * severity.max())
        rows += found
    model.train()
    return rows


def accuracy(rows):
    return float(np.mean([row["grade"] == row["label"] for row in rows]))


def train_row(base, name, seed, data, args):
    """Train one row from one seed; returns (test rows, validation accuracy)."""
    variant = VARIANTS[name]
    model = new_model(base.size, base.config, variant)
    initialise(model, seed)
    model.vision.load_state_dict(base.vision.state_dict())
    named = [(n, p) for n, p in model.named_parameters() if not n.startswith("vision.")]
    if variant["select"] == "mean":
        named = [(n, p) for n, p in named if n not in ("text.presence", "logit_scale")]
    parameters = [p for _, p in named]
    optimizer = torch.optim.AdamW(parameter_groups(named, args.rate, 0.01), betas=(0.9, 0.98))
    generator, count = torch.Generator().manual_seed(seed), len(data["train"]["grade"])
    steps, step, best, kept = args.epochs * (count // args.batch), 0, -1.0, None
    for _ in range(args.epochs):
        order = torch.randperm(count, generator=generator)
        for first in range(0, count - args.batch + 1, args.batch):
            batch = taken(data["train"], order[first:first + args.batch])
            for group in optimizer.param_groups:
                group["lr"] = args.rate * group["scale"] * rate_at(step / steps, step, 20)
            optimizer.zero_grad(set_to_none=True)
            z, p = encode_tokens(model, batch["frame"].float(), batch["patch"].float())
            # in training a random instance is another one each time
            number = torch.randint(2 ** 31, (len(z),), generator=generator)
            losses.total(losses.mreg_losses(run_videos(model, z, p, number), batch["grade"])).backward()
            torch.nn.utils.clip_grad_norm_([q for q in parameters if q.grad is not None], 2.0)
            optimizer.step()
            step += 1
        found = accuracy(predictions(model, data["validation"]))
        if found >= best:
            best, kept = found, {n: t.clone() for n, t in model.state_dict().items()}
    model.load_state_dict(kept)
    return predictions(model, data["test"]), best


def run_cache(args):
    model = load(args.checkpoint)
    torch.save({"checkpoint": torch.load(args.checkpoint, map_location="cpu")},
               os.path.join(args.directory, "backbone.pt"))
    autocast, _ = make_autocast("auto", "cpu")
    for split, count in {**SIZES, "train": args.train or SIZES["train"]}.items():
        cache_tokens(args.directory, model, split, count, autocast,
                     lambda text: print(text, file=sys.stderr, flush=True))


def run_train(args):
    saved = torch.load(os.path.join(args.directory, "backbone.pt"), map_location="cpu")["checkpoint"]
    from random_model import XCLIP_SIZES
    size = saved["size"] if not isinstance(saved["size"], str) else XCLIP_SIZES[saved["size"]]
    base = new_model(size, saved["config"], VARIANTS["mreg"])
    base.load_state_dict(saved["state_dict"], strict=False)
    base.size = size
    data = {split: read_tokens(args.directory, split) for split in SIZES}
    for seed in range(1, args.seeds + 1):
        for name in args.rows:
            path = os.path.join(args.directory, f"{name}-{seed}.csv")
            if os.path.exists(path):
                continue
            begin = time.process_time()
            rows, best = train_row(base, name, seed, data, args)
            write_rows(path, rows)
            print(json.dumps({"row": name, "seed": seed, "validation": round(best, 4),
                              "test": round(accuracy(rows), 4),
                              "cpu_seconds": round(time.process_time() - begin)}), flush=True)


def run_whole(args):
    for seed in range(1, args.seeds + 1):
        for name in args.rows:
            path = os.path.join(args.directory, f"{name}-{seed}.csv")
            if os.path.exists(path):
                continue
            run = os.path.join(args.directory, f"{name}-{seed}")
            start = [] if name == "labels_only" else ["--start", args.checkpoint]
            train_mreg.main([os.path.join(CONFIGS, f"{WHOLE[name]}.json"), run, "--resume", "--set", f"seed={seed}",
                             *start, *(word for item in args.set for word in ("--set", item))])
            predict_mreg.main([os.path.join(run, "last.pt"), path, "--split", "test"])


def mean_and_error(values):
    """'mean ± standard error' of shares, in per cent."""
    values = 100 * np.array(values)
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{values.mean():.1f} ± {error:.1f}" if len(values) > 1 else f"{values.mean():.1f}"


def median_p(tables, others):
    """Median over the seeds of the chi-square test's P: pooling them would count every video again."""
    return float(np.median([metrics.chi_square(a["label"] == a["grade"], b["label"] == b["grade"])[1]
                            for a, b in zip(tables, others)]))


def p_text(p):
    """A P as tables print it."""
    return "< .001" if p < 0.001 else f"{p:.3f}"


def table_of(directory):
    """The Markdown table of all predictions in a directory."""
    lines = ["| model | seeds | accuracy | recall | precision | specificity | F1 | recall of grades 0, 1, 2 | "
             "right instance | P against MReg |", "|" + "---|" * 10]
    pooled = {}
    for name in TITLES:
        tables = [read_predictions(path) for path in sorted(glob.glob(os.path.join(directory, f"{name}-[0-9]*.csv")))]
        if tables:
            pooled[name] = tables
    for name, tables in pooled.items():
        found = [evaluate(t) for t in tables]
        shares = [mean_and_error([f[key] for f, _ in found]) for key in
                  ("accuracy", "recall", "precision", "specificity", "f1")]
        recalls = np.mean([metrics.class_figures(counts)["recall"] for _, counts in found], 0)
        choice = "-" if name == "baseline" else mean_and_error([f["instance_choice"] for f, _ in found])
        p = "-" if name == "mreg" or "mreg" not in pooled else p_text(median_p(tables, pooled["mreg"]))
        lines.append(f"| {TITLES[name]} | {len(tables)} | " + " | ".join(shares) + " | "
                     + ", ".join(f"{100 * r:.1f}" for r in recalls) + f" | {choice} | {p} |")
    if len(lines) == 2:
        raise ValueError(f"{directory} holds no predictions; run ablations.py train first")
    return "\n".join(lines)


def run_report(args):
    table = table_of(args.directory)
    print(table)
    if not args.page:
        return
    with open(args.page, encoding="utf-8") as file:
        page = file.read()
    first, last = BEGIN.format(args.place), END.format(args.place)
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{args.page} has no place for the table: expected the lines '{first}' and '{last}'")
    with open(args.page, "w", encoding="utf-8") as file:
        file.write(f"{before}{first}\n\n{table}\n\n{last}{after}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    cache = commands.add_parser("cache")
    cache.add_argument("checkpoint")
    cache.add_argument("directory")
    cache.add_argument("--train", type=int, help=f"training recordings (default {SIZES['train']})")
    train = commands.add_parser("train")
    train.add_argument("directory")
    train.add_argument("--rows", nargs="+", choices=NAMES, default=list(NAMES))
    train.add_argument("--seeds", type=int, default=3)
    train.add_argument("--epochs", type=int, default=6)
    train.add_argument("--batch", type=int, default=16)
    train.add_argument("--rate", type=float, default=1e-3)
    whole = commands.add_parser("whole")
    whole.add_argument("checkpoint")
    whole.add_argument("directory")
    whole.add_argument("--rows", nargs="+", choices=WHOLE, default=list(WHOLE))
    whole.add_argument("--seeds", type=int, default=3)
    whole.add_argument("--set", action="append", default=[], metavar="KEY=JSON", help="as train_mreg.py's")
    report = commands.add_parser("report")
    report.add_argument("directory")
    report.add_argument("--page", help="Markdown page whose marked place receives the table")
    report.add_argument("--place", choices=("frozen", "whole"), default="frozen")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        os.makedirs(args.directory, exist_ok=True)
        {"cache": run_cache, "train": run_train, "whole": run_whole, "report": run_report}[args.command](args)
    except (ValueError, OSError, KeyError) as error:
        sys.exit(f"ablations.py: {error}")


if __name__ == "__main__":
    main()
