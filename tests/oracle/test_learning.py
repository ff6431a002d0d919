#!/usr/bin/env python3
"""A small network learns to grade phantoms in two minutes: masks first, then grades on frozen vision."""
import contextlib
import io
import os
import unittest

import oracle
import phantoms  # noqa: F401

import train_mreg

CONFIG = os.path.join(oracle.TRAINING, "configs", "mreg", "smoke.json")


class Learning(oracle.DirectoryTest):
    def test_a_small_network_beats_chance_by_far(self):
        with contextlib.redirect_stderr(io.StringIO()):
            result = train_mreg.main([CONFIG, self.path("run"), "--device", "cpu"])
        print(result)
        self.assertGreater(result["area_correlation"], 0.55)               # chance: 0
        self.assertGreater(sum(result["recall"]) / 3, 0.44)                # chance: a third
        self.assertGreater(result["presence"], 0.58)                       # chance: the share of normals, 0.52
        self.assertGreater(result["choice"], 0.6)                          # chance: about 0.4


if __name__ == "__main__":
    oracle.main()
