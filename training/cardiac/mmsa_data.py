"""Sets of subjects for MMSA: a folder with one .npz each, from phantoms or from real slices.

A subject's file holds `rings` uint8 [3,t,80,192] (polar pictures of the basal, mid and apical slice), `scores` int64
[16] (1..4; 0: not scored) and, of a phantom, its `seed` and `jitter` (px of the landmarks, [3,3,2]).
"""
from pathlib import Path

import numpy as np

from . import polar

# Seeds of the sets lie far apart: nothing that is trained on is ever tested.
FIRST_SEED = {"train": 0, "test": 1_000_000, "validation": 2_000_000}


def jitter_of(seed, pixels):
    """Errors of the three landmarks of three slices, uniform within +-pixels."""
    return np.random.default_rng([seed, 77]).uniform(-1, 1, (3, 3, 2)) * pixels


def phantom_rings(phantom, jitter):
    """Polar pictures [3,t,80,192] of a phantom whose landmarks are off by `jitter` px."""
    slices = phantom.levels()
    rings = [polar.polar(slices[level], polar.geometry(*(phantom.landmarks(level) + jitter[level])),
                         polar.window(slices[level])) for level in range(3)]
    return np.stack(rings)


def phantom_name(seed):
    return f"phantom-{seed:08d}"


def write_phantom(folder, seed, jitter_px):
    """Writes one subject unless it is there; its name."""
    from . import cmr_phantom
    name = Path(folder) / f"{phantom_name(seed)}.npz"
    if not name.exists():
        phantom = cmr_phantom.Phantom(seed)
        jitter = jitter_of(seed, jitter_px)
        part = name.with_suffix(".part")
        with open(part, "wb") as out:
            np.savez(out, rings=phantom_rings(phantom, jitter), scores=np.array(phantom.truth().score[:]),
                     seed=seed, jitter=jitter)
        part.rename(name)
    return name


class Subject:
    """One subject of a set, read when made."""

    def __init__(self, path):
        self.name = Path(path).stem
        self.flows = self.flows_made_by = self._patient = None
        with np.load(path, allow_pickle=False) as file:
            missing = [key for key in ("rings", "scores") if key not in file]
            if missing:
                raise ValueError(f"{path}: holds no array '{missing[0]}'; expected rings and scores")
            self.rings, self.scores = file["rings"], file["scores"].astype(np.int64)
            self.seed = int(file["seed"]) if "seed" in file else None
            self.jitter = file["jitter"] if "jitter" in file else None
        shape = self.rings.shape
        if self.rings.dtype != np.uint8 or len(shape) != 4 or shape[0] != 3 or shape[2:] != (80, 192):
            raise ValueError(f"{path}: rings are {self.rings.dtype} {list(shape)}, expected uint8 [3,t,80,192]")
        if self.scores.shape != (16,) or self.scores.min() < 0 or self.scores.max() > 4:
            raise ValueError(f"{path}: scores must be 16 numbers 1..4, or 0 for segments that nobody scored")

    @property
    def phases(self):
        return self.rings.shape[1]

    def patient(self):
        """P_pat float32 [t,80,512]."""
        return polar.patient(*self.rings)

    def patient_cached(self):
        """The same, kept in 16 bits (rounding 2e-4) for training."""
        if self._patient is None:
            self._patient = self.patient().astype(np.float16)
        return self._patient.astype(np.float32)


def read_set(folder, limit=None):
    paths = sorted(Path(folder).glob("*.npz"))[:limit]
    if not paths:
        raise FileNotFoundError(f"{folder}: holds no subject (*.npz); write phantoms with make_mmsa_set.py")
    return [Subject(path) for path in paths]


def folds(subjects, count, seed):
    """Splits subjects into `count` folds with like shares of scores (the paper's Fig. 6): the subjects with the largest
    burden first, each to the fold that it brings nearest to the whole set's shares."""
    rng = np.random.default_rng(seed)
    counts = np.array([np.bincount(s.scores, minlength=5)[1:] for s in subjects], float)
    order = rng.permutation(len(subjects))
    order = order[np.argsort(-counts[order][:, 1:].sum(1), kind="stable")]
    target = counts.sum(0) / count
    scale = np.maximum(target, 1)
    filled, members = np.zeros((count, 4)), [[] for _ in range(count)]
    room = -(-len(subjects) // count)
    for i in order:
        before = ((filled - target) / scale) ** 2
        after = ((filled + counts[i] - target) / scale) ** 2
        cost = (after - before).sum(1)
        cost[[len(m) >= room for m in members]] = np.inf
        best = int(np.argmin(cost))
        filled[best] += counts[i]
        members[best].append(int(i))
    return [sorted(m) for m in members]


def column_angles():
    """Ring angle (radians after the anterior insertion) of each column's centre of P_pat [512], and columns' widths."""
    degrees, width = np.empty(512), np.empty(512)
    for segment in range(16):
        if segment < 12:
            begin, step = 60 * ((segment % 6 + 5) % 6), 60 / 32
        else:
            begin, step = 15 + 90 * ((segment - 12 + 3) % 4), 90 / 32
        degrees[32 * segment:32 * segment + 32] = begin + (np.arange(32) + 0.5) * step
        width[32 * segment:32 * segment + 32] = step
    return np.radians(degrees), np.radians(width)


def true_flow(phantom, step, jitter=None):
    """u [t,80,512,2] (radial, angular; px of P_pat) from phase j to j + step, and where the LV wall lies [t,80,512]."""
    phases = phantom.settings.phases
    flow = np.zeros((phases, 80, 512, 2))
    wall = np.zeros((phases, 80, 512), bool)
    angles, widths = column_angles()
    for level, columns in enumerate((slice(0, 192), slice(192, 384), slice(384, 512))):
        marks = phantom.landmarks(level) + (0 if jitter is None else jitter[level])
        place = polar.geometry(*marks)
        pixel = place.side / polar.SIDE
        radius, angle = np.meshgrid(np.arange(80) + 0.5, angles[columns], indexing="ij")
        direction = place.angle0 + place.sense * angle
        points = np.stack([place.centre[0] + pixel * radius * np.cos(direction),
                           place.centre[1] + pixel * radius * np.sin(direction)], -1).reshape(-1, 2)
        number = phantom.level_slice(level)
        for phase in range(phases):
            moved, tissue = phantom.displace(number, phase, (phase + step) % phases, points)
            dx, dy = (moved - place.centre).T / pixel
            new_angle = place.sense * (np.arctan2(dy, dx) - place.angle0)
            turned = np.remainder(new_angle - angle.ravel() + np.pi, 2 * np.pi) - np.pi
            flow[phase, :, columns, 0] = (np.hypot(dx, dy) - radius.ravel()).reshape(radius.shape)
            flow[phase, :, columns, 1] = turned.reshape(radius.shape) / widths[columns]
            wall[phase, :, columns] = (tissue == 2).reshape(radius.shape)
    return flow, wall
