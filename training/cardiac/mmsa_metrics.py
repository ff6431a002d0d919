"""Metrics of wall-motion scoring: the columns of the paper's Table II, confusion, Bland-Altman; numpy alone."""
import numpy as np

SCORES = ("normal", "hypokinetic", "akinetic", "dyskinetic")


def confusion(truth, predicted, classes=4):
    """Counts [true, predicted] of scores 1..classes."""
    truth, predicted = np.asarray(truth).ravel() - 1, np.asarray(predicted).ravel() - 1
    return np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def _share(part, whole):
    return part / whole if whole else float("nan")


def _pearson(x, y):
    x, y = x - x.mean(), y - y.mean()
    return _share(float((x * y).sum()), float(np.sqrt((x * x).sum() * (y * y).sum())))


def segment_metrics(truth, predicted):
    """Eq. 21, 23, 24 over segments of any shape: 4-way accuracy, recall and precision a class; abnormality (score > 1)
    accuracy, recall, precision and kappa = (acc - r0) / (1 - r0)."""
    counts = confusion(truth, predicted)
    total = counts.sum()
    hits = np.diag(counts)
    true, told = counts.sum(1), counts.sum(0)
    normal = counts[0, 0]
    abnormal = counts[1:, 1:].sum()
    accuracy = (normal + abnormal) / total
    chance = (true[0] * told[0] + (total - true[0]) * (total - told[0])) / total ** 2
    return {
        "segments": int(total),
        "accuracy": hits.sum() / total,
        "recall": [_share(h, n) for h, n in zip(hits, true)],
        "precision": [_share(h, n) for h, n in zip(hits, told)],
        "abnormal_accuracy": accuracy,
        "abnormal_recall": _share(abnormal, total - true[0]),
        "abnormal_precision": _share(abnormal, total - told[0]),
        "kappa": _share(accuracy - chance, 1 - chance),
        "confusion": counts.tolist(),
    }


def index_metrics(truth, predicted):
    """Motion score index, the mean of a subject's scores: scores [n,16] -> Pearson's rho (Eq. 22), Bland-Altman."""
    true, told = np.asarray(truth, float).mean(1), np.asarray(predicted, float).mean(1)
    difference = told - true
    bias, sd = difference.mean(), difference.std(ddof=1) if len(true) > 1 else float("nan")
    return {
        "subjects": len(true),
        "rho": _pearson(true, told),
        "bias": bias,
        "sd": sd,
        "limits": [bias - 1.96 * sd, bias + 1.96 * sd],
        "mean_absolute_error": np.abs(difference).mean(),
    }


def all_metrics(truth, predicted):
    """Both, of scores [n,16]."""
    result = segment_metrics(truth, predicted)
    result.update(index_metrics(truth, predicted))
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in result.items()}


def flow_metrics(flow, truth, mask):
    """Error of a flow: [...,2] each (radial, angular), in px, where mask holds. zero_*: of a flow of nothing."""
    flow, truth = flow[mask].astype(float), truth[mask].astype(float)
    error = flow - truth
    return {
        "pixels": int(mask.sum()),
        "end_point_error": np.hypot(error[:, 0], error[:, 1]).mean().item(),
        "zero_end_point_error": np.hypot(truth[:, 0], truth[:, 1]).mean().item(),
        "radial_error": np.abs(error[:, 0]).mean().item(),
        "zero_radial_error": np.abs(truth[:, 0]).mean().item(),
        "radial_correlation": _pearson(flow[:, 0], truth[:, 0]),
        "angular_correlation": _pearson(flow[:, 1], truth[:, 1]),
    }


def read_csv(path):
    """truth [n,16], predicted [n,16] and subjects of a CSV with the columns subject, segment, truth, predicted."""
    with open(path, encoding="utf-8") as file:
        rows = [line.split(",") for line in file.read().split()]
    if not rows:
        raise ValueError(f"{path}: is empty; expected a first line subject,segment,truth,predicted")
    column = {name: i for i, name in enumerate(rows[0])}
    missing = {"subject", "segment", "truth", "predicted"} - set(column)
    if missing:
        raise ValueError(f"{path}: no column {', '.join(sorted(missing))}; found {', '.join(rows[0])}")
    subjects = list(dict.fromkeys(row[column["subject"]] for row in rows[1:]))
    truth = np.zeros((len(subjects), 16), int)
    predicted = np.zeros_like(truth)
    place = {subject: i for i, subject in enumerate(subjects)}
    for row in rows[1:]:
        at = place[row[column["subject"]]], int(row[column["segment"]]) - 1
        truth[at], predicted[at] = int(row[column["truth"]]), int(row[column["predicted"]])
    if (truth == 0).any():
        raise ValueError(f"{path}: a subject lacks segments; each needs 1 to 16")
    return truth, predicted, subjects


def write_csv(path, subjects, truth, predicted):
    with open(path, "w", encoding="utf-8") as out:
        out.write("subject,segment,truth,predicted\n")
        for subject, true, told in zip(subjects, truth, predicted):
            for segment in range(16):
                out.write(f"{subject},{segment + 1},{true[segment]},{told[segment]}\n")
