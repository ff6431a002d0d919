#!/usr/bin/env python3
"""Evaluation against numbers that scikit-learn 1.9.1 and scipy 1.17.1 gave for the same two files."""
import contextlib
import io
import os
import unittest
import xml.etree.ElementTree as xml

import oracle
import numpy as np

from cardiac import metrics, plots
from evaluate import compare, evaluate, main, read_predictions

FOLDER = os.path.dirname(os.path.abspath(__file__))
FIRST, OTHER = (os.path.join(FOLDER, name) for name in ("predictions.csv", "predictions-other.csv"))
EXPECTED = {
    "videos": 60, "graded": 58, "coverage": 58 / 60, "sure": 0.6166666666666667,
    "accuracy": 0.8103448275862069, "recall": 0.8626373626373626, "precision": 0.7515527950310559,
    "specificity": 0.8953703703703703, "f1": 0.7866419294990724, "kappa_quadratic": 0.778318276580959,
    "kappa_linear": 0.717948717948718, "auc_moderate": 1.0, "auc_presence": 0.9178571428571429,
    "presence_accuracy": 0.7758620689655172, "ece": 0.11766724137931038,
    "accuracy_when_sure": 0.8918918918918919,
}


class Figures(unittest.TestCase):
    def test_figures_of_a_fixed_file_match_independent_ones(self):
        figures, counts = evaluate(read_predictions(FIRST))
        for name, value in EXPECTED.items():
            self.assertAlmostEqual(figures[name], value, delta=1e-6, msg=name)
        self.assertEqual(counts.tolist(), [[24, 4, 0], [4, 19, 3], [0, 0, 4]])
        self.assertLess(figures["accuracy_low"], figures["accuracy"])
        self.assertGreater(figures["accuracy_high"], figures["accuracy"])

    def test_tests_between_two_models_match_independent_ones(self):
        found = compare(read_predictions(FIRST), read_predictions(OTHER))
        for name, value in (("chi_square", 6.914991181657848), ("p_value", 0.008547606305000122),
                            ("mcnemar", 11.076923076923077), ("mcnemar_p", 0.0008740872112984756)):
            self.assertAlmostEqual(found[name], value, delta=1e-6, msg=name)

    def test_chi_square_tail_matches_scipy(self):
        for x, freedom, value in ((0.1, 1, 0.7518296340458492), (3.84, 1, 0.05004352124870519),
                                  (30, 4, 4.894437128029217e-06), (200, 1, 2.0884875837625688e-45),
                                  (7.3, 3, 0.06292623645904312)):
            self.assertAlmostEqual(metrics.chi_square_p(x, freedom) / value, 1, 9)

    def test_area_under_the_curve_counts_pairs(self):
        rng = np.random.default_rng(3)
        positive, score = rng.random(80) < 0.4, rng.integers(0, 12, 80)     # many ties
        pairs = [(a > b) + 0.5 * (a == b) for a in score[positive] for b in score[~positive]]
        self.assertAlmostEqual(metrics.auc(positive, score), np.mean(pairs), 12)
        x, y = metrics.roc(positive, score)
        self.assertAlmostEqual(float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)), np.mean(pairs), 12)

    def test_an_empty_class_counts_as_0_and_never_as_nan(self):
        figures = metrics.summary(metrics.confusion([0, 0, 1], [0, 1, 1]))
        self.assertAlmostEqual(figures["recall"], (0.5 + 1 + 0) / 3)

    def test_the_papers_test_set_gives_the_papers_accuracy(self):
        right = 722
        self.assertAlmostEqual(100 * right / 808, 89.36, 2)
        interval = metrics.bootstrap(lambda a: a.mean(), np.arange(808) < right)
        self.assertAlmostEqual(interval[0], 0.872, 2)
        self.assertAlmostEqual(interval[1], 0.914, 2)


class Command(oracle.DirectoryTest):
    def test_writes_tables_and_drawings(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            main([FIRST, self.path("out"), "--compare", OTHER, "--title", "a < b & c"])
        self.assertIn("81.03 %", said.getvalue())
        for name in ("confusion", "roc", "calibration"):
            tree = xml.parse(self.path(f"out/{name}.svg"))
            self.assertIn("a < b & c", "".join(tree.getroot().itertext()))
        with open(self.path("out/metrics.csv"), encoding="utf-8") as file:
            rows = dict(line.strip().split(",") for line in file)
        self.assertAlmostEqual(float(rows["accuracy"]), EXPECTED["accuracy"], 12)
        self.assertAlmostEqual(float(rows["against_chi_square"]), 6.914991181657848, 9)

    def test_labels_may_come_from_another_file(self):
        with open(self.path("labels.csv"), "w", encoding="utf-8") as file:
            file.write("seed,label\n1000,2\n1001,2\n")
        with contextlib.redirect_stdout(io.StringIO()) as said:
            main([FIRST, self.path("out"), "--labels", self.path("labels.csv")])
        self.assertIn("| videos | 2 |", said.getvalue())

    def test_a_file_without_labels_is_refused_with_what_to_do(self):
        with open(self.path("p.csv"), "w", encoding="utf-8") as file:
            file.write("seed,label,grade,state\n1,,0,RESULT\n")
        with self.assertRaisesRegex(SystemExit, "give --labels"):
            main([self.path("p.csv"), self.path("out")])

    def test_a_curve_figure_holds_every_frame(self):
        plots.curve_figure(self.path("curve"), [("with", np.linspace(0, 2, 16)), ("without", np.zeros(16))],
                           (0.5, 1.5), "Amp")
        words = [e.text for e in xml.parse(self.path("curve.svg")).iter() if e.tag.endswith("text")]
        self.assertIn("0", words)
        self.assertNotIn("-0", words)
        circles = [e for e in xml.parse(self.path("curve.svg")).iter() if e.tag.endswith("circle")]
        self.assertEqual(len(circles), 32)


if __name__ == "__main__":
    oracle.main()
