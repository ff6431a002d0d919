"""What the cine-MR phantom allows at best: the accuracy of decisions from its true motion, without pictures.

The best three borders on the true mean excursion of a segment are sought on one set of subjects and applied to another.
Prints one line a decision; no network is involved. A network that sees pictures may know more than the mean excursion
(thickening, delay), so the last line adds what else the phantom draws.
"""
import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cardiac import cmr_phantom, mmsa_metrics                    # noqa: E402


def truths(seeds):
    """scores [n,16], excursion [n,16], thickening [n,16] of subjects drawn by chance."""
    rows = [cmr_phantom.Phantom(int(seed)).truth() for seed in seeds]
    return (np.array([t.score[:] for t in rows]), np.array([t.excursion[:] for t in rows]),
            np.array([t.thickening[:] for t in rows]))


def best_borders(values, scores):
    """Three borders, from high values (normal) to low ones, by which most values get their score."""
    order = np.argsort(-values)
    values, scores = values[order], scores[order]
    correct = [np.concatenate([[0], np.cumsum(scores == k)]) for k in (1, 2, 3, 4)]
    # right(i,j,k) = c1[i] + c2[j]-c2[i] + c3[k]-c3[j] + c4[-1]-c4[k], i <= j <= k: a dynamic programme.
    best = correct[0] - correct[1]
    choice = []
    for later in (1, 2):
        running = np.maximum.accumulate(best)
        reached = np.where(best == running, np.arange(len(best)), 0)
        choice.append(np.maximum.accumulate(reached))
        best = running + correct[later] - correct[later + 1]
    last = int(np.argmax(best))
    middle = int(choice[1][last])
    cuts = (int(choice[0][middle]), middle, last)
    padded = np.concatenate([[values[0] + 1], values, [values[-1] - 1]])
    return [(padded[c] + padded[c + 1]) / 2 for c in cuts]


def decide(values, borders):
    return 1 + sum((values < border).astype(int) for border in borders)


def gaussian_classes(features, scores):
    """Bayes' decision for normal classes: features [n,d] -> a function of features to scores."""
    parts = []
    for k in (1, 2, 3, 4):
        x = features[scores == k]
        mean, covariance = x.mean(0), np.atleast_2d(np.cov(x.T))
        inverse, log_det = np.linalg.inv(covariance), np.linalg.slogdet(covariance)[1]
        parts.append((mean, inverse, np.log(len(x) / len(features)) - log_det / 2))

    def classify(points):
        logs = [prior - 0.5 * np.einsum("ni,ij,nj->n", points - mean, inverse, points - mean)
                for mean, inverse, prior in parts]
        return 1 + np.argmax(logs, 0)
    return classify


def report(name, scores, predicted):
    m = mmsa_metrics.segment_metrics(scores, predicted)
    recalls = " ".join(f"{r:.2f}" for r in m["recall"])
    print(f"{name:44s} {100 * m['accuracy']:5.1f} %  recalls {recalls}  "
          f"abnormal {100 * m['abnormal_accuracy']:5.1f} %  kappa {m['kappa']:.3f}")
    return m["accuracy"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=2000, help="subjects of either set")
    parser.add_argument("--test-seed", type=int, help="first seed of the second set; default: unseen subjects")
    parser.add_argument("--test-subjects", type=int, help="of the second set")
    args = parser.parse_args()
    fit = truths(range(5_000_000, 5_000_000 + args.subjects))
    first = args.test_seed or 6_000_000
    test = truths(range(first, first + (args.test_subjects or args.subjects)))
    counts = np.bincount(test[0].ravel(), minlength=5)[1:]
    print("scores 1..4:", *counts, f"(the paper's shares of {counts.sum()}:",
          *(round(n / 1440 * counts.sum()) for n in (794, 348, 207, 91)), end=")\n")
    flat = [[x.ravel() for x in group] for group in (fit, test)]
    (scores_fit, excursion_fit, thickening_fit), (scores, excursion, thickening) = flat
    borders = best_borders(excursion_fit, scores_fit)
    print("borders of the mean excursion:", *(f"{b:.3f}" for b in borders))
    ceiling = report("from the true mean excursion (the ceiling)", scores, decide(excursion, borders))
    report("from the true mean thickening", scores, decide(thickening, best_borders(thickening_fit, scores_fit)))
    both = gaussian_classes(np.stack([excursion_fit, thickening_fit], 1), scores_fit)
    report("from both, normal classes", scores, both(np.stack([excursion, thickening], 1)))
    rng = np.random.default_rng(1)
    for sd in (0.02, 0.04, 0.06):
        noisy = [x + rng.normal(0, sd, x.shape) for x in (excursion_fit, excursion)]
        report(f"excursion known to {sd:.2f}", scores, decide(noisy[1], best_borders(noisy[0], scores_fit)))
    report("always normal", scores, np.ones_like(scores))
    return ceiling


if __name__ == "__main__":
    main()
