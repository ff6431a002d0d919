"""polar_oracle.py ENGINE_LIBRARY: polar pictures of the engine against the numpy ones, and against themselves turned.

Both are written from the same description, apart from each other. Real cine MR is used where GST_CARDIAC_TEST_DATA
(default ../shared/data beside the project) holds it.
"""
import ctypes
import gzip
import json
import math
import os
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))
try:
    import numpy as np
except ImportError:
    print("skipped: no numpy")
    sys.exit(77)
from cardiac import polar  # noqa: E402


class CGeometry(ctypes.Structure):
    _fields_ = [("centre", ctypes.c_double * 2), ("side", ctypes.c_double), ("angle0", ctypes.c_double),
                ("sense", ctypes.c_double)]


class Engine:
    """The C functions under the names and shapes of cardiac.polar."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.cardiac_polar_map_new.restype = ctypes.c_void_p
        for name in ("cardiac_polar_geometry", "cardiac_polar_map_run8", "cardiac_polar_map_run16"):
            getattr(self.library, name).restype = ctypes.c_bool

    def geometry(self, centre, anterior, inferior, side=0):
        points = (ctypes.c_double * 6)(*centre, *anterior, *inferior)
        place = CGeometry()
        assert self.library.cardiac_polar_geometry(points, ctypes.c_double(side), ctypes.byref(place), None)
        return place

    def polar(self, pictures, place, low_high=None):
        height, width = pictures.shape[1:]
        out = np.empty((len(pictures), polar.ROWS, polar.COLUMNS), np.uint8)
        polar_map = ctypes.c_void_p(self.library.cardiac_polar_map_new(ctypes.byref(place), width, height, None))
        assert polar_map
        for picture, result in zip(np.ascontiguousarray(pictures), out):
            arguments = [polar_map, ctypes.c_void_p(picture.ctypes.data), ctypes.c_ssize_t(picture.strides[0])]
            end = [ctypes.c_void_p(result.ctypes.data), None]
            if picture.dtype == np.uint8:
                assert self.library.cardiac_polar_map_run8(*arguments, *end)
            else:
                assert self.library.cardiac_polar_map_run16(*arguments, *map(ctypes.c_double, low_high), *end)
        self.library.cardiac_polar_map_free(ctypes.byref(polar_map))
        return out

    def patient(self, basal, mid, apical):
        out = np.empty((len(basal), 80, 512), np.float32)
        for t in range(len(out)):
            pointers = [ctypes.c_void_p(np.ascontiguousarray(level[t]).ctypes.data) for level in (basal, mid, apical)]
            self.library.cardiac_polar_segments(*pointers, ctypes.c_void_p(out[t].ctypes.data))
        return out


def heart(height, width, landmarks, phase=0.0):
    """A smooth short-axis slice: cavity, wall, RV and lungs where the landmarks put them. uint16 up to ~1000."""
    place = polar.geometry(*landmarks, side=1)
    y, x = np.mgrid[:height, :width].astype(float)
    dx, dy = x - place.centre[0], y - place.centre[1]
    unit = np.hypot(*np.subtract(landmarks[1], landmarks[0]))
    radius = np.hypot(dx, dy) / unit
    theta = place.sense * (np.arctan2(dy, dx) - place.angle0)

    def edge(value, width=0.08):
        return 1 / (1 + np.exp(-value / width))

    wall = 1 + 0.06 * np.cos(2 * theta)
    cavity = edge((0.62 + 0.08 * math.cos(phase)) * (1 + 0.05 * np.cos(theta - 1)) - radius)
    outside = edge(radius - wall)
    right = edge(0.5 * np.cos(theta - 1) - np.abs(radius - 1.4))
    texture = 1 + 0.2 * np.cos(5 * radius + 3 * np.cos(theta)) * np.cos(3 * theta)
    return (150 + 700 * cavity + outside * (100 * texture + 600 * right)).astype(np.uint16)


def turned(landmarks, degrees, mirrored, size):
    """The same points in a picture that is turned about its middle, and mirrored."""
    middle = (size - 1) / 2
    angle = math.radians(degrees)
    points = []
    for x, y in landmarks:
        dx, dy = x - middle, y - middle
        dx, dy = math.cos(angle) * dx - math.sin(angle) * dy, math.sin(angle) * dx + math.cos(angle) * dy
        points.append((middle - dx if mirrored else middle + dx, middle + dy))
    return points


HEART = [(97.3, 101.8), (75.1, 79.4), (72.6, 121.7)]


def the_engine_agrees_with_numpy(engine):
    cases = [(160, 200, HEART, 0), (160, 200, HEART, 60), (250, 210, HEART, 170),
             (400, 400, [(199, 180), (120, 91), (95, 260)], 0), (110, 120, HEART, 0), (80, 400, [(3, 40), (30, 40), (3, 70)], 0)]
    for height, width, landmarks, side in cases:
        pictures = np.stack([heart(height, width, landmarks, phase) for phase in np.linspace(0, 6, 4)])
        window = polar.window(pictures)
        ours = engine.polar(pictures, engine.geometry(*landmarks, side), window)
        theirs = polar.polar(pictures, polar.geometry(*landmarks, side), window)
        compare(ours, theirs, f"{width} x {height}, side {side}")
        flat = polar.to_grey(pictures, window).astype(np.uint8)
        compare(engine.polar(flat, engine.geometry(*landmarks, side)),
                polar.polar(flat, polar.geometry(*landmarks, side)), f"8 bits, {width} x {height}, side {side}")


def compare(ours, theirs, what, mean=0.01, most=1):
    difference = np.abs(ours.astype(int) - theirs)
    print(f"{what}: mean difference {difference.mean():.5f}, largest {difference.max()}")
    assert difference.mean() <= mean and difference.max() <= most, what
    assert theirs.std() > 10, "a picture without content proves nothing"


def noise_agrees_too(engine):
    pictures = np.random.default_rng(5).integers(0, 256, (3, 200, 160), np.uint8)
    compare(engine.polar(pictures, engine.geometry(*HEART)), polar.polar(pictures, polar.geometry(*HEART)), "noise")


def turning_and_mirroring_change_nothing(engine):
    size = 200
    straight = heart(size, size, HEART)[None]
    window = polar.window(straight)
    reference = engine.polar(straight, engine.geometry(*HEART), window)
    for degrees in (0, 37, 180, 251):
        for mirrored in (False, True):
            landmarks = turned(HEART, degrees, mirrored, size)
            picture = heart(size, size, landmarks)[None]
            result = engine.polar(picture, engine.geometry(*landmarks), window)
            difference = np.abs(result.astype(int) - reference)
            print(f"turned by {degrees}, mirrored {mirrored}: mean {difference.mean():.3f}, "
                  f"99 % {np.percentile(difference, 99):.1f}")
            assert difference.mean() < 1.0 and np.percentile(difference, 99) <= 6
    flipped = np.ascontiguousarray(straight[:, :, ::-1])
    exact = engine.polar(flipped, engine.geometry(*turned(HEART, 0, True, size)), window)
    compare(exact, reference, "mirrored pixels")
    wrong = engine.polar(flipped, engine.geometry(*HEART), window)
    assert np.abs(wrong.astype(int) - reference).mean() > 5, "landmarks that stay behind must be seen"


def segments_agree(engine):
    levels = np.random.default_rng(7).integers(0, 256, (3, 2, 80, 192), np.uint8)
    difference = np.abs(engine.patient(*levels) - polar.patient(*levels)).max()
    print(f"segments: largest difference {difference:.2e}")
    assert difference < 1e-6


def read_nifti(path):
    data = gzip.open(path).read()
    columns, rows, slices, phases = struct.unpack("<4h", data[42:50])
    offset = int(struct.unpack("<f", data[108:112])[0])
    return np.frombuffer(data, "<u2", offset=offset).reshape(phases, slices, rows, columns)


def a_real_patient_agrees(engine):
    folder = Path(os.environ.get("GST_CARDIAC_TEST_DATA", ROOT.parent / "shared/data")) / "cmr/SCD0000301"
    if not folder.is_dir():
        print(f"not run: no real cine MR at {folder}")
        return
    pictures = read_nifti(folder / "SCD0000301_sax_4d.nii.gz")
    levels = json.loads((folder / "landmarks.json").read_text())["levels"]
    for name, level in levels.items():
        points = [level[key] for key in ("lv_centre_xy", "rv_insertion_anterior_xy", "rv_insertion_inferior_xy")]
        stack = pictures[:, level["slice"]]
        window = polar.window(stack)
        compare(engine.polar(stack, engine.geometry(*points), window),
                polar.polar(stack, polar.geometry(*points), window), f"patient, {name}")


def main():
    engine = Engine(sys.argv[1])
    the_engine_agrees_with_numpy(engine)
    noise_agrees_too(engine)
    turning_and_mirroring_change_nothing(engine)
    segments_agree(engine)
    a_real_patient_agrees(engine)


main()
