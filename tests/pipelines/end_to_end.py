#!/usr/bin/env python3
"""end_to_end.py BUILD MODEL FORMAT RATE: what the pipeline says of a video is what the oracle says of the same frames.

A clip is made with FFmpeg at 13, 25 or 60 frames a second or with varying distances (vfr) and graded by mregclassify
in the given format. From results.jsonl come `spans_ns` and `roi`; an independent copy of the sampling rule (frame j is
the picture shown at t0 + (j+1/2) d/16, each at most once; clips start at k (D-d)/2) says which frames the instances
hold; FFmpeg decodes and Pillow crops them; the PyTorch networks must give the same value (1e-2), selected instance
and grade. Exit status 77: PyTorch, Pillow or FFmpeg is not there.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
WIDTH, HEIGHT = 322, 240
NS = 1_000_000_000

try:
    import numpy as np
    from PIL import Image
    sys.path.insert(0, os.path.join(ROOT, "training"))
    import torch  # noqa: F401
    from cardiac.run import load_model, run_mreg
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
if not shutil.which("ffmpeg") or not shutil.which("gst-launch-1.0"):
    print("skipped: no ffmpeg or gst-launch-1.0")
    sys.exit(77)


def make_clip(rate, video_format, path):
    """A colourful moving picture of 4.4 s with millisecond times: H.264 4:2:0, BT.709, limited range; for BGRx lossless
    RGB, so that no one but the element under test converts colours."""
    if video_format == "BGRx":
        pixels, codec = "bgr0", ["-c:v", "ffv1"]
    else:
        pixels, codec = "yuv420p", ["-c:v", "libx264", "-qp", "8", "-bf", "0"]
    frames = "fps=25" if rate == "vfr" else f"fps={rate}"
    # vfr: distances of 22 to 58 ms, none above two median periods
    times = "settb=1/1000,setpts='(N*40+20*sin(N*0.9))/1000/TB'," if rate == "vfr" else ""
    source = (f"mandelbrot=size={WIDTH}x{HEIGHT}:rate=60:start_scale=2.5:end_scale=0.02:end_pts=260,"
              f"hue=H=2*PI*t/3.3:s=1.6,gblur=sigma=3,{frames},{times}trim=end=4.4,format={pixels}")
    subprocess.run(["ffmpeg", "-y", "-v", "error", "-f", "lavfi", "-i", source, "-fps_mode", "passthrough",
                    *codec, "-colorspace", "bt709", "-color_primaries", "bt709",
                    "-color_trc", "bt709", "-color_range", "tv" if pixels == "yuv420p" else "pc", path], check=True)


def frame_times(path):
    """[(begin, duration)] of all frames in ns, as the container says."""
    text = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries",
                           "packet=pts_time,duration_time", "-of", "json", path],
                          check=True, capture_output=True).stdout
    packets = [(round(float(p["pts_time"]) * NS), round(float(p.get("duration_time", 0)) * NS))
               for p in json.loads(text)["packets"]]
    return sorted(packets)


def raw_frames(path, pixels):
    return np.frombuffer(subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-fps_mode", "passthrough", "-f", "rawvideo",
                                         "-pix_fmt", pixels, "-"], check=True, capture_output=True).stdout, np.uint8)


def upsampled(plane, axis, cosited):
    """Twice as many samples along an axis, linear; the first one lies on the first pixel, or between the first two."""
    size = plane.shape[axis]
    at = np.arange(2 * size) / 2 - (0 if cosited else 0.25)
    low = np.floor(at).astype(int)
    fraction = (at - low).reshape([-1 if i == axis else 1 for i in range(plane.ndim)])
    take = [np.take(plane, np.clip(low + i, 0, size - 1), axis) for i in (0, 1)]
    return take[0] * (1 - fraction) + take[1] * fraction


def decode(path, video_format):
    """All frames as RGB [n,h,w,3]. 4:2:0 is converted here, by BT.709's equations: limited range, chroma samples to the
    left. (FFmpeg's and videoconvert's own ways to 8-bit RGB are off by up to 3 levels.)"""
    if video_format == "BGRx":
        return raw_frames(path, "rgb24").reshape(-1, HEIGHT, WIDTH, 3)
    raw = raw_frames(path, "yuv420p").reshape(-1, HEIGHT * WIDTH * 3 // 2).astype(np.float32)
    luma = raw[:, :HEIGHT * WIDTH].reshape(-1, HEIGHT, WIDTH)
    chroma = raw[:, HEIGHT * WIDTH:].reshape(-1, 2, HEIGHT // 2, WIDTH // 2)
    chroma = upsampled(upsampled(chroma, 3, True), 2, False) - 128
    y, cb, cr = (luma - 16) / 219, chroma[:, 0] / 224, chroma[:, 1] / 224
    kr, kb = 0.2126, 0.0722
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.round(np.clip(np.stack([red, green, blue], -1), 0, 1) * 255).astype(np.uint8)


def grade(build, model, path, video_format, lines):
    environment = dict(os.environ, GST_PLUGIN_PATH=os.path.join(build, "gst"),
                       GST_REGISTRY=os.path.join(os.path.dirname(lines), "registry.bin"), G_DEBUG="fatal-criticals")
    # One thread: see pipelines/setup.sh.
    subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!",
                    "decodebin", "avdec_h264-0::max-threads=1", "!", "videoconvert", "!",
                    f"video/x-raw,format={video_format}", "!", "mregclassify", f"model={model}", "sync-mode=exact",
                    "precision=fp32", f"results-location={lines}", "!", "fakesink"], check=True, env=environment)
    with open(lines, encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return [r for r in records if r["type"] == "mreg"][-1]


def sampled(times, start, d, frames):
    """Indices of the frames of a clip."""
    begins = [t for t, _ in times]
    chosen = []
    for j in range(frames):
        at = start + (2 * j + 1) * d // (2 * frames)
        shown = max(i for i, t in enumerate(begins) if t <= at)
        chosen.append(shown if not chosen else max(shown, chosen[-1] + 1))
    return chosen


def instances(times, frames, count=3):
    """Frame indices of each instance by the rule, d = 1 s or 16 frame periods."""
    # containers' durations lie: the last frame lasts as long as the median of the last 31 distances
    distances = sorted([b[0] - a[0] for a, b in zip(times, times[1:])][-31:])
    period = distances[len(distances) // 2]
    begin, end = times[0][0], times[-1][0] + period
    d = max(NS, frames * period)
    return [sampled(times, begin + k * (end - begin - d) // (count - 1), d, frames) for k in range(count)]


def crops(video, indices, roi, config):
    """Normalised [T,3,S,S], cut and resized by Pillow in floating point: the ROI padded to a square, shifted into the
    frame, black outside."""
    side, mean, std = config["input_side"], np.array(config["image_mean"]), np.array(config["image_std"])
    x, y, w, h = roi
    m = max(w, h)
    left, top = x + w / 2 - m / 2, y + h / 2 - m / 2
    if m <= WIDTH:
        left = min(max(left, 0), WIDTH - m)
    if m <= HEIGHT:
        top = min(max(top, 0), HEIGHT - m)
    box = (round(left), round(top), round(left + m), round(top + m))

    def network_input(frame):
        planes = Image.fromarray(frame).crop(box).split()
        levels = np.stack([np.asarray(plane.convert("F").resize((side, side), Image.BILINEAR)) for plane in planes])
        return (levels / 255 - mean[:, None, None]) / std[:, None, None]

    return np.stack([network_input(video[i]) for i in indices])


def main():
    build, model_path, video_format, rate = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as folder:
        clip = os.path.join(folder, "clip.mkv")
        make_clip(rate, video_format, clip)
        result = grade(build, model_path, clip, video_format, os.path.join(folder, "results.jsonl"))
        times, video = frame_times(clip), decode(clip, video_format)
    print(json.dumps(result))
    assert len(times) == len(video)
    assert result["state"] in ("RESULT", "UNSURE"), result["state"]

    model = load_model(model_path)
    wanted = instances(times, model.config["frames"])
    first = times[0][0]
    for span, indices in zip(result["spans_ns"], wanted):
        expected = [times[indices[0]][0] - first, times[indices[-1]][0] - first]
        print("span", span, "expected", expected)
        assert all(abs(a - b) <= 1_000_000 for a, b in zip(span, expected)), "another clip was graded"

    roi = result.get("roi", [0, 0, WIDTH, HEIGHT])
    out = run_mreg(model, np.stack([crops(video, i, roi, model.config) for i in wanted]))
    value = float(out["regression"][int(out["selected"])])
    print(f"value {result['value']:.5f}, oracle {value:.5f}; instance {result['instance']}, "
          f"oracle {int(out['selected'])}; grade {result['grade']}, oracle {int(out['grade'])}")
    spread = out["regression"].max() - out["regression"].min()
    print(f"spread over instances {spread:.4f}")
    assert abs(result["value"] - value) <= 1e-2
    assert result["instance"] == int(out["selected"])
    assert result["grade"] == int(out["grade"])
    worst = np.abs(np.array(result["curve"]) - out["curve"]).max()
    print(f"worst point of the curves {worst:.4f}")
    assert worst <= 5e-2


if __name__ == "__main__":
    main()
