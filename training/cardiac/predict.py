"""Predictions of MReg as rows, the same columns that a pipeline's results give."""
import csv

import torch

from .samples import normalise
from .videos import encode_videos, run_videos

COLUMNS = ("seed", "label", "grade", "value", "p0", "p1", "p2", "presence", "instance", "state")
TRUTH_COLUMNS = ("jet", "severity", "best")
UNSURE_BAND = 0.1


def state_of(value, grade, presence, thresholds):
    """RESULT, or UNSURE: near a border, or the presence of regurgitation contradicts the grade."""
    near = any(abs(value - border) <= UNSURE_BAND for border in thresholds)
    return "UNSURE" if near or (presence >= 0.5) != (grade > 0) else "RESULT"


def rows_of(model, outputs, numbers, labels):
    """One row a video of run_videos()' outputs; labels may hold None."""
    rows = []
    for b, (number, label) in enumerate(zip(numbers, labels)):
        instance, grade = int(outputs["selected"][b]), int(outputs["grade"][b])
        value = float(outputs["value"][b])
        row = {"seed": int(number), "label": "" if label is None else int(label), "grade": grade, "value": value}
        row.update({f"p{k}": float(p) for k, p in enumerate(outputs["probabilities"][b])})
        presence_all = outputs["presence_all"][b]
        row["presence"] = float(presence_all[instance if len(presence_all) > 1 else 0])
        row["instance"] = instance
        row["state"] = state_of(value, grade, row["presence"], model.config["thresholds"])
        rows.append(row)
    return rows


@torch.no_grad()
def predict(model, batch, autocast):
    """(rows, z, p) of a collated batch; `autocast()` is the context of the backbone."""
    with autocast():
        _, p, z = encode_videos(model, normalise(batch["clips"], model.config))
    z, p = z.float(), p.float()
    outputs = run_videos(model, z, p, batch["number"])
    return rows_of(model, outputs, batch["number"], batch["grade"]), z, p


def write_rows(path, rows):
    """Write rows as CSV; numbers with nine digits, so that float32 comes back exactly."""
    names = [name for name in (*COLUMNS, *TRUTH_COLUMNS) if name in rows[0]]
    names += [name for name in rows[0] if name not in names]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.9g}" if isinstance(v, float) else v for k, v in row.items()})
