#!/usr/bin/env python3
"""Evaluate predictions: tables (CSV, Markdown) and figures (SVG, PNG where rsvg-convert is).

PREDICTIONS.csv holds a row a video: seed, label, grade, value, p0, p1, p2, presence, instance, state, and
maybe jet (its type). Rows without a grade count against coverage, not against accuracy.
"""
import argparse
import csv
import os
import sys

import numpy as np

from cardiac import metrics, plots

LABELS = ("none/trace", "mild", "≥ moderate")
PERCENT = ("accuracy", "recall", "precision", "specificity", "f1")
GRADED = ("RESULT", "UNSURE")


def read_predictions(path, labels=None):
    """{column: array} of a CSV file; text columns stay text. labels: {seed: label} replaces the file's."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{path} holds no predictions")
    for row in rows:
        if labels is not None:
            row["label"] = labels.get(row["seed"], "")
    for name in ("label", "grade", "state"):
        if name not in rows[0]:
            raise ValueError(f"{path}: column '{name}' is missing")
    rows = [row for row in rows if row["label"] != ""]
    if not rows:
        raise ValueError(f"{path} holds no labelled rows; give --labels")
    table = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        try:
            table[name] = np.array([float(v) if v != "" else np.nan for v in values])
        except ValueError:
            table[name] = np.array(values)
    return table


def read_labels(path):
    """{seed: label} of a CSV file with the columns seed (or path) and label."""
    with open(path, newline="", encoding="utf-8") as file:
        return {row.get("seed", row.get("path")): row["label"] for row in csv.DictReader(file)}


def graded_rows(table):
    """The rows that have a grade."""
    keep = np.isin(table["state"], GRADED) & np.isfinite(table["grade"])
    return {name: values[keep] for name, values in table.items()}


def probabilities(table):
    """[n,K] or None where the file has none."""
    names = sorted(name for name in table if name[0] == "p" and name[1:].isdigit())
    return np.stack([table[name] for name in names], 1) if names else None


def evaluate(table):
    """{figure: number} of a predictions table."""
    graded = graded_rows(table)
    label, grade = graded["label"].astype(int), graded["grade"].astype(int)
    counts = metrics.confusion(label, grade)
    figures = {"videos": len(table["label"]), "graded": len(label), "coverage": len(label) / len(table["label"]),
               "sure": float((table["state"] == "RESULT").mean()), **metrics.summary(counts),
               "kappa_quadratic": metrics.weighted_kappa(counts), "kappa_linear": metrics.weighted_kappa(counts, 1)}
    figures["accuracy_low"], figures["accuracy_high"] = metrics.bootstrap(
        lambda a, b: (a == b).mean(), label, grade)
    sure = graded["state"] == "RESULT"
    if sure.any():
        figures["accuracy_when_sure"] = float((label == grade)[sure].mean())
    if "value" in graded and (label == 2).any():
        figures["auc_moderate"] = metrics.auc(label == 2, graded["value"])
        figures["auc_moderate_low"], figures["auc_moderate_high"] = metrics.bootstrap(
            metrics.auc, label == 2, graded["value"])
    if "presence" in graded:
        figures["presence_accuracy"] = float(((graded["presence"] >= 0.5) == (label > 0)).mean())
        figures["auc_presence"] = metrics.auc(label > 0, graded["presence"])
    p = probabilities(graded)
    if p is not None:
        figures["ece"] = metrics.expected_calibration_error(p.max(1), p.argmax(1) == label)
    if "best" in graded and (label > 0).any():
        figures["instance_choice"] = float(graded["best"][label > 0].mean())
    return figures, counts


def groups(table):
    """[(jet type, videos, accuracy)] where the truth is in the file."""
    if "jet" not in table:
        return []
    graded = graded_rows(table)
    right = graded["label"] == graded["grade"]
    return [(str(kind), int((graded["jet"] == kind).sum()), float(right[graded["jet"] == kind].mean()))
            for kind in np.unique(graded["jet"])]


def compare(table, other):
    """Tests against a second model's predictions of the same videos."""
    rights = []
    for t in (table, other):
        graded = graded_rows(t)
        rights.append(dict(zip(graded["seed"].tolist(), graded["label"] == graded["grade"])))
    both = sorted(set(rights[0]) & set(rights[1]))
    if not both:
        raise ValueError("the two predictions share no graded video")
    a, b = ([right[seed] for seed in both] for right in rights)
    x, p = metrics.chi_square(a, b)
    paired, paired_p = metrics.mcnemar(a, b)
    return {"shared": len(both), "accuracy": float(np.mean(a)), "other_accuracy": float(np.mean(b)),
            "chi_square": x, "p_value": p, "mcnemar": paired, "mcnemar_p": paired_p}


def percent(name, value):
    """How a figure is printed."""
    if isinstance(value, int):
        return str(value)
    shares = name.startswith((*PERCENT, "coverage", "sure", "presence_accuracy", "instance_choice"))
    return f"{100 * value:.2f} %" if shares else f"{value:.4g}"


def markdown(figures, counts, by_jet, compared, title):
    """The report's text."""
    parts = [f"# {title}", "", "| figure | value |", "|---|---|"]
    parts += [f"| {name.replace('_', ' ')} | {percent(name, value)} |" for name, value in figures.items()]
    parts += ["", "| label | " + " | ".join(f"graded {name}" for name in LABELS) + " | recall | precision | "
              "specificity | F1 |", "|---|" + "---|" * 7]
    by_class = metrics.class_figures(counts)
    for k, name in enumerate(LABELS):
        parts.append(f"| {name} | " + " | ".join(str(n) for n in counts[k]) + " | " + " | ".join(
            f"{100 * by_class[key][k]:.2f} %" for key in PERCENT[1:]) + " |")
    if by_jet:
        parts += ["", "| jet | videos | accuracy |", "|---|---|---|"]
        parts += [f"| {kind} | {n} | {100 * share:.2f} % |" for kind, n, share in by_jet]
    if compared:
        parts += ["", "| against the other model | value |", "|---|---|"]
        parts += [f"| {name.replace('_', ' ')} | {percent(name, value)} |" for name, value in compared.items()]
    return "\n".join(parts) + "\n"


def draw_figures(directory, table, counts, title):
    """confusion, roc, calibration."""
    graded = graded_rows(table)
    label = graded["label"].astype(int)
    plots.confusion_figure(os.path.join(directory, "confusion"), counts, LABELS, title)
    if "value" in graded and (label == 2).any():
        area = metrics.auc(label == 2, graded["value"])
        curves = [(f"≥ moderate, area {area:.3f}", *metrics.roc(label == 2, graded["value"]))]
        if "presence" in graded:
            area = metrics.auc(label > 0, graded["presence"])
            curves.append((f"any regurgitation, area {area:.3f}", *metrics.roc(label > 0, graded["presence"])))
        plots.roc_figure(os.path.join(directory, "roc"), curves, title)
    p = probabilities(graded)
    if p is not None:
        right = p.argmax(1) == label
        mean, share, _ = metrics.calibration(p.max(1), right)
        error = metrics.expected_calibration_error(p.max(1), right)
        plots.calibration_figure(os.path.join(directory, "calibration"), mean, share, title,
                                 f"expected error {error:.3f}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictions", metavar="PREDICTIONS.csv")
    parser.add_argument("out", metavar="OUT", help="directory for metrics.csv, report.md and figures")
    parser.add_argument("--labels", metavar="LABELS.csv", help="seed (or path) and label of each video")
    parser.add_argument("--compare", metavar="OTHER.csv", help="another model's predictions of the same videos")
    parser.add_argument("--title", default="MReg")
    args = parser.parse_args(arguments)
    try:
        labels = read_labels(args.labels) if args.labels else None
        table = read_predictions(args.predictions, labels)
        figures, counts = evaluate(table)
        compared = compare(table, read_predictions(args.compare, labels)) if args.compare else None
        os.makedirs(args.out, exist_ok=True)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"evaluate.py: {error}")
    with open(os.path.join(args.out, "metrics.csv"), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["figure", "value"])
        writer.writerows([name, repr(value)] for name, value in {**figures, **{
            f"against_{k}": v for k, v in (compared or {}).items()}}.items())
    report = markdown(figures, counts, groups(table), compared, args.title)
    with open(os.path.join(args.out, "report.md"), "w", encoding="utf-8") as file:
        file.write(report)
    draw_figures(args.out, table, counts, args.title)
    print(report, end="")


if __name__ == "__main__":
    main()
