"""Run rows of the paper's Table III: every configuration x seed x fold that is not there yet, then the table.

Rows with the same flow_step and fold share one flow branch, trained once; so modules are compared on a frozen flow,
which understates what they do in joint training. Each run is a folder of train_mmsa.py; a run that was cut off goes on.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import train_mmsa                                                # noqa: E402
from cardiac import mmsa_metrics, mmsa_train                     # noqa: E402

ROWS = ("full", "d1", "d5", "d7", "no-mmsa", "no-tse", "no-nonlocal", "scale-quarter", "scale-half", "scale-one",
        "tse-paper", "zero-flow")
CONFIGS = Path(__file__).resolve().parent / "configs" / "mmsa"


def one_run(args, row, seed, fold):
    folder = args.out / f"{row}-seed{seed}-{fold.replace('/', 'of') if fold else 'held'}"
    if (folder / "metrics.json").exists():
        return
    config_file = CONFIGS / f"{row}.json"
    step = mmsa_train.model_config(mmsa_train.load_config(config_file))["flow_step"]
    own_flow = args.out / f"flow-d{step}-{fold.replace('/', 'of') or 'held'}.state"
    flow = args.flow if args.flow and step == 3 else own_flow
    options = ["--train", str(args.train), "--out", str(folder), "--seed", str(seed), "--threads", str(args.threads)]
    options += ["--fold", fold] if fold else ["--validation", str(args.validation)]
    options += ["--limit", str(args.limit)] if args.limit else []
    if not flow.exists():
        train_mmsa.main([str(config_file), *options, "--stop-after-flow"])
        (folder / "flow.state").rename(flow)
    train_mmsa.main([str(config_file), *options, "--flow", str(flow)])


def gather(args, row):
    """Metrics of a row: one list entry a seed, over all subjects of its folds together."""
    found = []
    for seed in args.seeds:
        folders = sorted(args.out.glob(f"{row}-seed{seed}-*"))
        folders = [f for f in folders if (f / "metrics.json").exists()]
        complete = len(folders) == (args.folds or 1)
        if not complete:
            continue
        parts = [mmsa_metrics.read_csv(folder / "predictions.csv") for folder in folders]
        truth, predicted = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        found.append(mmsa_metrics.all_metrics(truth, predicted))
    return found


def write_table(args):
    lines = ["| configuration | seeds | 4-way % | Δ | abnormal % | Δ | κ | ρ | recalls % |",
             "|---|---|---|---|---|---|---|---|---|"]
    base = None
    for row in args.rows:
        runs = gather(args, row)
        name = json.loads((CONFIGS / f"{row}.json").read_text(encoding="utf-8"))["name"]
        if not runs:
            lines.append(f"| {name} | not run | | | | | | | |")
            continue
        mean = {key: np.mean([r[key] for r in runs], 0) for key in ("accuracy", "abnormal_accuracy", "kappa", "rho",
                                                                    "recall")}
        base = base or mean
        recalls = " ".join(f"{100 * r:.0f}" for r in mean["recall"])
        lines.append(f"| {name} | {len(runs)} | {100 * mean['accuracy']:.1f} | "
                     f"{100 * (mean['accuracy'] - base['accuracy']):+.1f} | {100 * mean['abnormal_accuracy']:.1f} | "
                     f"{100 * (mean['abnormal_accuracy'] - base['abnormal_accuracy']):+.1f} | {mean['kappa']:.3f} | "
                     f"{mean['rho']:.3f} | {recalls} |")
    text = "\n".join(lines) + "\n"
    (args.out / "table.md").write_text(text, encoding="utf-8")
    print(text, end="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--validation", type=Path, help="what rows are measured on without --folds; never the test set")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), metavar="ROW", help="names of training/configs/mmsa")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--folds", type=int, default=0, help="cross-validation over --train, e.g. 3; 0: none")
    parser.add_argument("--limit", type=int, help="use so many training subjects")
    parser.add_argument("--flow", type=Path, help="flow.state to use for all rows of d = 3")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only write the table of what is there")
    args = parser.parse_args()
    if not args.folds and not args.validation:
        parser.error("give --validation, or --folds")
    for seed in args.seeds if not args.table else ():
        for row in args.rows:
            for fold in [f"{i + 1}/{args.folds}" for i in range(args.folds)] or [""]:
                one_run(args, row, seed, fold)
    write_table(args)


if __name__ == "__main__":
    main()
