"""Pictures and boxes for the detector: a user's manifest, augmentation, letterbox, batches."""
import csv
import functools
import io
import os
import subprocess

import numpy as np
import torch
import torch.nn.functional as F

from . import screens
from .picture import Letterbox

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".webp")
VIDEO_FRAMES, VIDEO_STEP = 24, 5
WHOLE_SHARE, RECOLOURED_SHARE = 0.4, 0.7     # phantoms on their own screen; pictures with other colours
SPLITS = ("train", "val", "test")


class ManifestError(ValueError):
    """A manifest or one of its files cannot be used; the message names it."""


# ---- a user's boxes ------------------------------------------------------------------------------

def read_manifest(path, split):
    """[(file, boxes [n,4])] of the rows of one split.

    The CSV has the columns path, x1, y1, x2, y2, split, in pixels; paths are relative to the manifest.
    Several rows of a file are several boxes; a row without numbers says that there is no heart.
    """
    rows = {}
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"path", "x1", "y1", "x2", "y2", "split"} - set(reader.fieldnames or ())
        if missing:
            raise ManifestError(f"{path}: column '{min(missing)}' is missing")
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if row["split"] not in SPLITS:
                raise ManifestError(f"{where}: split is '{row['split']}', expected one of {', '.join(SPLITS)}")
            if row["split"] != split:
                continue
            name = os.path.join(os.path.dirname(path), row["path"])
            if not os.path.isfile(name):
                raise ManifestError(f"{where}: {row['path']} does not exist")
            corners = [row[key] or "" for key in ("x1", "y1", "x2", "y2")]
            boxes = rows.setdefault(name, [])
            if any(corner.strip() for corner in corners):
                boxes.append(read_box(corners, where))
    return [(name, np.array(boxes, np.float32).reshape(-1, 4)) for name, boxes in rows.items()]


def read_box(corners, where):
    """Four texts -> x1, y1, x2, y2."""
    try:
        x1, y1, x2, y2 = (float(corner) for corner in corners)
    except ValueError:
        raise ManifestError(f"{where}: x1, y1, x2, y2 are {corners}, expected four numbers or none") from None
    if not (0 <= x1 < x2 < 1e5 and 0 <= y1 < y2 < 1e5):
        raise ManifestError(f"{where}: box {x1:g}, {y1:g}, {x2:g}, {y2:g} must have 0 <= x1 < x2 and 0 <= y1 < y2")
    return x1, y1, x2, y2


def read_picture(path):
    """uint8 RGB [h,w,3] of an image file."""
    try:
        from PIL import Image
    except ImportError:
        raise ManifestError(f"{path}: reading image files needs Pillow (python3-pil)") from None
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except OSError as error:
        raise ManifestError(f"{path}: {error}") from None


def read_video(path, step=VIDEO_STEP, count=VIDEO_FRAMES):
    """Up to `count` frames, every `step`th, of a video as uint8 RGB [n,h,w,3]."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-vf", f"select=not(mod(n\\,{step}))",
               "-fps_mode", "passthrough", "-frames:v", str(count), "-f", "image2pipe", "-c:v", "ppm", "-"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise ManifestError(f"{path}: reading videos needs ffmpeg") from None
    frames, stream = [], io.BytesIO(done.stdout)
    while stream.readline().strip() == b"P6":
        width, height = (int(n) for n in stream.readline().split())
        stream.readline()
        frames.append(np.frombuffer(stream.read(3 * width * height), np.uint8).reshape(height, width, 3))
    if not frames:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ManifestError(f"{path}: no frame could be decoded ({reason[-1] if reason else 'it holds none'})")
    return np.stack(frames)


@functools.lru_cache(maxsize=64)
def read_frames(path):
    """All frames of an image or video that training uses, [n,h,w,3]."""
    if path.lower().endswith(PICTURES):
        return read_picture(path)[None]
    return read_video(path)


# ---- augmentation --------------------------------------------------------------------------------

def crop_screen(rng, picture, boxes):
    """A random part of the picture, or the picture on a larger black screen; boxes stay visible."""
    height, width = picture.shape[:2]
    for _ in range(10):
        share, aspect = np.exp(rng.uniform(np.log(0.6), np.log(1.5))), np.exp(rng.uniform(-0.3, 0.3))
        w, h = int(width * share * aspect), int(height * share / aspect)
        x, y = (int(rng.uniform(min(0, room), max(0, room))) for room in (width - w, height - h))
        moved = [screens.visible_box(box - np.array([x, y, x, y]), w, h) for box in boxes]
        if all(box is not None for box in moved):
            break
    else:
        return picture, boxes
    canvas = np.zeros((h, w, 3), np.uint8)
    part = picture[max(y, 0):max(y + h, 0), max(x, 0):max(x + w, 0)]
    canvas[max(-y, 0):max(-y, 0) + part.shape[0], max(-x, 0):max(-x, 0) + part.shape[1]] = part
    return canvas, np.array(moved, np.float32).reshape(-1, 4)


def flip(picture, boxes):
    """Left and right exchanged: another anatomy, so never without being asked for."""
    mirrored = boxes.copy()
    mirrored[:, [0, 2]] = picture.shape[1] - boxes[:, [2, 0]]
    return picture[:, ::-1], mirrored


def recolour(rng, x):
    """float32 [3,h,w] in 0..1: gain, gamma, offset, colour, shading, blur, noise, mostly mild."""
    if rng.random() < 0.35:
        x = (x * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0, keepdim=True).expand(3, -1, -1)
    elif rng.random() < 0.4:
        mix = torch.from_numpy(rng.normal(0, 0.12, (3, 3)).astype(np.float32)) + torch.eye(3)
        x = torch.einsum("dc,chw->dhw", mix, x).clamp(0, 1)
    x = x.clamp(min=0) ** float(np.exp(rng.uniform(-0.7, 0.7)))
    x = x * float(np.exp(rng.uniform(-0.5, 0.5))) + float(rng.uniform(0, 0.06) * (rng.random() < 0.4))
    height, width = x.shape[1:]
    if rng.random() < 0.4:
        shade = screens.field(rng, height, width, (height / rng.uniform(1, 4), width / rng.uniform(1, 4)))
        x = x * torch.from_numpy(np.exp(rng.uniform(0.1, 0.5) * shade))
    if rng.random() < 0.3:
        kernel = int(rng.choice((3, 5)))
        x = F.avg_pool2d(x[None], kernel, 1, kernel // 2, count_include_pad=False)[0]
    if rng.random() < 0.3:
        grain = np.abs(screens.field(rng, height, width, rng.uniform(1, 3, 2)))
        x = x * torch.from_numpy(1 + rng.uniform(0.2, 0.8) * (grain - 0.8))
    if rng.random() < 0.3:
        x = x + rng.uniform(0, 0.06) * torch.from_numpy(rng.standard_normal((1, height, width), np.float32))
    return x.clamp(0, 1)


def letterbox(picture, boxes, side, rng=None):
    """uint8 [h,w,3], boxes [n,4] -> uint8 tensor [3,side,side] and boxes on it, as the engine places
    pictures; with `rng` recoloured inside the margins."""
    place = Letterbox(*picture.shape[:2], side)
    x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float()
    x = F.interpolate(x[None], size=(place.height, place.width), mode="bilinear", align_corners=False)[0]
    if rng is not None:
        x = recolour(rng, x / 255) * 255
    square = torch.full((3, side, side), 114, dtype=torch.uint8)
    square[:, place.top:place.top + place.height, place.left:place.left + place.width] = (x + 0.5).byte()
    scale = np.array([place.width / picture.shape[1], place.height / picture.shape[0]] * 2, np.float32)
    offset = np.array([place.left, place.top] * 2, np.float32)
    return square, torch.from_numpy(np.asarray(boxes * scale + offset, np.float32))


# ---- samples -------------------------------------------------------------------------------------

class Samples(torch.utils.data.Dataset):
    """Endless training pictures: sample i follows from the seed and i alone, so that a resumed run and
    any number of workers see the same ones.

    Half the cost of a phantom's picture is that of its tables. So `RUN` hearts, each on a screen of its own,
    are seen `REPEATS` times in turn: at other moments, with other furniture, colours and, mostly, cut anew.
    """
    RUN, REPEATS = 16, 4

    def __init__(self, side, seed, rows=(), phantom_share=1.0, empty_share=0.2, flips=False):
        self.side, self.seed, self.rows = side, seed, list(rows)
        self.phantom_share, self.empty_share, self.flips = phantom_share, empty_share, flips
        self.hearts = {}

    def heart(self, index):
        """The heart that sample `index` shows, on its screen."""
        turn, place = divmod(index, self.RUN)
        number = turn // self.REPEATS * self.RUN + place
        if number not in self.hearts:
            if len(self.hearts) >= 2 * self.RUN:
                self.hearts.clear()
            rng = np.random.default_rng([self.seed, number, 1])
            self.hearts[number] = screens.Heart(rng, screens.train_seed(rng), rng.random() < WHOLE_SHARE)
        return self.hearts[number]

    def screen(self, rng, index):
        """(picture, boxes) before colour and letterbox."""
        if rng.random() < self.empty_share:
            return screens.empty_screen(rng)
        if self.rows and rng.random() >= self.phantom_share:
            name, boxes = self.rows[rng.integers(len(self.rows))]
            frames = read_frames(name)
            return crop_screen(rng, frames[rng.integers(len(frames))], boxes)
        picture, boxes = self.heart(index).picture(rng)
        return crop_screen(rng, picture, boxes) if rng.random() < 0.6 else (picture, boxes)

    def __getitem__(self, index):
        rng = np.random.default_rng([self.seed, index, 0])
        picture, boxes = self.screen(rng, index)
        if self.flips and rng.random() < 0.5:
            picture, boxes = flip(picture, boxes)
        return letterbox(picture, boxes, self.side, rng if rng.random() < RECOLOURED_SHARE else None)


def collate(samples):
    """-> pictures uint8 [B,3,S,S], boxes [B,M,4], classes [B,M], valid [B,M]."""
    most = max(1, max(len(boxes) for _, boxes in samples))
    padded = torch.zeros(len(samples), most, 4)
    valid = torch.zeros(len(samples), most, dtype=torch.bool)
    for i, (_, boxes) in enumerate(samples):
        padded[i, :len(boxes)] = boxes
        valid[i, :len(boxes)] = True
    pictures = torch.stack([picture for picture, _ in samples])
    return pictures, padded, torch.zeros(len(samples), most, dtype=torch.long), valid
