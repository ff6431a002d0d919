"""From uint8 pictures to network input: square resize (antialiased) and letterbox (not).

Both are written as two small matrices, rows and columns, in double precision.
"""
import numpy as np
import torch


def triangle_weights(size_in, size_out):
    """Resize matrix [size_out,size_in]: triangle filter, half-pixel centres, antialiased.

    The taps are Pillow's BILINEAR: output i has centre (i+½)·scale, support max(1, scale).
    """
    scale = size_in / size_out
    support = max(1.0, scale)
    weights = np.zeros((size_out, size_in))
    for i in range(size_out):
        centre = (i + 0.5) * scale
        first = max(0, int(centre - support + 0.5))
        last = min(size_in, int(centre + support + 0.5))
        taps = np.arange(first, last)
        weights[i, first:last] = np.maximum(0, 1 - np.abs((taps + 0.5 - centre) / support))
    return weights / weights.sum(1, keepdims=True)


def bilinear_weights(size_in, size_out):
    """Resize matrix [size_out,size_in]: two taps, half-pixel centres, edges clamped."""
    position = np.clip((np.arange(size_out) + 0.5) * size_in / size_out - 0.5, 0, size_in - 1)
    first = np.minimum(position.astype(int), max(size_in - 2, 0))
    fraction = position - first
    weights = np.zeros((size_out, size_in))
    rows = np.arange(size_out)
    weights[rows, first] += 1 - fraction
    weights[rows, np.minimum(first + 1, size_in - 1)] += fraction
    return weights


def resize(frames, rows, columns):
    """frames [...,h,w,3] with matrices rows [h',h], columns [w',w] -> float64 [...,h',w',3]."""
    frames = np.einsum("yh,...hwc->...ywc", rows, frames.astype(np.float64), optimize=True)
    return np.einsum("xw,...ywc->...yxc", columns, frames, optimize=True)


def square_resize(frames, side):
    """uint8 [...,h,w,3] -> float64 [...,side,side,3] in 0..255, unrounded.

    The picture lies centred on a black square of its longer side, then shrinks or grows.
    """
    height, width = frames.shape[-3:-1]
    longer = max(height, width)
    top, left = (longer - height) // 2, (longer - width) // 2
    square = np.zeros((*frames.shape[:-3], longer, longer, 3), np.uint8)
    square[..., top:top + height, left:left + width, :] = frames
    weights = triangle_weights(longer, side)
    return resize(square, weights, weights)


def clip_input(frames, config, dtype=torch.float64):
    """Network input [...,T,3,S,S]: normalises uint8 RGB [...,T,h,w,3], passes floats through."""
    frames = np.asarray(frames)
    if frames.dtype != np.uint8:
        return torch.as_tensor(frames, dtype=dtype)
    value = square_resize(frames, config["input_side"]) / 255
    value = (value - np.array(config["image_mean"])) / np.array(config["image_std"])
    return torch.as_tensor(np.moveaxis(value, -1, -3).copy(), dtype=dtype)


class Letterbox:
    """Placement of an h×w picture on a side×side square, and its way back."""

    def __init__(self, height, width, side):
        ratio = min(side / height, side / width)
        self.picture = height, width
        self.side = side
        self.height, self.width = round(height * ratio), round(width * ratio)  # half to even
        self.top = round((side - self.height) / 2 - 0.1)
        self.left = round((side - self.width) / 2 - 0.1)

    def resized(self, picture):
        """uint8 [h,w,3] -> float64 [h',w',3], before rounding."""
        height, width = self.picture
        return resize(picture, bilinear_weights(height, self.height), bilinear_weights(width, self.width))

    def apply(self, picture):
        """uint8 [h,w,3] -> uint8 [side,side,3], value 114 around."""
        square = np.full((self.side, self.side, 3), 114, np.uint8)
        inner = np.floor(self.resized(picture) + 0.5).astype(np.uint8)
        square[self.top:self.top + self.height, self.left:self.left + self.width] = inner
        return square

    def boxes_back(self, boxes):
        """boxes [n,4] x1,y1,x2,y2 on the square -> pixels of the picture, clipped to it."""
        height, width = self.picture
        offset = torch.tensor([self.left, self.top] * 2, dtype=boxes.dtype)
        scale = torch.tensor([width / self.width, height / self.height] * 2, dtype=boxes.dtype)
        limit = torch.tensor([width, height] * 2, dtype=boxes.dtype)
        return torch.minimum(((boxes - offset) * scale).clamp(min=0), limit)
