#!/usr/bin/env python3
"""Square resize against Pillow, letterbox against plain loops and hand-made numbers."""
import unittest

import oracle
import numpy as np
import torch

from cardiac.picture import Letterbox, square_resize, triangle_weights

try:
    from PIL import Image
except ImportError:
    Image = None


@unittest.skipIf(Image is None, "Pillow is absent")
class SquareResize(unittest.TestCase):
    def test_is_within_one_grey_level_of_pillow(self):
        rng = np.random.default_rng(0)
        for side_in, side_out in ((60, 28), (28, 28), (17, 28), (300, 112), (113, 112), (225, 224)):
            frame = rng.integers(0, 256, (side_in, side_in, 3), np.uint8)
            pillow = np.asarray(Image.fromarray(frame).resize((side_out, side_out), Image.BILINEAR), np.float64)
            difference = np.abs(square_resize(frame, side_out) - pillow)
            # Pillow rounds to 8 bits after each of its two passes
            self.assertLessEqual(difference.max(), 1.01, (side_in, side_out))
            self.assertLess(difference.mean(), 0.5)

    def test_equals_pillow_in_floating_point(self):
        rng = np.random.default_rng(1)
        frame = rng.integers(0, 256, (61, 61, 3), np.uint8)
        ours = square_resize(frame, 28)
        for c in range(3):
            pillow = Image.fromarray(frame[:, :, c].astype(np.float32), "F").resize((28, 28), Image.BILINEAR)
            np.testing.assert_allclose(ours[:, :, c], np.asarray(pillow), atol=1e-3)

    def test_centres_the_picture_on_black(self):
        frame = np.full((6, 3, 3), 200, np.uint8)
        square = square_resize(frame, 6)
        self.assertEqual(square[:, :, 0].tolist(), [[0, 200, 200, 200, 0, 0]] * 6)

    def test_weights_sum_to_one(self):
        for side_in, side_out in ((1, 5), (5, 1), (97, 31)):
            np.testing.assert_allclose(triangle_weights(side_in, side_out).sum(1), 1)


def naive_bilinear(picture, height, width):
    """Two taps a side, half-pixel centres, clamped, rounded half up."""
    h, w = picture.shape[:2]
    out = np.zeros((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            sy = min(max((y + 0.5) * h / height - 0.5, 0), h - 1)
            sx = min(max((x + 0.5) * w / width - 0.5, 0), w - 1)
            y0, x0 = int(sy), int(sx)
            y1, x1, fy, fx = min(y0 + 1, h - 1), min(x0 + 1, w - 1), sy - y0, sx - x0
            p = picture.astype(np.float64)
            top = p[y0, x0] * (1 - fx) + p[y0, x1] * fx
            bottom = p[y1, x0] * (1 - fx) + p[y1, x1] * fx
            out[y, x] = np.floor(top * (1 - fy) + bottom * fy + 0.5)
    return out


class LetterboxTest(unittest.TestCase):
    def test_matches_plain_loops(self):
        rng = np.random.default_rng(2)
        for h, w in ((50, 37), (20, 90), (64, 64), (1, 9)):
            picture = rng.integers(0, 256, (h, w, 3), np.uint8)
            box = Letterbox(h, w, 64)
            square = box.apply(picture)
            inner = square[box.top:box.top + box.height, box.left:box.left + box.width].astype(int)
            expected = naive_bilinear(picture, box.height, box.width).astype(int)
            self.assertLessEqual((inner != expected).mean(), 1e-3)   # exact halves may fall either way
            self.assertLessEqual(np.abs(inner - expected).max(), 1)
            self.assertEqual((square == 114).all(-1).sum() >= 64 * 64 - box.height * box.width, True)

    def test_odd_row_lies_below_and_odd_column_right(self):
        box = Letterbox(480, 641, 640)
        self.assertEqual((box.height, box.width, box.top, box.left), (479, 640, 80, 0))
        box = Letterbox(640, 359, 640)
        self.assertEqual((box.width, box.left), (359, 140))

    def test_half_rounds_to_even(self):
        self.assertEqual(Letterbox(5, 128, 64).height, 2)       # 2.5
        self.assertEqual(Letterbox(7, 128, 64).height, 4)       # 3.5

    def test_boxes_return_to_the_picture_and_are_clipped(self):
        box = Letterbox(100, 200, 64)                           # 32 rows from 16
        back = box.boxes_back(torch.tensor([[0.0, 16, 64, 48], [-5, 0, 32, 32]]))
        self.assertEqual(back.tolist(), [[0, 0, 200, 100], [0, 0, 100, 50]])


if __name__ == "__main__":
    oracle.main()
