#!/usr/bin/env python3
"""cine_mr.py BUILD FALLBACK_MODEL: cine MR from files to scores, as a user runs it.

A made-up stack always; a real patient where $GST_CARDIAC_TEST_DATA (default: ../shared/data beside the project) holds
one. The same heart must give the same polar pictures and scores as DICOM, as NIfTI and under shuffled file names, and
nearly the same ones turned by 37 degrees and mirrored with its landmarks. Exit status 77 without numpy.
"""
import gzip
import json
import math
import os
import random
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("skipped: no numpy")
    sys.exit(77)

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DATA = os.environ.get("GST_CARDIAC_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
PATIENT = os.path.join(DATA, "cmr", "SCD0000301")
LEVELS = ("basal", "mid", "apical")
POINTS = ("lv_centre_xy", "rv_insertion_anterior_xy", "rv_insertion_inferior_xy")
KEYS = ["schema", "type", "state", "reason", "pts_ns", "spans_ns", "scores", "index", "scored", "model", "device",
        "precision", "inference_ms", "version"]
failures, skips = [], []


def check(name, condition, what):
    print(("ok   " if condition else "FAIL ") + f"{name}: {what}", flush=True)
    if not condition:
        failures.append(name)
    return condition


# ---- stacks --------------------------------------------------------------------------------------------------------

def nifti_header(phases, slices, rows, columns):
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 4, columns, rows, slices, phases, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 512, 16)
    struct.pack_into("<8f", header, 76, 1, 1.3, 1.3, 8, 0.045, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    header[123] = 2 | 8  # mm and s
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, -1.3, 0, 0, 90, 0, -1.3, 0, 90, 0, 0, -8, 60)
    header[344:348] = b"n+1\0"
    return header


def write_nifti(path, stack, header=None):
    """stack uint16 [phase, slice, row, column]; an original's header keeps spacing, times and directions."""
    header = bytearray(header or nifti_header(*stack.shape))
    struct.pack_into("<8h", header, 40, 4, *stack.shape[::-1], 1, 1, 1)
    with open(path, "wb") as file:
        file.write(header)
        file.write(np.ascontiguousarray(stack, "<u2").tobytes())
    return path


def read_nifti(path):
    with gzip.open(path) as file:
        data = file.read()
    columns, rows, slices, phases = struct.unpack("<4h", data[42:50])
    offset = int(struct.unpack("<f", data[108:112])[0])
    stack = np.frombuffer(data, "<u2", offset=offset, count=phases * slices * rows * columns)
    return stack.reshape(phases, slices, rows, columns), data[:offset]


def write_landmarks(path, levels):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"levels": levels}, file)
    return path


def made_up(phases=20, slices=5, size=128):
    """A ring that contracts, with an RV beside it, and where its landmarks are."""
    y, x = np.mgrid[:size, :size].astype(float)
    stack = np.zeros((phases, slices, size, size), np.uint16)
    levels = {}
    for s in range(slices):
        centre, outer = (66.0 + s, 60.0 - s), 24.0 - 2 * s
        dx, dy = x - centre[0], y - centre[1]
        radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
        right = np.hypot(dx + outer + 6, dy) < outer * 0.9
        for t in range(phases):
            squeeze = 0.62 - 0.16 * math.sin(math.pi * t / phases) ** 2 * (1 + 0.5 * np.cos(angle))
            grey = 120 + 20 * np.cos(x / 7) + 200 * right
            grey[radius < outer] = 90
            grey[radius < outer * squeeze] = 480
            grey[np.hypot(x - size / 2, y - size / 2) > size / 2 - 4] = 0
            stack[t, s] = grey
        insertions = [(centre[0] + outer * math.cos(a), centre[1] + outer * math.sin(a)) for a in (-2.3, 2.3)]
        for level, name in ((0, "basal"), (slices // 2, "mid"), (slices - 1, "apical")):
            if s == level:
                levels[name] = dict(zip(POINTS, (centre, *insertions)), slice=s)
    return stack, levels


def turn(stack, levels, degrees):
    """Turned about the middle, then mirrored; landmarks likewise. The canvas stays, so that grey levels do: what comes
    from outside is black, as the corners of pictures are."""
    rows, columns = stack.shape[2:]
    size = max(rows, columns)
    angle, middle = math.radians(degrees), (size - 1) / 2
    cosine, sine = math.cos(angle), math.sin(angle)
    y, x = np.mgrid[:size, :size] - middle
    x = -x  # mirrored
    u = np.clip(cosine * x + sine * y + (columns - 1) / 2, -1, columns) + 1
    v = np.clip(-sine * x + cosine * y + (rows - 1) / 2, -1, rows) + 1
    left, top = np.minimum(np.floor(u), columns).astype(int), np.minimum(np.floor(v), rows).astype(int)
    along, down = u - left, v - top
    padded = np.pad(stack, ((0, 0), (0, 0), (1, 1), (1, 1))).astype(float)
    upper = padded[..., top, left] * (1 - along) + padded[..., top, left + 1] * along
    lower = padded[..., top + 1, left] * (1 - along) + padded[..., top + 1, left + 1] * along
    turned = np.round(upper * (1 - down) + lower * down).astype(np.uint16)
    moved = {}
    for name, level in levels.items():
        moved[name] = dict(level)
        for key in POINTS:
            dx, dy = level[key][0] - (columns - 1) / 2, level[key][1] - (rows - 1) / 2
            moved[name][key] = (middle - (cosine * dx - sine * dy), middle + sine * dx + cosine * dy)
    return turned, moved


# ---- pipelines -----------------------------------------------------------------------------------------------------

class Project:
    def __init__(self, build, model):
        self.environment = dict(os.environ, GST_PLUGIN_PATH=os.path.join(build, "gst"),
                                CARDIAC_BACKEND_PATH=os.path.join(build, "engine/backends/cpu"))
        self.model = model
        with open(model, "rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            metadata = json.loads(file.read(length))["__metadata__"]
        self.trained = json.loads(metadata["gst_cardiac.card"]).get("trained", True)

    def launch(self, *words):
        done = subprocess.run(["gst-launch-1.0", "-q", *words], capture_output=True, text=True, env=self.environment)
        if done.returncode or "ERROR" in done.stderr:
            raise RuntimeError(" ".join(words) + "\n" + done.stderr + done.stdout)

    def polar(self, stack, landmarks, folder):
        """Polar pictures uint8 [3,t,80,192]."""
        words = ["cmrcinesrc", "name=s", f"location={stack}", f"landmarks={landmarks}"]
        for level in LEVELS:
            words += [f"s.{level}", "!", "cmrpolar", "!", "queue", "!", "filesink", f"location={folder}/{level}.gray",
                      "async=false"]
        self.launch(*words)
        return np.stack([np.fromfile(f"{folder}/{level}.gray", np.uint8).reshape(-1, 80, 192) for level in LEVELS])

    def scores(self, stack, landmarks, folder):
        lines = f"{folder}/r.jsonl"
        words = ["cmrcinesrc", "name=s", f"location={stack}", f"landmarks={landmarks}", "mmsascore", "name=m",
                 f"model={self.model}", f"results-location={lines}", "!", "fakesink"]
        for level in LEVELS:
            words += [f"s.{level}", "!", "cmrpolar", "!", f"m.{level}"]
        self.launch(*words)
        with open(lines, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        assert len(records) == 1 and records[0]["state"] == "RESULT", records
        return records[0]


def count_frames(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-count_packets", "-show_entries",
                           "stream=nb_read_packets", "-of", "csv=p=0", path], capture_output=True, text=True)
    return int(done.stdout.strip().strip(","))


def the_script_writes_what_it_promises(project, name, stack, landmarks, phases, out):
    words = [os.path.join(ROOT, "pipelines/cine-mr.sh"), stack, out, "--landmarks", landmarks, "--model", project.model]
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=os.path.dirname(out))
    if not check(name, done.returncode == 0, f"exit status {done.returncode} {done.stderr.splitlines()[-1:]}"):
        return
    with open(os.path.join(out, "results.jsonl"), encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    check(name, len(records) == 1 and records[0]["state"] == "RESULT", "one record, a result")
    check(name, [k for k in KEYS if k in records[0]] == list(records[0]), "keys in their order, none unknown")
    scores = records[0]["scores"]
    check(name, len(scores) == 16 and set(scores) <= {1, 2, 3, 4} and records[0]["scored"] == 16, f"scores {scores}")
    check(name, abs(records[0]["index"] - sum(scores) / 16) < 1e-6, f"index {records[0]['index']}")
    check(name, json.loads(done.stdout.splitlines()[-1]) == records[0], "prints the result")
    for file, start in (("bullseye.png", b"\x89PNG"), ("frame.png", b"\x89PNG"), ("bullseye.svg", b"<?xml")):
        with open(os.path.join(out, file), "rb") as opened:
            check(name, opened.read(len(start)) == start, file)
    try:
        frames = count_frames(os.path.join(out, "annotated.mkv"))
        check(name, frames == phases, f"{frames} frames of {phases} phases")
    except FileNotFoundError:
        skips.append("no ffprobe: frames of annotated.mkv are not counted")


def bad_input_is_one_sentence_that_names_it(name, words, expected, folder):
    done = subprocess.run([os.path.join(ROOT, "pipelines/cine-mr.sh"), *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, cwd=folder)
    last = done.stderr.splitlines()[-1] if done.stderr else ""
    check(name, done.returncode == 1 and expected in last, f"exit status {done.returncode}, says {last!r}")


def a_turned_heart_is_the_same(project, name, stack, header, levels, folder):
    straight = write_nifti(f"{folder}/straight.nii", stack, header)
    landmarks = write_landmarks(f"{folder}/straight.json", levels)
    turned, moved = turn(stack, levels, 37)
    turned = write_nifti(f"{folder}/turned.nii", turned, header)
    moved = write_landmarks(f"{folder}/turned.json", moved)
    one, two = project.polar(straight, landmarks, folder), project.polar(turned, moved, folder)
    difference = np.abs(one.astype(int) - two)
    stays = np.abs(one.astype(int) - np.roll(two, 5, -1)).mean()  # 9 degrees off
    check(name, difference.mean() < 6 and difference.mean() < stays / 2,
          f"polar pictures differ by {difference.mean():.2f} grey levels; 9 degrees off they do by {stays:.2f}")
    if not project.trained:
        skips.append(f"{name}: scores are not compared, the weights of {os.path.basename(project.model)} are untrained")
        return
    first, second = (project.scores(*files, folder)["scores"] for files in ((straight, landmarks), (turned, moved)))
    off = [abs(a - b) for a, b in zip(first, second)]
    check(name, sum(d == 0 for d in off) >= 14 and max(off) <= 1, f"scores {first} and {second}")


def a_patient_is_the_same_in_every_form(project, folder):
    landmarks = os.path.join(PATIENT, "landmarks.json")
    dicom, nifti = os.path.join(PATIENT, "dicom"), os.path.join(PATIENT, "SCD0000301_sax_4d.nii.gz")
    shuffled = os.path.join(folder, "shuffled")
    os.mkdir(shuffled)
    names = sorted(os.listdir(dicom))
    numbers = random.Random(3).sample(range(10 ** 6), len(names))
    for name, number in zip(names, numbers):
        os.symlink(os.path.join(os.path.abspath(dicom), name), os.path.join(shuffled, f"IM{number:06}"))
    reference = project.polar(dicom, landmarks, folder)
    scores = project.scores(dicom, landmarks, folder)
    for name, form in (("as NIfTI", nifti), ("under shuffled names", shuffled)):
        same = project.polar(form, landmarks, folder)
        check(name, same.shape == reference.shape and (same == reference).all(), "the same polar pictures")
        other = project.scores(form, landmarks, folder)
        check(name, other["scores"] == scores["scores"] and other["index"] == scores["index"], "the same scores")


def main():
    build, fallback = map(os.path.abspath, sys.argv[1:])
    demo = os.path.join(ROOT, "models/mmsa-demo.safetensors")
    project = Project(build, demo if os.path.exists(demo) else fallback)
    with tempfile.TemporaryDirectory(prefix="cine-mr-") as folder:
        stack, levels = made_up()
        a_turned_heart_is_the_same(project, "made-up heart, turned and mirrored", stack, None, levels, folder)
        the_script_writes_what_it_promises(project, "script", f"{folder}/straight.nii", f"{folder}/straight.json", 20,
                                           f"{folder}/out")
        bad_input_is_one_sentence_that_names_it("no such input", ["nowhere"], "nowhere", folder)
        bad_input_is_one_sentence_that_names_it(
            "no landmarks file", [f"{folder}/straight.nii", "--landmarks", "gone.json"], "gone.json", folder)
        empty = os.path.join(folder, "empty")
        os.mkdir(empty)
        bad_input_is_one_sentence_that_names_it(
            "empty directory", [empty, f"{folder}/x", "--model", project.model], empty, folder)
        if os.path.isdir(PATIENT):
            a_patient_is_the_same_in_every_form(project, folder)
            with open(os.path.join(PATIENT, "landmarks.json"), encoding="utf-8") as file:
                levels = json.load(file)["levels"]
            stack, header = read_nifti(os.path.join(PATIENT, "SCD0000301_sax_4d.nii.gz"))
            a_turned_heart_is_the_same(project, "patient, turned and mirrored", stack, header, levels, folder)
        else:
            skips.append(f"no real cine MR at {PATIENT}")
    for skip in skips:
        print(f"not run: {skip}")
    sys.exit(1 if failures else 0)


main()
