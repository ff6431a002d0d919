#!/usr/bin/env python3
"""evaluate_phantoms.py BUILD: cardiac-evaluate-phantoms grades recordings with the demonstration weights. Labels follow
the stated rule, an interrupted file is resumed without a recording twice, and jets painted into a grey recording are
there and where they should be. Exit status 77: elements are missing."""
import csv
import json
import os
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(sys.argv[1])
TOOL = os.path.join(BUILD, "gst", "tools", "cardiac-evaluate-phantoms")
# The grey recording: the phantom's own tissue, one beat of 1 s at 25 frames a second. Its sector begins at (300, 42) of
# the screen, 372 pixels hold the depth of 16 cm.
GREY = ["echotestsrc", "colour=false", "heart-rate=60", "num-buffers=25"]
ANATOMY = {"apex": [300, 42], "pixels_per_cm": 372 / 16, "beat": [0, 24], "tissue": 90,
           "settings": {"heart_rate": 60, "phase": 0, "systole": 0.4, "heart_x": 0.6, "heart_y": 2.9, "tilt": 0.02,
                        "scale": 1, "depth": 16, "colour_noise": 0, "swirl": 0, "pulmonary_vein": 0}}


def launch(*elements):
    environment = dict(os.environ, GST_PLUGIN_PATH=os.path.join(BUILD, "gst"))
    return subprocess.run(["gst-launch-1.0", "-q", *elements], capture_output=True, text=True, env=environment)


def evaluate(path, *options):
    done = subprocess.run([TOOL, "--quiet", "--size=160x120", *options, path],
                          capture_output=True, text=True)
    return done.returncode, done.stderr.strip()


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def phantoms_are_labelled_by_the_rule(folder):
    path = os.path.join(folder, "phantoms.csv")
    assert evaluate(path, "--count=3", "--region=truth") == (0, "")
    rows = read(path)
    assert [r["seed"] for r in rows] == ["0", "1", "2"]
    for row in rows:
        severity = float(row["severity"])
        clips = [float(row[f"severity{k}"]) for k in range(3)]
        assert int(row["label"]) == (severity >= 0.05) + (severity >= 0.2)
        assert severity == max(clips) == clips[int(row["best_instance"])]
        assert row["state"] in ("RESULT", "UNSURE"), row["state"]
        probabilities = [float(row[f"p{k}"]) for k in range(3)]
        assert abs(sum(probabilities) - 1) < 1e-3
        assert row["jet"] in ("none", "central", "eccentric", "multiple")
        assert (row["jet"] == "none") == (severity == 0)
        positive = int(row["label"]) > 0 and int(row["grade"]) > 0
        # A map without any activation has no peak.
        allowed = ("0", "1", "") if positive else ("",)
        assert row["peak_in_jet"] in allowed and row["peak_in_largest_jet"] in allowed


def an_interrupted_file_is_resumed(folder):
    path = os.path.join(folder, "phantoms.csv")
    with open(path, encoding="utf-8") as file:
        before = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(before[:-9])
    assert evaluate(path, "--count=4", "--region=truth") == (0, "")
    with open(path, encoding="utf-8") as file:
        after = file.read()
    assert after.startswith(before), "the same lines again"
    assert [r["seed"] for r in read(path)] == ["0", "1", "2", "3"]


def a_plan_of_grades_can_be_shared_by_processes(folder):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "training"))
    from cardiac.seeds import interleaved
    path = os.path.join(folder, "plan.csv")
    for part in ("0/2", "1/2"):
        assert evaluate(path, "--first=900", "--grades=2,1,1", f"--part={part}", "--region=whole") == (0, "")
    rows = sorted((int(r["seed"]), int(r["label"])) for r in read(path))
    assert rows == [(900 + i, grade) for i, grade in enumerate(interleaved([2, 1, 1]))]


def another_file_is_left_alone(folder):
    path = os.path.join(folder, "other.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("name,colour\n")
    code, text = evaluate(path, "--count=1")
    assert code == 1 and path in text, text
    with open(path, encoding="utf-8") as file:
        assert file.read() == "name,colour\n"


def jets_are_painted_into_a_grey_recording(folder):
    grey, anatomy = os.path.join(folder, "grey.mkv"), os.path.join(folder, "anatomy.json")
    done = launch(*GREY, "!", "videoconvert", "!", "avenc_ffv1", "!", "matroskamux", "!", "filesink", f"location={grey}")
    assert done.returncode == 0, done.stderr
    with open(anatomy, "w", encoding="utf-8") as file:
        json.dump(ANATOMY, file)
    path = os.path.join(folder, "painted.csv")
    clips = os.path.join(folder, "clips")
    assert evaluate(path, "--count=2", "--grade=2", "--region=truth", f"--video={grey}", f"--anatomy={anatomy}",
                    f"--write={clips}") == (0, "")
    rows = read(path)
    assert [r["label"] for r in rows] == ["2"] * 2, rows
    # Without colour there would be no grade.
    assert all(r["state"] in ("RESULT", "UNSURE") for r in rows), [r["state"] for r in rows]
    assert sorted(os.listdir(clips)) == [f"{i:06d}-grade2.mkv" for i in range(2)]

    ANATOMY["settings"]["hart_rate"] = 60
    with open(anatomy, "w", encoding="utf-8") as file:
        json.dump(ANATOMY, file)
    code, text = evaluate(path, "--count=4", f"--video={grey}", f"--anatomy={anatomy}")
    assert code == 1 and anatomy in text and "hart_rate" in text, text

    for video in (os.path.join(folder, "none.mkv"), anatomy):
        code, text = evaluate(path, "--count=1", f"--video={video}", f"--anatomy={anatomy}")
        assert code == 1 and video in text, text


def main():
    for element in ("avenc_ffv1", "matroskamux", "videoconvert"):
        if subprocess.run(["gst-inspect-1.0", "--exists", element], check=False).returncode:
            print(f"skipped: no {element}")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        phantoms_are_labelled_by_the_rule(folder)
        an_interrupted_file_is_resumed(folder)
        a_plan_of_grades_can_be_shared_by_processes(folder)
        another_file_is_left_alone(folder)
        jets_are_painted_into_a_grey_recording(folder)


if __name__ == "__main__":
    main()
