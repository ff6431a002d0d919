#!/usr/bin/env python3
"""The committed golden files are what the oracle computes today, in double and single precision."""
import os
import re
import unittest

import oracle
import numpy as np

from cardiac import load_model, run_mmsa, run_mreg, run_mreg_head, run_xclip, run_yolov8

RUN = {"xclip": run_xclip, "mreg": run_mreg, "yolov8": run_yolov8, "mmsa": run_mmsa}


def load_input(directory):
    single = os.path.join(directory, "input.npy")
    if os.path.exists(single):
        return np.load(single)
    folder = os.path.join(directory, "input")
    return {name[:-4]: np.load(os.path.join(folder, name)) for name in os.listdir(folder)}


class Golden(unittest.TestCase):
    def compare(self, name, single, tolerance):
        directory = os.path.join(oracle.GOLDEN, name)
        model = load_model(os.path.join(directory, "model.safetensors"))
        if single:
            model.float()
        x = load_input(directory)
        outputs = run_mreg_head(model, x) if isinstance(x, dict) else RUN[model.arch](model, x)
        stored = {file[:-4] for file in os.listdir(directory) if file.endswith(".npy")} - {"input"}
        self.assertEqual({name.split(".")[0] for name in stored}, set(outputs))
        for key in stored:
            value = outputs[key.split(".")[0]]
            step = re.search(r"\.every(\d+)$", key)
            if step:
                value = value[..., ::int(step[1]), ::int(step[1])]
            golden = np.load(os.path.join(directory, f"{key}.npy"))
            self.assertEqual((golden.dtype, golden.shape), (value.dtype, value.shape), key)
            if value.dtype == np.int64:
                self.assertTrue((golden == value).all(), key)
            else:
                self.assertEqual(np.isnan(golden).tolist(), np.isnan(value).tolist(), key)
                scale = np.nanmax(np.abs(golden))
                self.assertLessEqual(np.nanmax(np.abs(golden - value)), tolerance * scale, f"{name}/{key}")

    def test_every_case_in_double_precision(self):
        for name in sorted(os.listdir(oracle.GOLDEN)):
            with self.subTest(name):
                self.compare(name, False, 1e-6)

    def test_every_case_in_single_precision_within_the_engines_tolerance(self):
        for name in sorted(os.listdir(oracle.GOLDEN)):
            with self.subTest(name):
                self.compare(name, True, 1e-4)

    def test_there_are_cases_of_every_network(self):
        for arch in RUN:
            self.assertTrue([name for name in os.listdir(oracle.GOLDEN) if name.startswith(arch)], arch)


if __name__ == "__main__":
    oracle.main()
