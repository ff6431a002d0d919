"""Short-axis cine MR to polar pictures and segments (docs/cine-mr-scoring.md); numpy alone.

Points are (x, y) in pixels of the picture, pixel centres at whole numbers. Everything works on stacks of pictures of
one slice, [n,h,w], because one slice has one geometry; a cycle of 20 phases takes about 0.1 s.
"""
import math
from collections import namedtuple

import numpy as np

ROWS, COLUMNS, SIDE = 80, 192, 160
TILES, TILE, BINS = 8, 20, 256
CLIP, ALPHA = 0.001, 0.4
MAX_SUBSAMPLES = 8
SEGMENT_COLUMNS = 32

Geometry = namedtuple("Geometry", "centre side angle0 sense")


def geometry(lv_centre, rv_anterior, rv_inferior, side=0):
    """Crop of a slice: its side in pixels of the picture, the angle of column edge 0 and the sense of rotation."""
    centre, anterior, inferior = (np.asarray(p, np.float64) for p in (lv_centre, rv_anterior, rv_inferior))
    to_anterior, to_inferior = anterior - centre, inferior - centre
    distance = (np.hypot(*to_anterior) + np.hypot(*to_inferior)) / 2
    if not np.isfinite(distance) or min(np.hypot(*to_anterior), np.hypot(*to_inferior)) < 1:
        raise ValueError("an insertion point lies on the LV centre, or a point is not finite")
    across = to_anterior[0] * to_inferior[1] - to_anterior[1] * to_inferior[0]
    if abs(across) < 1e-3 * np.hypot(*to_anterior) * np.hypot(*to_inferior):
        raise ValueError("both insertion points lie on one line with the LV centre: no sense of rotation follows")
    return Geometry(tuple(centre), side or 2.2 * distance / 0.62, math.atan2(to_anterior[1], to_anterior[0]),
                    1.0 if across > 0 else -1.0)


def window(pictures):
    """Grey values that become 0 and 255: 1st and 99th percentile of the slice's whole cycle."""
    return tuple(np.percentile(pictures, (1, 99)))


def to_grey(pictures, low_high=None):
    """Pictures of any depth to float 0..255; 8-bit ones stay as they are."""
    pictures = np.asarray(pictures)
    if pictures.dtype == np.uint8:
        return pictures.astype(np.float64)
    low, high = low_high or window(pictures)
    return np.clip((pictures.astype(np.float64) - low) * (255.0 / max(high - low, 1e-9)), 0, 255)


def bilinear(pictures, x, y):
    """Values of [n,h,w] at positions x, y of any shape, black outside -> [n,*shape]."""
    count, height, width = pictures.shape
    padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1))).reshape(count, -1)
    x, y = np.clip(x, -1, width) + 1, np.clip(y, -1, height) + 1
    left, top = np.minimum(np.floor(x), width).astype(int), np.minimum(np.floor(y), height).astype(int)
    right_part, lower_part = x - left, y - top
    first = top * (width + 2) + left
    upper = padded[:, first] * (1 - right_part) + padded[:, first + 1] * right_part
    lower = padded[:, first + width + 2] * (1 - right_part) + padded[:, first + width + 3] * right_part
    return upper * (1 - lower_part) + lower * lower_part


def crop(grey, place):
    """Rotated and, where the picture turns the other way, mirrored crop [n,160,160] uint8: the anterior insertion lies
    to the right, angles grow downwards through the septum. Shrinking takes the mean of k×k samples a pixel."""
    subsamples = min(MAX_SUBSAMPLES, max(1, math.ceil(place.side / SIDE)))
    axis = (np.arange(SIDE * subsamples) + 0.5) / subsamples - SIDE / 2
    v, u = np.meshgrid(axis * place.side / SIDE, axis * place.side / SIDE, indexing="ij")
    cos, sin = math.cos(place.angle0), math.sin(place.angle0)
    samples = bilinear(grey, place.centre[0] + cos * u - place.sense * sin * v,
                       place.centre[1] + sin * u + place.sense * cos * v)
    samples = samples.reshape(-1, SIDE, subsamples, SIDE, subsamples).mean((2, 4))
    return np.floor(samples + 0.5).astype(np.uint8)


def clip_histograms(counts, limit):
    """Clips histograms [m,256] and hands the excess out, as adapthisteq: first the same share to every bin, then one
    pixel at a time in steps that spread what is left."""
    excess = np.maximum(counts - limit, 0).sum(1)
    share = excess[:, None] // BINS
    clipped = np.where(counts > limit - share, limit, counts + share)
    excess = excess - (clipped - np.minimum(counts, limit)).sum(1)
    bins = np.arange(BINS)
    start = 0
    while (todo := np.flatnonzero(excess)).size:
        step = np.maximum(BINS // excess[todo], 1)[:, None]
        free = (bins >= start) & ((bins - start) % step == 0) & (clipped[todo] < limit)
        taken = free & (np.cumsum(free, 1) <= excess[todo, None])
        clipped[todo] += taken
        excess[todo] -= taken.sum(1)
        start = (start + 1) % BINS
    return clipped


def rayleigh(histograms):
    """Grey levels [m,256] of clipped histograms of tiles, 0..255."""
    spread = 1 - math.exp(-1 / (2 * ALPHA ** 2))
    share = spread * np.cumsum(histograms, 1) / TILE ** 2
    return np.minimum(255 * np.sqrt(-2 * ALPHA ** 2 * np.log1p(-share)), 255)


def clahe(crops):
    """uint8 [n,160,160] -> float [n,160,160] in 0..255; bilinear between the four nearest tile centres."""
    count = len(crops)
    tiles = crops.reshape(count, TILES, TILE, TILES, TILE).swapaxes(2, 3).reshape(-1, TILE * TILE)
    flat = tiles.astype(np.int64) + BINS * np.arange(len(tiles))[:, None]
    histograms = np.bincount(flat.ravel(), minlength=len(tiles) * BINS).reshape(-1, BINS)
    average = -(-TILE * TILE // BINS)
    limit = average + round(CLIP * (TILE * TILE - average))
    levels = rayleigh(clip_histograms(histograms, limit)).reshape(count, TILES, TILES, BINS)

    position = np.clip((np.arange(SIDE) + 0.5) / TILE - 0.5, 0, TILES - 1)
    near = np.minimum(position.astype(int), TILES - 2)
    part = position - near
    picture = np.arange(count)[:, None, None]
    result = np.zeros(crops.shape)
    for down, weight_y in ((0, 1 - part), (1, part)):
        for right, weight_x in ((0, 1 - part), (1, part)):
            level = levels[picture, (near + down)[:, None], near + right, crops]
            result += weight_y[:, None] * weight_x * level
    return result


def sample_polar(crops):
    """[n,160,160] -> uint8 [n,80,192], row i at radius i + 1/2, column j at angle (j + 1/2) 360/192 degrees."""
    radius = (np.arange(ROWS) + 0.5)[:, None]
    angle = (np.arange(COLUMNS) + 0.5) * (2 * math.pi / COLUMNS)
    middle = SIDE / 2 - 0.5
    samples = bilinear(crops, middle + radius * np.cos(angle), middle + radius * np.sin(angle))
    return np.floor(samples + 0.5).astype(np.uint8)


def polar(pictures, place, low_high=None):
    """Pictures [n,h,w] of one slice (uint8, or deeper with the grey values of black and white) -> uint8 [n,80,192]."""
    return sample_polar(clahe(crop(to_grey(pictures, low_high), place)))


def split_ring(ring):
    """Basal or mid polar pictures [...,80,192], whose columns run segment 2,3,4,5,6,1, in the order 1..6."""
    return np.roll(ring, SEGMENT_COLUMNS, -1)


def split_apex(ring):
    """Apical polar pictures [...,80,192] -> segments 13,14,15,16 [...,80,128], 48 columns each resampled to 32 by area.

    14 begins 15° (8 columns) after the anterior insertion; 14, 15, 16, 13 follow each other.
    """
    segments = np.roll(np.roll(ring, -8, -1), 48, -1).astype(np.float64)
    triples = segments.reshape(*ring.shape[:-1], 64, 3)
    pairs = np.stack((2 * triples[..., 0] + triples[..., 1], triples[..., 1] + 2 * triples[..., 2]), -1) / 3
    return pairs.reshape(*ring.shape[:-1], 4 * SEGMENT_COLUMNS)


def patient(basal, mid, apical):
    """P_pat float32 [t,80,512] in 0..1 of uint8 polar pictures [t,80,192]; columns 32(k-1)..32k-1 are segment k."""
    rings = (split_ring(basal), split_ring(mid), split_apex(apical))
    return (np.concatenate(rings, -1) / 255).astype(np.float32)
