"""Videos of a manifest as samples: decoded by ffmpeg (DICOM by pydicom), sampled by time.

The manifest is a CSV file with the columns path, label, split and maybe roi_x, roi_y, roi_w, roi_h
(pixels). Paths are relative to the manifest.
"""
import csv
import os
import subprocess

import numpy as np

from .picture import square_resize

SPLITS = ("train", "validation", "test")


class VideoError(ValueError):
    """A video that cannot be read or graded; the message names the file."""


def frame_times(path):
    """Presentation times of all frames, s, and the last frame's duration."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
               "frame=best_effort_timestamp_time", "-of", "csv=p=0", path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise VideoError("ffprobe is not installed; videos of a manifest are read with ffmpeg") from None
    except subprocess.CalledProcessError as error:
        raise VideoError(f"{path}: ffprobe cannot read it: {error.stderr.strip()[:200]}") from None
    times = [float(line.strip(",")) for line in done.stdout.split() if line.strip(",") not in ("", "N/A")]
    if len(times) < 2:
        raise VideoError(f"{path}: has {len(times)} frames with a time, expected a video")
    return np.array(times), float(np.median(np.diff(times)))


def sample_instants(times, last, instances, frames, clip):
    """Frame numbers [instances,frames] by time: frame j of instance k is the one shown at
    k(D-d)/2 + (j+1/2)d/frames, each at most once; d grows to `frames` frame periods where it holds fewer."""
    begin, whole = times[0], times[-1] + last - times[0]
    clip = max(clip, frames * last)
    if instances * clip > whole + 1e-6:
        raise VideoError(f"{whole:.2f} s are too short for {instances} clips of {clip:.2f} s")
    chosen = np.empty((instances, frames), int)
    for k in range(instances):
        start = begin + k * (whole - clip) / max(instances - 1, 1)
        at = np.searchsorted(times, start + (np.arange(frames) + 0.5) * clip / frames + 1e-6, "right") - 1
        if len(set(at.tolist())) < frames:
            raise VideoError(f"clip {k} holds {len(set(at.tolist()))} distinct frames, expected {frames}")
        chosen[k] = at
    return chosen


def read_ffmpeg(path, wanted):
    """{frame number: uint8 RGB [h,w,3]} of the wanted frames, in one pass."""
    probe = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
                            "stream=width,height", "-of", "csv=p=0", path], capture_output=True, text=True, check=True)
    width, height = (int(x) for x in probe.stdout.split()[0].strip(",").split(",")[:2])
    command = ["ffmpeg", "-v", "error", "-nostdin", "-noautorotate", "-i", path, "-map", "0:v:0",
               "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    frames, last = {}, max(wanted)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for number in range(last + 1):
            raw = process.stdout.read(width * height * 3)
            if len(raw) < width * height * 3:
                raise VideoError(f"{path}: holds {number} whole frames, expected at least {last + 1}")
            if number in wanted:
                frames[number] = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
        process.kill()
    return frames


def read_dicom(path):
    """(frames [n,h,w,3] uint8, times, last) of a multi-frame ultrasound object, with pydicom."""
    try:
        import pydicom
        from pydicom.pixel_data_handlers.util import apply_color_lut, convert_color_space
    except ImportError:
        raise VideoError(f"{path}: DICOM needs pydicom, which is not installed; convert the file to AVI or MP4 or "
                         "install python3-pydicom") from None
    try:
        data = pydicom.dcmread(path)
        frames, space = data.pixel_array, str(data.PhotometricInterpretation)
    except Exception as error:  # pydicom's decoders raise many kinds
        raise VideoError(f"{path}: pydicom cannot decode it: {error}") from None
    if frames.dtype != np.uint8:
        raise VideoError(f"{path}: its pixels have {8 * frames.itemsize} bits, expected 8 as in ultrasound")
    if space == "PALETTE COLOR":
        frames = (apply_color_lut(frames, data) >> 8).astype(np.uint8)
    elif space.startswith("MONOCHROME"):
        frames = np.repeat(frames[..., None], 3, -1)
    elif space in ("YBR_FULL", "YBR_FULL_422") and int(pydicom.__version__.split(".")[0]) < 3:  # 3 gives RGB
        frames = convert_color_space(frames, space, "RGB")
    if frames.ndim != 4:
        raise VideoError(f"{path}: holds one picture, expected a video")
    if "FrameTimeVector" in data:
        times = np.cumsum([float(t) for t in data.FrameTimeVector][:len(frames)]) / 1000
    elif float(data.get("FrameTime", 0) or 0) > 0:
        times = np.arange(len(frames)) * float(data.FrameTime) / 1000
    else:
        raise VideoError(f"{path}: has neither FrameTime nor FrameTimeVector, its speed is unknown")
    return frames, times, float(np.median(np.diff(times)))


def cut(frame, roi):
    """The ROI's rectangle of a frame, shifted into it; the whole frame without one."""
    if roi is None:
        return frame
    x, y, w, h = roi
    side = max(w, h)
    x, y = x + (w - side) / 2, y + (h - side) / 2
    height, width = frame.shape[:2]
    x = min(max(x, 0), max(width - side, 0))
    y = min(max(y, 0), max(height - side, 0))
    return frame[int(round(y)):int(round(y + side)), int(round(x)):int(round(x + side))]


def read_clips(path, roi, side, frames, instances=3, clip=1.0):
    """uint8 [I,T,side,side,3] of a video file."""
    with open(path, "rb") as file:
        dicom = file.read(132)[128:] == b"DICM"
    if dicom:
        pictures, times, last = read_dicom(path)
        chosen = sample_instants(times, last, instances, frames, clip)
    else:
        times, last = frame_times(path)
        chosen = sample_instants(times, last, instances, frames, clip)
        pictures = read_ffmpeg(path, set(chosen.flatten().tolist()))
    return np.stack([np.floor(square_resize(np.stack([cut(pictures[int(i)], roi) for i in row]), side) + 0.5)
                     for row in chosen]).clip(0, 255).astype(np.uint8)


class ManifestSource:
    """Samples of a manifest; decoded clips stay in memory. Takes the keys that a stage gives."""

    def __init__(self, manifest, side, frames, region="roi", clip=1.0, instances=3, cells=0, say=print, **_):
        if cells:
            raise ValueError("a manifest has no masks: use the objective mreg with dense 0 for videos")
        self.side, self.frames, self.region, self.clip, self.say = side, frames, region, clip, say
        self.instances, self.kept = instances, {}
        self.rows = {name: [] for name in SPLITS}
        folder = os.path.dirname(os.path.abspath(manifest))
        with open(manifest, newline="", encoding="utf-8") as file:
            for number, row in enumerate(csv.DictReader(file)):
                if not {"path", "label", "split"} <= set(row):
                    raise ValueError(f"{manifest}: expected the columns path, label, split")
                if row["split"] not in self.rows:
                    raise ValueError(f"{manifest}: row {number + 1}: split '{row['split']}' is none of {SPLITS}")
                if row["label"] not in ("0", "1", "2"):
                    raise ValueError(f"{manifest}: row {number + 1}: label '{row['label']}' is none of 0, 1, 2")
                self.rows[row["split"]].append({**row, "number": number, "path": os.path.join(folder, row["path"])})

    def sample(self, row):
        """The sample of a row; VideoError where it cannot be graded."""
        if row["number"] not in self.kept:
            roi = None
            if self.region == "roi" and row.get("roi_w"):
                roi = [float(row[key]) for key in ("roi_x", "roi_y", "roi_w", "roi_h")]
            self.kept[row["number"]] = read_clips(row["path"], roi, self.side, self.frames, 3, self.clip)
        return {"clips": self.kept[row["number"]], "grade": int(row["label"]), "number": row["number"]}

    def readable(self, split):
        """Rows of a split that can be graded; the others are said and left out."""
        good = []
        for row in self.rows[split]:
            try:
                self.sample(row)
                good.append(row)
            except VideoError as error:
                self.say(f"left out: {row['path']}: {error}")
        self.rows[split] = good
        if not good:
            raise ValueError(f"no video of the split '{split}' can be graded")
        return good

    def train(self, index):
        """Training sample `index`: every epoch is another order of all videos."""
        if index == 0 or not hasattr(self, "order"):
            self.order = self.readable("train")
        epoch, place = divmod(index, len(self.order))
        return self.sample(self.order[np.random.default_rng(epoch).permutation(len(self.order))[place]])

    def fixed(self, split, first=0, step=1, limit=None):
        """Samples of a split, every step-th from `first`."""
        for row in self.readable(split)[:limit][first::step]:
            yield self.sample(row)
