"""Run rows of the paper's Table III: every fold x configuration x seed that is not there yet, then the table.

Rows with the same flow_step share one flow branch a fold, trained once and cached; so modules are compared on a frozen
flow, which understates what they do in joint training. Each run is a folder of train_mmsa.py; a run that was cut off
goes on. Means and standard errors are over seeds, each seed's segments of all folds taken together; the difference to
the first row is paired, subject by subject over the seeds that both have, with its standard error over subjects.
"""
import argparse
import functools
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import train_mmsa                                                # noqa: E402
from cardiac import mmsa_data, mmsa_metrics, mmsa_train          # noqa: E402

ROWS = ("full", "no-mmsa", "no-tse", "no-nonlocal", "scale-quarter", "scale-half", "scale-one", "tse-paper",
        "zero-flow", "joint", "d1", "d5", "d7")
CONFIGS = Path(__file__).resolve().parent / "configs" / "mmsa"


def flow_step(row):
    return mmsa_train.model_config(mmsa_train.load_config(CONFIGS / f"{row}.json"))["flow_step"]


def run_folder(args, row, seed, fold):
    return args.out / f"{row}-seed{seed}-{fold.replace('/', 'of')}"


def one_run(args, row, seed, fold, read_set):
    folder = run_folder(args, row, seed, fold)
    if (folder / "metrics.json").exists():
        return
    config_file = CONFIGS / f"{row}.json"
    flow = args.out / f"flow-d{flow_step(row)}-{fold.replace('/', 'of')}.state"
    options = ["--train", str(args.train), "--out", str(folder), "--seed", str(seed), "--threads", str(args.threads)]
    options += ["--fold", fold, "--cached-flow"] + (["--limit", str(args.limit)] if args.limit else [])
    options += ["--epochs", str(args.epochs)] if args.epochs else []
    if not flow.exists():
        train_mmsa.main([str(config_file), *options, "--stop-after-flow"], read_set)
        (folder / "flow.state").rename(flow)
    train_mmsa.main([str(config_file), *options, "--flow", str(flow)], read_set)


def gather(args, row):
    """Of each seed whose folds are all there: metrics, and the share of right segments of each subject."""
    found = {}
    for seed in args.seeds:
        folders = [run_folder(args, row, seed, fold) for fold in args.folds]
        if all((folder / "metrics.json").exists() for folder in folders):
            parts = [mmsa_metrics.read_csv(folder / "predictions.csv") for folder in folders]
            truth, predicted = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
            found[seed] = mmsa_metrics.all_metrics(truth, predicted), (truth == predicted).mean(1)
    return found


def difference(runs, base):
    """Points of accuracy above the first row, with the standard error over subjects, as text."""
    seeds = [seed for seed in runs if seed in base]
    if not seeds:
        return ""
    points = 100 * np.mean([runs[seed][1] - base[seed][1] for seed in seeds], 0)
    return f"{points.mean():+.1f} ± {points.std(ddof=1) / len(points) ** 0.5:.1f}"


def spread(values, factor, digits):
    """Mean and standard error over seeds, as text."""
    values = factor * np.asarray(values)
    text = f"{values.mean():.{digits}f}"
    return text + (f" ± {values.std(ddof=1) / len(values) ** 0.5:.{digits}f}" if len(values) > 1 else "")


def write_table(args):
    lines = ["| configuration | seeds | 4-way % | Δ ± s.e. | abnormal % | κ | ρ | recalls of 1, 2, 3, 4 % |",
             "|---|---|---|---|---|---|---|---|"]
    base = gather(args, args.rows[0])
    for row in args.rows:
        found = gather(args, row)
        runs = [metrics for metrics, _ in found.values()]
        name = json.loads((CONFIGS / f"{row}.json").read_text(encoding="utf-8"))["name"]
        if not runs:
            lines.append(f"| {name} | not run | | | | | | |")
            continue
        recalls = " ".join(f"{100 * r:.0f}" for r in np.mean([r["recall"] for r in runs], 0))
        lines.append(f"| {name} | {len(runs)} | {spread([r['accuracy'] for r in runs], 100, 1)} | "
                     f"{difference(found, base) if row != args.rows[0] else ''} | "
                     f"{spread([r['abnormal_accuracy'] for r in runs], 100, 1)} | "
                     f"{spread([r['kappa'] for r in runs], 1, 3)} | {spread([r['rho'] for r in runs], 1, 3)} | {recalls} |")
    text = "\n".join(lines) + "\n"
    (args.out / "table.md").write_text(text, encoding="utf-8")
    print(text, end="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True, help="folder of subjects; never the test set")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), metavar="ROW", help="names of training/configs/mmsa")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--folds", nargs="+", default=["1/3", "2/3", "3/3"], metavar="I/N",
                        help="folds of a cross-validation over --train (default 1/3 2/3 3/3)")
    parser.add_argument("--limit", type=int, help="use so many subjects")
    parser.add_argument("--epochs", type=int, help="of the scoring branch, instead of the configurations'")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only write the table of what is there")
    args = parser.parse_args()
    # One reading of the set: rows that share a flow branch share what it gave.
    read_set = functools.cache(mmsa_data.read_set)
    if not args.table:
        for fold in args.folds:
            for step in sorted({flow_step(row) for row in args.rows}, key=lambda s: (s != flow_step(args.rows[0]), s)):
                for row in (row for row in args.rows if flow_step(row) == step):
                    for seed in args.seeds:
                        one_run(args, row, seed, fold, read_set)
    write_table(args)


if __name__ == "__main__":
    main()
