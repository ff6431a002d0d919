#!/usr/bin/env python3
"""What each cue of an echo phantom is worth: accuracies of the best decision from true values.

No network and no picture is involved: severity, area, duration and eccentricity of each instance
are known, and the two thresholds are the best there are for the cue at hand. The table states how
hard the phantom is before anything is trained on it. Recordings are weighted to the paper's test
set, 403 : 307 : 98.
"""
import argparse
import math

import numpy as np

from cardiac.phantom import INSTANCES, draw, library  # noqa: F401  (library: a clear message when absent)
from cardiac import phantom

PAPER = np.array([403, 307, 98])
ECCENTRIC_FACTOR, FULL_DURATION = 2.5, 0.7       # of echo-phantom.h
BORDERS = np.log([0.05, 0.20])


def truths(first, count):
    """Arrays by name of `count` recordings a grade: grade [n], and per instance [n,I]."""
    rows = []
    for i in range(3 * count):
        settings = draw(first + i, i % 3)
        rows.append([(t.severity, t.area, t.eccentric, t.duration)
                     for t in (instance_truth(settings, k) for k in range(INSTANCES))])
    values = np.array(rows, float)
    names = ("severity", "area", "eccentric", "duration")
    return {"grade": np.arange(3 * count) % 3, **{name: values[..., j] for j, name in enumerate(names)}}


def instance_truth(settings, k):
    """EchoTruth of instance k of a recording that is not drawn."""
    lib = phantom.library()
    begin = lib.echo_instance_begin(settings, k)
    return lib.echo_truth(settings, begin, begin + settings.clip)


def best_thresholds(value, grade, weight):
    """Best accuracy of grading `value` by two thresholds t0 <= t1, and the recalls it has.

    With c_k(t) the weight of grade k at or below t, accuracy is
    [c_0(t0) - c_1(t0)] + [c_1(t1) - c_2(t1)] + c_2(inf): one pass over sorted values.
    """
    order = np.argsort(value, kind="stable")
    value, grade, weight = value[order], grade[order], weight[order]
    below = np.stack([np.concatenate([[0], np.cumsum(weight * (grade == k))]) for k in range(3)])
    cut = np.concatenate([[True], value[1:] > value[:-1], [True]])    # between different values only
    low = np.where(cut, below[0] - below[1], -np.inf)
    high = np.where(cut, below[1] - below[2], -np.inf)
    sums = np.maximum.accumulate(low) + high
    second = int(np.argmax(sums))
    first = int(np.argmax(low[:second + 1]))
    found = np.searchsorted([first, second], np.arange(len(value)), side="right")
    recalls = [float((found[grade == k] == k).mean()) for k in range(3)]
    return float(sums[second] + below[2, -1]), recalls


def cues(t, rng):
    """{name: value a recording} of the table's rows."""
    worst = np.argmax(t["severity"], axis=1)
    pick = {name: t[name][np.arange(len(worst)), worst] for name in ("severity", "area", "eccentric", "duration")}
    factor = np.where(pick["eccentric"] > 0, ECCENTRIC_FACTOR, 1)
    share = np.minimum(1, pick["duration"] / FULL_DURATION)
    chance = t["severity"][np.arange(len(worst)), rng.integers(0, INSTANCES, len(worst))]
    rows = {
        "worst instance, all cues": pick["severity"],
        "worst instance, without duration": pick["area"] * factor,
        "worst instance, without eccentricity": pick["area"] * share,
        "worst instance, area ratio alone": pick["area"],
        "a random instance": chance,
        "mean of the three instances": t["severity"].mean(axis=1),
    }
    for sigma in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        noise = sigma * rng.standard_normal(len(worst))
        rows[f"worst instance, error of log severity {sigma}"] = np.log(np.maximum(pick["severity"], 1e-4)) + noise
    return rows


def margin(t):
    """How near a recording comes to a border of grades, in log severity."""
    severity = t["severity"].max(axis=1)
    logs = np.log(severity[severity > 0])
    return float(np.abs(logs[:, None] - BORDERS).min())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=6000, help="recordings a grade (default 6000)")
    parser.add_argument("--first", type=int, default=50_000_000, help="first seed")
    args = parser.parse_args()
    t = truths(args.first, args.count)
    weight = PAPER[t["grade"]] / PAPER.sum() / args.count
    positive = t["grade"] > 0
    worst = np.argmax(t["severity"], axis=1)
    eccentric = t["eccentric"][np.arange(len(worst)), worst][positive].mean()
    print(f"| decision from true values, best thresholds | accuracy | recalls of grades 0, 1, 2 |\n|---|---|---|")
    for name, value in cues(t, np.random.default_rng(0)).items():
        accuracy, recalls = best_thresholds(value, t["grade"], weight)
        print(f"| {name} | {100 * accuracy:.1f} % | {' '.join(f'{r:.2f}' for r in recalls)} |")
    error = math.sqrt(0.25 / (3 * args.count))
    print(f"\n{3 * args.count} recordings (standard error at most {100 * error:.1f} points), nearest border "
          f"{margin(t):.2f} in log severity, {100 * eccentric:.0f} % of positives eccentric")


if __name__ == "__main__":
    main()
