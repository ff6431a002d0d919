#!/usr/bin/env python3
"""The phantom by ctypes: struct layout, truth, samples, and the frozen generator."""
import hashlib
import json
import os
import re
import unittest

import oracle
import phantoms  # noqa: F401
import numpy as np

from cardiac import phantom
from cardiac.phantom import EchoPhantom, draw, jet_type
from cardiac.samples import PhantomSource
from cardiac.seeds import SEEDS, fixed_list

HEADER = os.path.join(oracle.ROOT, "phantoms", "echo", "echo-phantom.h")


def header_fields(name):
    """Names of a struct's fields as the header declares them, in order."""
    with open(HEADER, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/|///<[^\n]*", "", file.read(), flags=re.S)
    body = re.search(r"typedef struct " + name + r" \{(.*?)\} " + name + ";", text, re.S).group(1)
    declarations = [d.split(None, 1)[1] for d in body.split(";") if d.strip()]
    return [re.sub(r"\[.*", "", field).strip() for d in declarations for field in d.split(",")]


class Binding(unittest.TestCase):
    def test_structures_have_the_headers_fields_in_order(self):
        for structure in (phantom.EchoJet, phantom.EchoSettings, phantom.EchoTruth, phantom.EchoView):
            self.assertEqual([field[0] for field in structure._fields_], header_fields(structure.__name__))

    def test_a_recording_s_grade_is_that_of_its_worst_instance(self):
        for seed in range(60):
            with EchoPhantom(draw(seed, seed % 3)) as recording:
                truths = [recording.instance_truth(k) for k in range(3)]
                self.assertEqual(recording.truth().grade, seed % 3)
                self.assertEqual(max(t.grade for t in truths), seed % 3)
                self.assertEqual(jet_type(recording.settings) == "none", max(t.area for t in truths) == 0)

    def test_masks_tell_the_area(self):
        with EchoPhantom(draw(5, 2)) as recording:
            worst = int(np.argmax([recording.instance_truth(k).severity for k in range(3)]))
            _, jet, atrium, area = recording.instance(worst, 16, recording.square(), 56, 56)
            ratio = jet.sum((1, 2)) / atrium.sum((1, 2)).max()
            self.assertGreater(area.max(), 0.05)
            np.testing.assert_allclose(ratio, area, atol=0.05)
            self.assertEqual((jet.sum((1, 2)) > 0).tolist(), (area > 0).tolist())


class Samples(unittest.TestCase):
    def test_a_sample_depends_on_its_number_alone(self):
        keys = {"side": 28, "frames": 4, "instances": 1, "cells": 8, "grades": "balanced", "jitter": (0.1, 0.05)}
        first, second = PhantomSource(**keys), PhantomSource(**keys)
        expected = [first.train(i) for i in (0, 1, 2)]
        for i in (2, 0, 1):
            for name, value in second.train(i).items():
                np.testing.assert_array_equal(value, expected[i][name])
        self.assertEqual([sample["grade"] for sample in expected], [0, 1, 2])

    def test_fixed_splits_have_their_grades(self):
        samples = list(PhantomSource(28, 2).fixed("validation", limit=6))
        self.assertEqual([(s["number"], s["grade"]) for s in samples], fixed_list("validation")[:6])


class Frozen(unittest.TestCase):
    def test_the_generator_is_the_one_that_the_weights_were_trained_on(self):
        with open(SEEDS, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["hash"], generator_hash())


def generator_hash():
    """SHA-256 over pictures, masks, areas and truths of a few training samples."""
    digest = hashlib.sha256()
    source = PhantomSource(112, 4, cells=28, jitter=(0.08, 0.04), grades="balanced")
    for index in range(3):
        sample = source.train(index)
        for name in ("clips", "jet", "atrium"):
            digest.update(sample[name].tobytes())
        for name in ("area", "severity"):
            digest.update(np.round(sample[name].astype(float), 6).tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    oracle.main()
