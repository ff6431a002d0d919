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
    def learns(self, seed):
        with contextlib.redirect_stderr(io.StringIO()):
            result = train_mreg.main([CONFIG, self.path(f"run-{seed}"), "--device", "cpu", "--set", f"seed={seed}"])
        print(seed, result)
        return (result["area_correlation"] > 0.55     # chance: 0
                and sum(result["recall"]) / 3 > 0.44  # chance: a third
                and result["presence"] > 0.58         # chance: the share of normals, 0.52
                and result["choice"] > 0.6)           # chance: about 0.4

    def test_a_small_network_beats_chance_by_far(self):
        # Rounding, which differs between versions of PyTorch, decides where so short a run ends: of six, four learned
        # all of it, and each learned nearly all.
        self.assertTrue(any(self.learns(seed) for seed in (1, 2, 3)))


if __name__ == "__main__":
    oracle.main()
