#!/usr/bin/env python3
"""Ablations from a checkpoint to the table, and predictions of phantoms, with a network of seconds."""
import contextlib
import csv
import io
import os
import unittest
from unittest import mock

import oracle
import phantoms  # noqa: F401
import torch

import ablations
import draw_curves
import evaluate
import predict_mreg
from cardiac.samples import PhantomSource
from cardiac.seeds import fixed_list
from cardiac.trainer import Trainer, check_config
from random_model import XCLIP_SIZES

CONFIG = {"name": "tiny", "size": XCLIP_SIZES["tiny"], "mask_cells": 8, "validation": 2, "precision": "fp32",
          "stages": [{"name": "masks", "objective": "dense", "graded": False, "instances": 1, "frames": 2, "batch": 2,
                      "steps": 1}]}


class Ablations(oracle.DirectoryTest):
    def setUp(self):
        super().setUp()
        trainer = Trainer(check_config(CONFIG), self.directory, lambda **keys: PhantomSource(**keys),
                          say=lambda _: None)
        trainer.progress.shown = False
        trainer.run()
        self.sizes = dict(ablations.SIZES)
        ablations.SIZES.update({"train": 4, "validation": 3, "test": 5})
        self.addCleanup(ablations.SIZES.update, self.sizes)

    def run_main(self, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()):
            ablations.main(list(arguments))
        return said.getvalue()

    def test_every_row_trains_and_reaches_the_page(self):
        folder = self.path("tokens")
        self.run_main("cache", self.path("stage-masks.pt"), folder)
        self.run_main("train", folder, "--seeds", "2", "--epochs", "1", "--batch", "2")
        self.assertEqual(len([n for n in os.listdir(folder) if n.endswith(".csv")]), 14)
        self.assertEqual(self.run_main("train", folder, "--seeds", "2"), "")          # nothing is left to do
        with open(self.path("page.md"), "w", encoding="utf-8") as file:
            file.write(f"before\n{ablations.BEGIN}\nold\n{ablations.END}\nafter\n".format("frozen", "frozen"))
        self.run_main("report", folder, "--page", self.path("page.md"))
        with open(self.path("page.md"), encoding="utf-8") as file:
            page = file.read()
        self.assertTrue(page.startswith("before\n") and page.endswith("\nafter\n") and "old" not in page)
        for name in ablations.NAMES.values():
            self.assertIn(f"| {name} | 2 |", page)

    def test_the_whole_network_trains_row_by_row(self):
        folder = self.path("whole")
        short = ["--set", "size=tiny", "--set", "mask_cells=8", "--set", "validation=2", "--set", "precision=fp32",
                 "--set", 'stages.0={"name": "videos", "objective": "mreg", "instances": 3, "batch": 1, "steps": 1}']
        with mock.patch.object(predict_mreg, "fixed_list", lambda split: fixed_list(split)[:4]), \
                mock.patch.object(ablations.train_mreg, "main", wraps=ablations.train_mreg.main) as train:
            self.run_main("whole", self.path("stage-masks.pt"), folder, "--seeds", "1", *short)
        starts = {os.path.basename(call.args[0][1]): "--start" in call.args[0] for call in train.call_args_list}
        self.assertEqual(starts, {"baseline-1": True, "fs_amp_class-1": True, "mreg-1": True, "labels_only-1": False})
        self.assertEqual(sorted(n for n in os.listdir(folder) if n.endswith(".csv")),
                         ["baseline-1.csv", "fs_amp_class-1.csv", "labels_only-1.csv", "mreg-1.csv"])
        said = self.run_main("report", folder)
        self.assertIn("| MReg from labels only | 1 |", said)

    def test_phantoms_are_graded_into_a_file_that_evaluation_reads(self):
        out = self.path("p.csv")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            predict_mreg.main([self.path("mreg.safetensors"), out, "--limit", "5"])
            predict_mreg.main([self.path("last.pt"), self.path("q.csv"), "--limit", "5"])
            evaluate.main([out, self.path("report")])
        with open(out, encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0])[:10], "seed,label,grade,value,p0,p1,p2,presence,instance,state".split(","))
        self.assertEqual([row["jet"] == "none" for row in rows], [float(row["severity"]) == 0 for row in rows])
        with open(self.path("q.csv"), encoding="utf-8") as file:
            again = list(csv.DictReader(file))
        with contextlib.redirect_stderr(io.StringIO()):
            draw_curves.main([self.path("last.pt"), "--out", self.path("curves"), "--seeds", rows[1]["seed"]])
        with open(self.path(f"curves/curve-{rows[1]['seed']}.csv"), encoding="utf-8") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 6)
        for row, other in zip(rows, again):                               # f16 file against f32 checkpoint
            self.assertAlmostEqual(float(row["value"]), float(other["value"]), 2)


if __name__ == "__main__":
    torch.set_num_threads(1)
    oracle.main()
