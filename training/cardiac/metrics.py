"""Figures of merit from predictions, numpy alone. Labels and grades are arrays of integers 0 .. K-1.

Recall, precision, specificity and F1 are macro averages of one class against the rest (docs/networks.md).
"""
import math

import numpy as np


def confusion(label, grade, classes=3):
    """counts[k,j]: label k graded j."""
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (np.asarray(label), np.asarray(grade)), 1)
    return counts


def _share(part, whole):
    """part / whole, 0 where the whole is empty."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)


def class_figures(counts):
    """{name: [K]} recall, precision, specificity and F1 of each class against the rest."""
    counts = np.asarray(counts, float)
    hit, labelled, graded, total = np.diag(counts), counts.sum(1), counts.sum(0), counts.sum()
    recall, precision = _share(hit, labelled), _share(hit, graded)
    return {"recall": recall, "precision": precision,
            "specificity": _share(total - labelled - graded + hit, total - labelled),
            "f1": _share(2 * precision * recall, precision + recall)}


def summary(counts):
    """{accuracy and the macro averages}, all in 0..1."""
    counts = np.asarray(counts, float)
    return {"accuracy": float(np.trace(counts) / counts.sum()),
            **{name: float(values.mean()) for name, values in class_figures(counts).items()}}


def weighted_kappa(counts, power=2):
    """Cohen's kappa with weights |k-j|^power: 1 linear, 2 quadratic."""
    counts = np.asarray(counts, float)
    k = np.arange(len(counts))
    weight = np.abs(k[:, None] - k[None]) ** power
    expected = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    chance = (weight * expected).sum()
    return float(1 - (weight * counts).sum() / chance) if chance else math.nan


def ranks(values):
    """Ranks from 1, ties share their mean."""
    values = np.asarray(values, float)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - counts + 1 + last) / 2)[inverse]


def auc(positive, score):
    """Area under the ROC curve: how often a positive scores higher (ties half)."""
    positive = np.asarray(positive, bool)
    n, m = positive.sum(), (~positive).sum()
    if not n or not m:
        return math.nan
    return float((ranks(score)[positive].sum() - n * (n + 1) / 2) / (n * m))


def roc(positive, score):
    """(false positive rate, true positive rate) from (0,0) to (1,1), one point a distinct score."""
    positive, score = np.asarray(positive, bool), np.asarray(score, float)
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    hits, misses = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    return np.append(0, misses / max(misses[-1], 1)), np.append(0, hits / max(hits[-1], 1))


def bootstrap(function, *arrays, count=2000, seed=1, level=0.95):
    """(low, high): percentile interval of function(*arrays) over resampled rows."""
    rng, rows = np.random.default_rng(seed), len(arrays[0])
    arrays = [np.asarray(a) for a in arrays]
    values = []
    for _ in range(count):
        taken = rng.integers(rows, size=rows)
        values.append(function(*(a[taken] for a in arrays)))
    values = np.array(values)[np.isfinite(values)]
    if not len(values):
        return math.nan, math.nan
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def calibration(confidence, correct, bins=10):
    """(mean confidence, share correct, count) of equal-width bins; empty bins hold NaN."""
    confidence, correct = np.asarray(confidence, float), np.asarray(correct, float)
    place = np.clip((confidence * bins).astype(int), 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return (np.bincount(place, confidence, bins) / count, np.bincount(place, correct, bins) / count, count)


def expected_calibration_error(confidence, correct, bins=10):
    """Σ count/n · |confidence - share correct| over the bins."""
    mean, share, count = calibration(confidence, correct, bins)
    used = count > 0
    return float((count[used] * np.abs(mean[used] - share[used])).sum() / count.sum())


def chi_square_p(x, freedom):
    """P(χ² >= x), by the incomplete gamma function's series or continued fraction."""
    a, x = freedom / 2, x / 2
    if x <= 0:
        return 1.0
    front = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while abs(term) > 1e-16 * abs(total):
            n += 1
            term *= x / n
            total += term
        return 1 - front * total
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    h = d
    for i in range(1, 10000):
        an = -i * (i - a)
        b += 2
        d = 1 / (an * d + b or tiny)
        c = b + an / c or tiny
        h *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return front * h


def chi_square(right_a, right_b):
    """Pearson's test that two models' shares of right answers differ: (χ², P), one degree of freedom.

    The paper names the test only; this is the 2×2 table of right and wrong, uncorrected.
    """
    right_a, right_b = np.asarray(right_a, bool), np.asarray(right_b, bool)
    table = np.array([[right_a.sum(), (~right_a).sum()], [right_b.sum(), (~right_b).sum()]], float)
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    if (expected == 0).any():
        return 0.0, 1.0
    x = float(((table - expected) ** 2 / expected).sum())
    return x, chi_square_p(x, 1)


def mcnemar(right_a, right_b):
    """The paired test on the same cases: (χ², P) of those that only one model has right, corrected."""
    right_a, right_b = np.asarray(right_a, bool), np.asarray(right_b, bool)
    b, c = (right_a & ~right_b).sum(), (~right_a & right_b).sum()
    if b + c == 0:
        return 0.0, 1.0
    x = float((abs(int(b) - int(c)) - 1) ** 2 / (b + c))
    return x, chi_square_p(x, 1)
