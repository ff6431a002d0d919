#!/usr/bin/env python3
"""Training of MReg: losses by hand, many videos at once against one, exact resumption, frozen seeds."""
import math
import os
import unittest

import oracle
import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as processes

import convert
from cardiac import dense, losses, read_model_file
from cardiac.initialise import initialise, new_model, parameter_groups, set_cell_means
from cardiac.modelfile import ModelError, build
from cardiac.samples import Prefetch, Replay, normalise
from cardiac.seeds import count, fixed_list, interleaved, read_seeds, train_seed
from cardiac.trainer import Trainer, check_config, rate_at
from cardiac.videos import VARIANTS, chance, encode_tokens, encode_videos, exportable, run_videos
from random_model import XCLIP_SIZES, random_model
from random_model import main as random_main

TINY = XCLIP_SIZES["tiny"]


class Losses(unittest.TestCase):
    def test_focal_loss_is_cross_entropy_where_gamma_is_0(self):
        logits = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]])
        self.assertAlmostEqual(losses.focal(logits, torch.tensor([1, 0]), 0).item(), (math.log(4) + math.log(2)) / 2, 6)

    def test_focal_loss_matches_a_sum_by_hand(self):
        logits = torch.tensor([[math.log(3), 0.0]])                        # p = 3/4, 1/4
        self.assertAlmostEqual(losses.focal(logits, torch.tensor([0])).item(), 0.25 ** 2 * math.log(4 / 3), 6)
        self.assertAlmostEqual(losses.focal(logits, torch.tensor([1])).item(), 0.75 ** 2 * math.log(4), 6)

    def test_total_is_the_papers_weighted_sum(self):
        outputs = {
            "s2": torch.tensor([[0.0, math.log(3)], [0.0, 0.0]]),          # p_mr = 3/4, 1/2
            "regression": torch.tensor([1.5, 0.25]),
            "experts": torch.tensor([[0.0, 0.0, math.log(2)], [0.0, 0.0, 0.0]]),  # p = 1/4 1/4 1/2; thirds
            "curve": torch.tensor([[1.0, 2.0, 1.5], [0.5, -0.25, 0.5]]),
        }
        found = losses.mreg_losses(outputs, torch.tensor([2, 0]))
        by_hand = {
            "presence": (1.0, (0.25 ** 2 * math.log(4 / 3) + 0.5 ** 2 * math.log(2)) / 2),
            "regression": (1.0, (0.25 + 0.0625) / 2),
            "expert": (1.0, (0.5 ** 2 * math.log(2) + (2 / 3) ** 2 * math.log(3)) / 2),
            "smooth": (0.01, ((1 + 0.25) + (0.5625 + 0.5625)) / 2),
            "sparsity": (0.001, (4.5 / 3 + 1.25 / 3) / 2),
        }
        self.assertEqual(set(found), set(by_hand))
        for name, (weight, value) in by_hand.items():
            self.assertEqual(found[name][0], weight)
            self.assertAlmostEqual(found[name][1].item(), value, 6, name)
        self.assertAlmostEqual(losses.total(found).item(), sum(w * v for w, v in by_hand.values()), 6)

    def test_mask_heads_start_at_their_priors(self):
        heads = dense.DenseHeads(20, 4, 8)
        logits, _ = heads(torch.zeros(1, 2, 20), torch.zeros(1, 2, 16, 20))
        self.assertEqual(list(logits.shape), [2, 1, 2, 8, 8])
        self.assertTrue((logits[dense.JET] == -4.5).all() and (logits[dense.ATRIUM] == -2.5).all())

    def test_a_patch_feature_predicts_the_cells_under_its_patch(self):
        heads = dense.DenseHeads(20, 4, 8)
        p = torch.zeros(1, 1, 16, 20)
        p[0, 0, 6] = 1.0                                                   # patch row 1, column 2
        logits, _ = heads(torch.zeros(1, 1, 20), p)
        changed = (logits[0, 0, 0] != -4.5).nonzero().tolist()
        self.assertEqual(changed, [[2, 4], [2, 5], [3, 4], [3, 5]])

    def test_continuous_grades_meet_the_thresholds_at_the_borders(self):
        found = dense.continuous_grade(torch.tensor([0.0, 0.05, 0.10, 0.20, 3.0]))
        for value, expected in zip(found.tolist(), (0, 0.5, 1.0, 1.5, 2.0)):
            self.assertAlmostEqual(value, expected, 5)


class Videos(unittest.TestCase):
    def setUp(self):
        config, tensors = random_model("mreg", "tiny", 5)
        self.model = build("mreg", config, tensors).double().requires_grad_(False)
        self.model.variant = VARIANTS["mreg"]
        self.clips = torch.randn(4, 3, 6, 3, 28, 28, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    def test_many_videos_at_once_equal_the_module_on_each(self):
        _, p, z = encode_videos(self.model, self.clips)
        batched = run_videos(self.model, z, p)
        self.assertGreater(len(set(batched["selected"].tolist())), 1)
        for b, clips in enumerate(self.clips):
            one = self.model(clips)
            i = int(one["selected"])
            self.assertEqual(batched["selected"][b], i)
            self.assertEqual(batched["grade"][b], one["grade"])
            for name, expected in (("s2", one["s2"][i]), ("experts", one["experts"][i]), ("curve", one["curve"][i]),
                                   ("regression", one["regression"][i]), ("presence_all", one["presence"])):
                torch.testing.assert_close(batched[name][b], expected, rtol=1e-9, atol=1e-9)

    def test_a_random_instance_goes_through_the_head_alone(self):
        self.model.variant = VARIANTS["random_instance"]
        number = torch.tensor([3, 4, 5, 6])
        _, p, z = encode_videos(self.model, self.clips)
        outputs = run_videos(self.model, z, p, number)
        for b, clips in enumerate(self.clips):
            i = int(chance(number, 3)[b])
            self.assertEqual(outputs["selected"][b], i)
            alone = self.model(clips[i:i + 1])
            torch.testing.assert_close(outputs["regression"][b], alone["regression"][0], rtol=1e-9, atol=1e-9)

    def test_chance_takes_every_instance_about_equally_often(self):
        taken = torch.bincount(chance(torch.arange(20000000, 20003000), 3), minlength=3)
        self.assertLess((taken - 1000).abs().max(), 100)

    def test_every_variant_has_the_losses_that_it_trains_with(self):
        expected = {"baseline": {"regression"}, "fs": {"presence", "regression"}, "fs_amp": {"presence", "regression"},
                    "fs_amp_class": {"presence", "class"}, "fs_amp_moe": {"presence", "regression"},
                    "random_instance": {"presence", "regression", "expert"},
                    "mreg": {"presence", "regression", "expert"}}
        for name, variant in VARIANTS.items():
            model = new_model(TINY, {}, variant)
            initialise(model, 1)
            _, p, z = encode_videos(model, self.clips.float())
            found = losses.mreg_losses(run_videos(model, z, p, torch.arange(4)), torch.tensor([0, 1, 2, 1]))
            self.assertEqual(set(found) - {"smooth", "sparsity"}, expected[name], name)
            losses.total(found).backward()
            unused = [n for n, q in model.named_parameters() if q.grad is None]
            allowed = {"fs_amp_class": ["head.mix.bias"], "baseline": ["text.presence", "logit_scale"]}.get(name, [])
            self.assertTrue(set(unused) <= set(allowed), f"{name}: {unused}")
            self.assertEqual(exportable(variant), name in ("mreg", "fs_amp_moe"))

    def test_fewer_frames_sit_in_the_middle_of_their_part_of_the_clip(self):
        mit = self.model.mit
        mit.position_embedding.copy_(torch.arange(6.0)[:, None].expand(6, 20))
        seen = []
        mit.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0, :, 0].tolist()))
        mit(torch.zeros(1, 2, 20, dtype=torch.float64))
        self.assertEqual(seen[0], [1.0, 4.0])


class Initialisation(unittest.TestCase):
    def test_first_filters_are_means_of_cells(self):
        weight = torch.randn(64, 3, 16, 16)
        set_cell_means(weight)
        picture = torch.rand(3, 16, 16)
        found = torch.einsum("dcyx,cyx->d", weight, picture)
        self.assertAlmostEqual(found[3 * 5 + 1].item(), picture[1, 4:8, 4:8].mean().item(), 5)   # cell (1,1), green
        self.assertAlmostEqual(found[48 + 2].item(), picture[2].mean().item(), 5)

    def test_prompts_and_mix_learn_faster_and_vectors_do_not_decay(self):
        model = new_model(TINY, {}, VARIANTS["mreg"])
        groups = parameter_groups(model.named_parameters(), 1e-3, 0.01)
        place = {id(q): g for g in groups for q in g["params"]}
        self.assertEqual(place[id(model.text.grade)]["lr"], 4e-3)
        self.assertEqual(place[id(model.head.mix.bias)]["lr"], 4e-3)
        self.assertEqual(place[id(model.mit.layers[0].mlp.fc1.weight)]["weight_decay"], 0.01)
        self.assertEqual(place[id(model.mit.layers[0].mlp.fc1.bias)]["weight_decay"], 0.0)
        self.assertEqual(sum(len(g["params"]) for g in groups), len(list(model.parameters())))

    def test_the_rate_warms_up_and_ends_at_0(self):
        self.assertAlmostEqual(rate_at(0, 0, 10), 0.1)
        self.assertAlmostEqual(rate_at(0.5, 100, 10), 0.5)
        self.assertAlmostEqual(rate_at(1.0, 100, 10), 0.0)


class FakeSource:
    """Noise whose brightness tells the grade; no phantom library needed."""

    def __init__(self, side, frames, instances=3, cells=0, grades="natural", **_):
        self.side, self.frames, self.instances, self.cells = side, frames, instances, cells

    def train(self, index):
        rng = np.random.default_rng(index)
        grade, shape = index % 3, (self.instances, self.frames)
        clips = rng.integers(0, 80, (*shape, self.side, self.side, 3)) + 80 * grade
        sample = {"clips": clips.astype(np.uint8), "number": index, "grade": grade,
                  "grades": np.full(self.instances, grade), "severity": np.full(self.instances, 0.02 * 4.0 ** grade)}
        if self.cells:
            for name in ("jet", "atrium"):
                sample[name] = rng.integers(0, 256, (*shape, self.cells, self.cells)).astype(np.uint8)
            sample["area"] = rng.random(shape).astype(np.float32)
        return sample

    def fixed(self, split, first, step, limit):
        for index in range(1000 + first, 1000 + limit, step):
            yield self.train(index)


CONFIG = {"name": "tiny", "size": TINY, "mask_cells": 8, "validation": 6, "validate_every": 100, "checkpoint_every": 3,
          "precision": "fp32", "export_dtype": "f32",
          "stages": [{"name": "masks", "objective": "dense", "graded": False, "instances": 1, "frames": 2, "batch": 2,
                      "steps": 2, "reuse": 2},
                     {"name": "instances", "objective": "dense", "instances": 1, "batch": 2, "steps": 7, "warmup": 2},
                     {"name": "head", "objective": "dense", "freeze_backbone": True, "batch": 2, "steps": 2,
                      "reuse": 2},
                     {"name": "videos", "batch": 2, "steps": 2, "dense": 0.1}]}


def silent_trainer(directory, rank=0, world=1, config=None):
    trainer = Trainer(check_config(config or CONFIG), directory, FakeSource, rank, world, say=lambda _: None)
    trainer.progress.shown = False
    return trainer


class Interrupted(Exception):
    """Stands for a power cut."""


class Runs(oracle.DirectoryTest):
    def directory_of(self, name):
        os.makedirs(self.path(name))
        return self.path(name)

    def test_a_resumed_run_ends_with_the_same_bits(self):
        whole = silent_trainer(self.directory_of("whole"))
        whole.run()
        broken, steps = silent_trainer(self.directory_of("broken")), []
        step = broken.train_step

        def until_power_cut(*arguments):
            steps.append(1)
            if len(steps) == 2 + 5:      # in the second stage, after its checkpoint of step 3
                raise Interrupted
            return step(*arguments)

        broken.train_step = until_power_cut
        with self.assertRaises(Interrupted):
            broken.run()
        resumed = silent_trainer(self.path("broken"))
        resumed.resume(self.path("broken/last.pt"))
        self.assertEqual((resumed.state["stage"], resumed.state["step"]), (1, 3))
        resumed.run()
        for name, tensor in whole.model.state_dict().items():
            self.assertTrue(torch.equal(tensor, resumed.model.state_dict()[name]), name)

    def test_a_frozen_backbone_keeps_its_bits_and_gives_the_same_features(self):
        config = {**CONFIG, "stages": [{"objective": "dense", "freeze_backbone": True, "batch": 2, "steps": 2,
                                        "warmup": 1}]}
        trainer = silent_trainer(self.directory_of("run"), config=config)
        before = {n: t.clone() for n, t in trainer.model.state_dict().items()}
        clips = torch.as_tensor(FakeSource(28, 6).train(3)["clips"])[None]
        _, p, z = encode_videos(trainer.model, normalise(clips, trainer.model.config))
        sample = trainer.with_tokens(FakeSource(28, 6).train(3))
        again = encode_tokens(trainer.model, sample["frame"][None].float(), sample["patch"][None].float())
        torch.testing.assert_close(again[0], z, rtol=0, atol=5e-3)
        torch.testing.assert_close(again[1], p, rtol=0, atol=5e-3)
        trainer.run()
        for name, tensor in trainer.model.state_dict().items():
            if name.startswith("vision."):
                self.assertTrue(torch.equal(tensor, before[name]), name)
        self.assertFalse(torch.equal(trainer.model.text.grade, before["text.grade"]))

    def test_a_run_leaves_a_model_file_and_a_checkpoint_that_converts(self):
        silent_trainer(self.directory_of("run")).run()
        arch, config, card, tensors = read_model_file(self.path("run/mreg.safetensors"))
        self.assertEqual((arch, card["trained"], card["synthetic"]), ("mreg", True, True))
        self.assertEqual((card["figures"]["split"], card["figures"]["videos"]), ("validation", 6))
        convert.main(["mreg", self.path("run/best.pt"), self.path("again.safetensors")])
        _, again_config, again_card, again = read_model_file(self.path("again.safetensors"))
        self.assertEqual((again_config, again_card["synthetic"]), (config, True))
        for name, tensor in tensors.items():
            self.assertTrue(torch.equal(tensor, again[name]), name)

    def test_two_processes_learn_what_one_learns_from_twice_the_batch(self):
        config = {**CONFIG, "stages": [{"name": "videos", "batch": 2, "steps": 2, "dense": 0.1, "warmup": 1}]}
        for name in ("two", "one"):
            self.directory_of(name)
        processes.start_processes(run_rank, (self.path("two"), config), 2, start_method="spawn")
        config["stages"][0]["batch"] = 4
        one = silent_trainer(self.path("one"), config=config)
        one.run()
        two = torch.load(self.path("two/last.pt"))["state_dict"]
        start = silent_trainer(self.path("one"), config=config).model.state_dict()
        for name, tensor in one.model.state_dict().items():
            # these change nothing, so AdamW divides rounding noise by rounding noise
            if name != "head.amp.conv.bias" and not name.endswith("k.bias"):
                torch.testing.assert_close(two[name], tensor, rtol=0, atol=2e-5, msg=lambda m, n=name: f"{n}: {m}")
        self.assertGreater((two["text.grade"] - start["text.grade"]).abs().max(), 1e-3)

    def test_converted_weights_are_taken_where_they_fit_and_the_rest_is_said(self):
        path, said = self.path("xclip.safetensors"), []
        random_main(["xclip", path, "--size", "tiny", "--seed", "4", "--config", '{"labels": ["a", "b", "c"]}'])
        trainer = Trainer(check_config(CONFIG), self.directory_of("run"), FakeSource, init=path, say=said.append)
        _, _, _, tensors = read_model_file(path)
        state = trainer.model.state_dict()
        for name, tensor in tensors.items():
            name = "text.grade" if name == "text.embeddings" else name
            self.assertTrue(torch.equal(state[name], tensor), name)
        self.assertIn("text.presence", said[0])
        other = check_config({**CONFIG, "size": XCLIP_SIZES["demo"], "mask_cells": 28})
        with self.assertRaisesRegex(ModelError, "input_side is 28, the configuration wants 112"):
            Trainer(other, self.path("run"), FakeSource, init=path)

    def test_unknown_keys_are_refused_by_name(self):
        with self.assertRaisesRegex(ValueError, "unknown key 'learning_rate'"):
            check_config({"stages": [{"learning_rate": 1, "steps": 1}]})
        with self.assertRaisesRegex(ValueError, "either steps or minutes"):
            check_config({"stages": [{"name": "a"}]})


def run_rank(rank, directory, config):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{directory}/meet", rank=rank, world_size=2)
    silent_trainer(directory, rank, 2, config).run()


class Streams(unittest.TestCase):
    def test_replay_shows_every_sample_about_as_often_as_it_should(self):
        replay = Replay(lambda i: i, 3, 50)
        shown = np.bincount([replay.at(position) for position in range(3000)])
        self.assertEqual(len(shown), 1000)
        self.assertTrue((shown >= 1).all())
        self.assertAlmostEqual(shown[50:900].mean(), 3, 0)
        self.assertLessEqual(len(replay.kept), 51)

    def test_replay_goes_on_in_the_middle_as_if_it_had_never_stopped(self):
        whole, late = Replay(lambda i: i, 4, 30), Replay(lambda i: i, 4, 30)
        expected = [whole.at(position) for position in range(400)]
        self.assertEqual([late.at(position) for position in range(200, 400)], expected[200:])

    def test_the_readers_thread_raises_what_the_drawing_thread_raised(self):
        def make(step):
            if step == 2:
                raise ValueError("no such sample")
            return step

        stream = Prefetch(make, 0)
        self.assertEqual([stream.next(), stream.next()], [0, 1])
        with self.assertRaisesRegex(ValueError, "no such sample"):
            stream.next()
        stream.close()


class Seeds(unittest.TestCase):
    def test_train_validation_and_test_are_disjoint(self):
        seeds = read_seeds()
        test, validation = dict(fixed_list("test", seeds)), dict(fixed_list("validation", seeds))
        self.assertFalse(set(test) & set(validation))
        first = train_seed(0, seeds)
        last = train_seed(count(seeds["splits"]["train"]) - 1, seeds)
        self.assertFalse([s for s in (*test, *validation) if first <= s <= last])
        with self.assertRaises(ValueError):
            train_seed(count(seeds["splits"]["train"]), seeds)

    def test_the_test_set_has_the_papers_proportions(self):
        grades = [grade for _, grade in fixed_list("test")]
        self.assertEqual([grades.count(k) for k in range(3)], [403, 307, 98])

    def test_any_first_part_has_nearly_the_whole_s_proportions(self):
        grades = interleaved([403, 307, 98])
        for n in (50, 100, 400):
            for k, total in enumerate((403, 307, 98)):
                self.assertLess(abs(grades[:n].count(k) - n * total / 808), 1.5)


if __name__ == "__main__":
    oracle.main()
