#!/usr/bin/env python3
"""pipelines/quickstart.sh as a user runs it, on generated recordings and, where $GST_CARDIAC_TEST_DATA (default:
../shared/data beside the project) has them, on real ones: the review video has as many frames at the same times, the
state is the expected one, and bad files end in one message that names them. Exit status 77 without FFmpeg."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import pydicom
except ImportError:
    pydicom = None

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DATA = os.path.abspath(os.environ.get("GST_CARDIAC_TEST_DATA", os.path.join(ROOT, "..", "shared", "data")))
KEYS = ["schema", "type", "state", "reason", "pts_ns", "spans_ns", "instance", "instances", "grade", "label", "value",
        "probabilities", "presence", "curve", "roi", "scores", "index", "scored", "model", "device", "precision",
        "inference_ms", "version"]
failures = []


def quickstart(recording, out):
    # No recording: the script draws one.
    done = subprocess.run([os.path.join(ROOT, "pipelines", "quickstart.sh"), recording or "", out], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, cwd=os.path.dirname(out))
    return done.returncode, done.stdout, done.stderr


def times(path):
    """Of all frames, in seconds."""
    if path.endswith(".dcm"):
        head = pydicom.dcmread(path, stop_before_pixels=True)
        return [i * float(head.FrameTime) / 1000 for i in range(int(head.NumberOfFrames))]
    text = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of",
                           "csv=p=0", path], check=True, capture_output=True, text=True).stdout
    return sorted(float(line.strip(",")) for line in text.split())


def check(name, condition, what):
    print(("ok   " if condition else "FAIL ") + f"{name}: {what}")
    if not condition:
        failures.append(name)


def good(name, recording, state, out):
    code, stdout, stderr = quickstart(recording, out)
    check(name, code == 0, f"exit status {code} {stderr.splitlines()[-1:]}")
    if code:
        return
    with open(os.path.join(out, "results.jsonl"), encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    last = [r for r in records if r["type"] == "mreg"][-1]
    check(name, last["state"] in state, f"state {last['state']}, {state} expected")
    check(name, all([k for k in KEYS if k in r] == list(r) for r in records), "keys in their order, none unknown")
    check(name, all(("grade" in r) == (r["state"] in ("RESULT", "UNSURE")) for r in records),
          "a grade in RESULT and UNSURE only")
    check(name, last["model"]["trained"] is False or last["model"]["synthetic"] is not None, "provenance")
    recording = recording or os.path.join(out, "generated.mkv")
    before, after = times(recording), times(os.path.join(out, "annotated.mkv"))
    check(name, len(before) == len(after), f"{len(after)} frames, {len(before)} expected")
    # Matroska counts milliseconds
    worst = max((abs(a - b) for a, b in zip(before, after)), default=1)
    check(name, worst <= 0.00051, f"times differ by at most {worst * 1e3:.2f} ms")
    with open(os.path.join(out, "frame.png"), "rb") as file:
        check(name, file.read(8) == b"\x89PNG\r\n\x1a\n", "frame.png is a PNG")
    paths = [os.path.join(out, n) for n in ("annotated.mkv", "results.jsonl", "frame.png")]
    lines = stdout.splitlines()
    check(name, lines[:3] == paths and json.loads(lines[3]) == last, "prints the paths and the last result")


def drawn_as_announced(out):
    with open(os.path.join(out, "generated.json"), encoding="utf-8") as file:
        truth = json.load(file)
    check("generated", truth["recording"]["grade"] == 2, f"grade {truth['recording']['grade']} drawn, 2 announced")
    check("generated", len(truth["frames"]["pts_ns"]) == len(times(os.path.join(out, "generated.mkv"))),
          "the truth of every frame")


def bad(name, recording, word, out, script="quickstart"):
    code, _, stderr = quickstart(recording, out)
    lines = [line for line in stderr.splitlines() if line.startswith(script + ":")]
    check(name, code != 0 and len(lines) == 1 and recording in lines[0] and word in lines[0],
          f"exit status {code}, {lines}")


def encode(path, *options, source=None, filters="null"):
    """A recording made of `source`: a file, or a filter's name with its options."""
    given = ["-i", source] if os.path.exists(source) else ["-f", "lavfi", "-i", source]
    subprocess.run(["ffmpeg", "-y", "-v", "error", *given, "-vf", filters, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p",
                    *options, path], check=True)
    return path


def main():
    if not shutil.which("ffmpeg"):
        print("skipped: no ffmpeg")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        def at(name):
            return os.path.join(folder, name)
        graded = ("RESULT", "UNSURE")
        good("generated", None, graded, at("generated"))
        drawn_as_announced(at("generated"))
        phantom = os.path.join(at("generated"), "generated.mkv")
        good("AVI", encode(at("colour.avi"), "-c:v", "mjpeg", "-q:v", "3", source=phantom), graded, at("avi"))
        good("MP4 with spaces", encode(at("a recording.mp4"), "-c:v", "libx264", source=phantom), graded, at("m p4"))
        good("variable rate", encode(at("vfr.mkv"), "-c:v", "libx264", "-bf", "0", "-enc_time_base", "1:1000",
                                     source=phantom,
                                     filters="settb=1/1000,setpts=N*33+12*sin(N*0.8)"), graded, at("vfr"))
        good("grey", encode(at("grey.mkv"), "-c:v", "libx264", source=phantom, filters="hue=s=0"), ("NO_DOPPLER",), at("grey"))
        good("short", encode(at("short.mkv"), "-c:v", "libx264", "-t", "1.5", source=phantom), ("TOO_SHORT",), at("short"))
        good("test card", encode(at("card.mkv"), "-c:v", "libx264", source="testsrc2=size=320x240:rate=30:duration=4"),
             ("VIEW_NOT_A4C",), at("card"))

        for name, expected in (("plax_colour_mr_ar_loop50.mp4", ("VIEW_NOT_A4C",)),
                               ("plax_colour_mr_ar_loop50_jpeg422.dcm", ("VIEW_NOT_A4C",)),
                               ("a4c_gray_65f_acuson_deid.avi", ("NO_DOPPLER",))):
            path = os.path.join(DATA, "echo", name)
            if name.endswith(".dcm") and not pydicom:
                print(f"skip {name}: no pydicom")
            elif os.path.exists(path):
                good(name, path, expected, at(name + ".out"))
            else:
                print(f"skip {name}: no real data (GST_CARDIAC_TEST_DATA)")

        damaged = os.path.join(DATA, "bad", "d_a4c_nframes_300_has_30.dcm")
        if os.path.exists(damaged):
            bad("DICOM that promises more frames", damaged, "promises 300 frames, it holds 30", at("bad"))

        with open(at("empty.mp4"), "wb"):
            pass
        with open(at("noise.avi"), "wb") as file:
            file.write(os.urandom(4096))
        with open(at("a recording.mp4"), "rb") as whole, open(at("cut.mp4"), "wb") as file:
            file.write(whole.read()[:2000])
        subprocess.run(["ffmpeg", "-y", "-v", "error", "-f", "lavfi", "-i", "sine=duration=2", at("sound.mka")], check=True)
        bad("missing file", at("nowhere.mp4"), "no such file", at("bad"))
        bad("empty file", at("empty.mp4"), "empty", at("bad"))
        bad("noise", at("noise.avi"), "damaged", at("bad"))
        bad("cut-off MP4", at("cut.mp4"), "damaged", at("bad"))
        bad("audio only", at("sound.mka"), "audio only", at("bad"))
        bad("directory without cine MR", folder, "", at("bad"), script="cine-mr")
        bad("tiny pictures", encode(at("tiny.avi"), "-c:v", "ffv1", source="testsrc2=size=34x34:duration=1"), "64", at("bad"))
    print(f"{len(failures)} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
