#!/usr/bin/env python3
"""The demonstration detector: finds held-out phantoms, nothing where there is no heart, and cardiac-infer agrees.

test_roi_demo.py [cardiac-infer]
"""
import os
import subprocess
import sys
import unittest

import oracle
import numpy as np

from cardiac import load_model, run_yolov8, screens
from cardiac.phantom import PhantomError, library
from cardiac.roi_metrics import overlap
from cardiac.seeds import read_seeds

MODEL = os.path.join(oracle.ROOT, "models", "roi-demo.safetensors")
INFER = sys.argv.pop() if len(sys.argv) > 1 else None
try:
    library()
    NO_PHANTOMS = None
except PhantomError as error:
    NO_PHANTOMS = str(error)


@unittest.skipIf(NO_PHANTOMS, NO_PHANTOMS)
class Demonstration(oracle.DirectoryTest):
    @classmethod
    def setUpClass(cls):
        cls.model = load_model(MODEL)
        first = read_seeds()["splits"]["test"]["first"]
        cls.hearts = [screens.plain_screen(seed) for seed in range(first, first + 12)]

    def test_card_says_what_it_was_trained_on(self):
        card = self.model.card
        self.assertTrue(card["trained"] and card["synthetic"])
        self.assertIn("phantom", card["training_data"])
        self.assertIn("not for diagnosis", card["intended_use"])

    def test_finds_phantoms_that_it_was_not_trained_on(self):
        overlaps = []
        for picture, boxes in self.hearts:
            found = run_yolov8(self.model, picture)["boxes"]
            overlaps.append(overlap(found[0], boxes) if len(found) else 0.0)
        print(f"IoU {np.mean(overlaps):.3f}, least {min(overlaps):.3f}")
        self.assertGreater(np.mean(overlaps), 0.9)
        self.assertGreater(min(overlaps), 0.75)

    def test_finds_nothing_on_blank_screens_and_test_cards(self):
        y, x = np.mgrid[:240, :320]
        rng = np.random.default_rng(0)
        for name, picture in {
                "black": np.zeros((240, 320, 3), np.uint8), "white": np.full((240, 320, 3), 255, np.uint8),
                "bars": rng.integers(0, 256, (8, 3), np.uint8)[x // 40],
                "checks": np.repeat(((x // 30 + y // 30) % 2 * 255).astype(np.uint8)[:, :, None], 3, 2),
                "snow": rng.integers(0, 256, (240, 320, 3), np.uint8)}.items():
            self.assertEqual(len(run_yolov8(self.model, picture)["boxes"]), 0, name)

    @unittest.skipUnless(INFER, "cardiac-infer is not named")
    def test_engine_finds_the_same_boxes(self):
        for i, (picture, _) in enumerate(self.hearts[:3]):
            np.save(self.path(f"{i}.npy"), picture)
            subprocess.run([INFER, MODEL, self.path(f"{i}.npy"), self.path(str(i)), "--precision=fp32"], check=True)
            expected = run_yolov8(self.model, picture)
            boxes, scores = (np.load(self.path(f"{i}/{name}.npy")) for name in ("boxes", "scores"))
            self.assertEqual(boxes.shape, expected["boxes"].shape)
            np.testing.assert_allclose(boxes, expected["boxes"], atol=0.05)
            np.testing.assert_allclose(scores, expected["scores"], atol=1e-3)


if __name__ == "__main__":
    oracle.main()
