#!/usr/bin/env python3
"""Training of MMSA: metrics of a fixed table, sets and folds, augmentation, true flow, resumption, and a short training
that must beat chance. The phantom's library is $CARDIAC_PHANTOMS."""
import json
import os
import tempfile
import unittest
from pathlib import Path

import oracle
import numpy as np
import torch

import evaluate_mmsa
import train_mmsa
from cardiac import cmr_phantom, mmsa_data, mmsa_metrics, mmsa_train
from cardiac.modelfile import ModelError, read_model_file
from cardiac.mmsa_losses import warp

FIXED = Path(__file__).with_name("mmsa-predictions.csv")
CONFIGS = Path(oracle.TRAINING) / "configs" / "mmsa"
NEEDS_PHANTOM = unittest.skipUnless(cmr_phantom.library_path().exists(), "libcardiac-phantoms.so is not built")


class Metrics(unittest.TestCase):
    def test_the_fixed_table_gives_the_numbers_worked_out_by_hand(self):
        """Confusion [[20,3,1,0],[2,7,1,0],[0,2,6,1],[0,1,0,4]] of three subjects."""
        truth, predicted, subjects = mmsa_metrics.read_csv(FIXED)
        m = mmsa_metrics.all_metrics(truth, predicted)
        self.assertEqual(subjects, ["a", "b", "c"])
        self.assertEqual(m["confusion"], [[20, 3, 1, 0], [2, 7, 1, 0], [0, 2, 6, 1], [0, 1, 0, 4]])
        by_hand = {"accuracy": 37 / 48, "abnormal_accuracy": 42 / 48, "abnormal_recall": 22 / 24,
                   "abnormal_precision": 22 / 26, "kappa": (42 / 48 - 0.5) / 0.5}
        for name, value in by_hand.items():
            self.assertAlmostEqual(m[name], value, delta=1e-6, msg=name)
        for found, value in zip(m["recall"] + m["precision"],
                                [20 / 24, 7 / 10, 6 / 9, 4 / 5, 20 / 22, 7 / 13, 6 / 8, 4 / 5]):
            self.assertAlmostEqual(found, value, delta=1e-6)

    def test_the_index_is_compared_by_correlation_and_bland_altman(self):
        truth = np.ones((3, 16), int)
        truth[1, :8], truth[2] = 2, 3                       # indices 1, 1.5, 3
        told = truth.copy()
        told[0, :4], told[2, :2] = 2, 4                     # 1.25, 1.5, 3.125
        m = mmsa_metrics.index_metrics(truth, told)
        difference = np.array([0.25, 0, 0.125])
        self.assertAlmostEqual(m["bias"], 0.125, delta=1e-12)
        self.assertAlmostEqual(m["sd"], 0.125, delta=1e-12)
        self.assertAlmostEqual(m["limits"][1], 0.125 + 1.96 * 0.125, delta=1e-12)
        self.assertAlmostEqual(m["rho"], np.corrcoef([1, 1.5, 3], [1.25, 1.5, 3.125])[0, 1], delta=1e-9)
        self.assertAlmostEqual(m["mean_absolute_error"], difference.mean(), delta=1e-12)

    def test_a_class_that_never_occurs_has_no_recall_instead_of_a_wrong_one(self):
        m = mmsa_metrics.segment_metrics([1, 1, 2], [1, 2, 2])
        self.assertTrue(np.isnan(m["recall"][3]) and np.isnan(m["precision"][3]))

    def test_flow_error_counts_only_where_the_mask_holds(self):
        truth, flow = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
        truth[0, 0], truth[1, 1], flow[1, 1] = (3, 4), (1, 0), (1, 1)
        mask = np.array([[True, False], [False, True]])
        m = mmsa_metrics.flow_metrics(flow, truth, mask)
        self.assertAlmostEqual(m["end_point_error"], (5 + 1) / 2)
        self.assertAlmostEqual(m["zero_end_point_error"], (5 + 1) / 2)
        self.assertAlmostEqual(m["radial_error"], 1.5)

    def test_a_table_of_predictions_makes_every_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            evaluate_mmsa.main([folder, "--csv", str(FIXED)])
            for name in ("scatter.svg", "bland-altman.svg", "confusion.svg", "table.md", "metrics.json"):
                self.assertGreater(os.path.getsize(os.path.join(folder, name)), 300, name)
            self.assertEqual(json.loads(Path(folder, "metrics.json").read_text())["segments"], 48)


class Configurations(oracle.DirectoryTest):
    def test_every_row_of_the_tables_has_a_sound_configuration(self):
        for path in CONFIGS.glob("*.json"):
            config = mmsa_train.load_config(path)
            self.assertEqual(len(config["flow"]["steps"]), len(config["flow"]["lambda2"]), path.name)

    def test_an_unknown_key_is_named(self):
        with open(self.path("c.json"), "w") as out:
            out.write('{"score": {"epoch": 3}}')
        with self.assertRaisesRegex(ModelError, "score.epoch"):
            mmsa_train.load_config(self.path("c.json"))

    def test_the_rate_rises_and_falls_to_nothing(self):
        rates = [mmsa_train.cosine(i, 100, 0.1) for i in range(100)]
        self.assertEqual(max(rates), 1)
        self.assertEqual(rates.index(1), 9)
        self.assertLess(rates[-1], 1e-3)


class Fake:
    def __init__(self, scores, phases=8, seed=0):
        rng = np.random.default_rng(seed)
        self.scores, self.phases = np.asarray(scores), phases
        self.patch = rng.random((phases, 80, 512)).astype(np.float32)

    def patient_cached(self):
        return self.patch


class Sets(unittest.TestCase):
    def test_folds_are_equal_in_size_and_alike_in_scores(self):
        rng = np.random.default_rng(3)
        subjects = [Fake(rng.choice([1, 2, 3, 4], 16, p=rng.dirichlet([2, 1, 0.6, 0.3])), 1) for _ in range(90)]
        folds = mmsa_data.folds(subjects, 3, 0)
        self.assertEqual(sorted(i for fold in folds for i in fold), list(range(90)))
        self.assertEqual([len(fold) for fold in folds], [30, 30, 30])
        counts = np.array([sum(np.bincount(subjects[i].scores, minlength=5)[1:] for i in fold) for fold in folds])
        self.assertLess(np.abs(counts - counts.mean(0)).max(), 0.15 * 480)
        self.assertLess((np.abs(counts - counts.mean(0)) / counts.mean(0)).max(), 0.35)

    def test_rare_scores_weigh_more_and_the_mean_weight_is_one(self):
        weights = mmsa_train.class_weights([Fake([1] * 12 + [2] * 4)], 0.5)
        self.assertAlmostEqual((weights[1] / weights[0]).item(), 3 ** 0.5, 5)
        self.assertAlmostEqual((12 * weights[0] + 4 * weights[1]).item() / 16, 1, 5)


class Augmentation(unittest.TestCase):
    def test_a_mirrored_segment_still_fits_its_mirrored_flow(self):
        """warp(P, u) = Q is true of mirrored P, u and Q as well."""
        torch.manual_seed(0)
        p = torch.rand(1, 80, 512)
        u = torch.rand(1, 2, 80, 512) - 0.5
        which = torch.zeros(16, dtype=torch.bool)
        which[[2, 7]] = True
        q = warp(p[:, None], u)[:, 0]
        q2 = warp(mmsa_train.mirror(p, which)[:, None], mmsa_train.mirror(u, which, flow=True))[:, 0]
        expected = mmsa_train.mirror(q, which)
        inner = torch.zeros(512, dtype=torch.bool).view(16, 32)
        inner[:, 1:-1] = True
        self.assertLess((q2 - expected)[..., inner.flatten()].abs().max().item(), 1e-4)
        self.assertGreater((q2 - q).abs().max().item(), 0.1)

    def test_phases_of_pictures_and_flow_are_rolled_together(self):
        config = json.loads(json.dumps(mmsa_train.DEFAULTS))
        config["score"].update(roll=3, flip=False)
        p = torch.arange(8.0)[:, None, None].expand(8, 80, 512)
        u = [torch.arange(8.0)[:, None, None, None].expand(8, 2, 80 // s, 512 // s) for s in (1, 2, 4)]
        rolled = set()
        for seed in range(20):
            p2, u2 = mmsa_train.augment(p, u, config, np.random.default_rng(seed))
            self.assertTrue(all(torch.equal(p2[:, 0, 0], x[:, 0, 0, 0]) for x in u2))
            rolled.add(int(p2[0, 0, 0]))
        self.assertGreater(len(rolled), 3)


def small_settings(seed, scores):
    """A phantom of small pictures with the usual motion of given scores."""
    settings = cmr_phantom.draw_settings(seed)
    settings.width = settings.height = 128
    settings.centre_x, settings.centre_y, settings.spacing_mm = 66, 62, 1.9
    settings.phases, settings.slices = 12, 3
    for segment, score in enumerate(scores):
        cmr_phantom.set_score(settings, segment + 1, int(score))
    return settings


def small_subject(folder, seed):
    scores = np.random.default_rng(seed).choice([1, 4], 16)
    phantom = cmr_phantom.Phantom(small_settings(seed, scores))
    np.savez(Path(folder) / f"s{seed:03d}.npz", rings=mmsa_data.phantom_rings(phantom, np.zeros((3, 3, 2))),
             scores=scores, seed=seed)


@NEEDS_PHANTOM
class Phantoms(unittest.TestCase):
    def test_true_flow_carries_a_phase_to_another_in_polar_space(self):
        settings = small_settings(3, [1] * 16)
        settings.noise = 0
        phantom = cmr_phantom.Phantom(settings)
        rings = mmsa_data.phantom_rings(phantom, np.zeros((3, 3, 2)))
        patient = mmsa_data.polar.patient(*rings)
        flow, wall = mmsa_data.true_flow(phantom, 3)
        moved = torch.from_numpy(np.roll(patient, -3, 0))[:, None]
        u = torch.from_numpy(flow).permute(0, 3, 1, 2).float()

        def residual(u):
            return np.sqrt(((warp(moved, u)[:, 0].numpy() - patient)[wall] ** 2).mean())
        self.assertGreater(wall.mean(), 0.1)
        self.assertLess(residual(u), 0.35 * residual(0 * u))
        self.assertGreater(residual(-u), residual(0 * u))

    def test_scores_of_truth_are_those_of_the_settings(self):
        scores = np.array([1, 2, 3, 4] * 4)
        truth = cmr_phantom.Phantom(small_settings(1, scores)).truth()
        self.assertEqual(truth.score[:], scores.tolist())
        self.assertAlmostEqual(truth.index, 2.5)
        self.assertGreater(truth.excursion[0], truth.excursion[3] + 0.15)


@NEEDS_PHANTOM
class Training(oracle.DirectoryTest):
    def test_a_short_training_beats_chance_and_a_cut_off_one_goes_on_to_the_same_weights(self):
        train, test = Path(self.path("train")), Path(self.path("test"))
        train.mkdir(), test.mkdir()
        for seed in range(16):
            small_subject(train if seed < 12 else test, seed)
        config = str(CONFIGS / "smoke.json")
        common = [config, "--train", str(train), "--validation", str(test)]
        train_mmsa.main([*common, "--out", self.path("whole")])
        metrics = json.loads(Path(self.path("whole/metrics.json")).read_text())
        chance = max(np.bincount(np.concatenate([s.scores for s in mmsa_data.read_set(test)]))) / 64
        self.assertGreater(metrics["abnormal_accuracy"], chance + 0.2)
        arch, model_config, card, _ = read_model_file(self.path("whole/model.safetensors"))
        self.assertEqual((arch, model_config["tse_scale"], card["trained"], card["synthetic"]),
                         ("mmsa", "C", True, True))
        self.cut_off(common)

    def cut_off(self, common):
        """Stops after the second epoch, starts again."""
        step, count = mmsa_train.score_step, [0]

        def failing(*args):
            count[0] += 1
            if count[0] > 30:
                raise KeyboardInterrupt
            return step(*args)
        mmsa_train.score_step = failing
        try:
            with self.assertRaises(KeyboardInterrupt):
                train_mmsa.main([*common, "--out", self.path("cut")])
        finally:
            mmsa_train.score_step = step
        train_mmsa.main([*common, "--out", self.path("cut")])
        whole, cut = (read_model_file(self.path(f"{name}/model.safetensors"))[3] for name in ("whole", "cut"))
        for name in whole:
            self.assertTrue(torch.equal(whole[name], cut[name]), name)

    def test_a_flow_made_for_another_distance_is_refused(self):
        torch.save({"flow": {}, "minutes": 0, "stages": 1, "made_for": [1, [4, 4, 8, 8], True]}, self.path("f.state"))
        small_subject(self.directory, 1)
        with self.assertRaisesRegex(ModelError, "asks for"):
            train_mmsa.main([str(CONFIGS / "smoke.json"), "--train", self.directory, "--out", self.path("o"), "--flow",
                             self.path("f.state")])


if __name__ == "__main__":
    oracle.main()
