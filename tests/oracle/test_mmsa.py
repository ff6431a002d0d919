#!/usr/bin/env python3
"""MMSA against loops that follow the paper's equations literally; its losses against hand-made cases."""
import math
import unittest

import oracle
import numpy as np
import torch

from cardiac.mmsa import (MMSA, SEGMENTS, Sizes, frame_pairs, resample_taps, sizes_from, split_segments)
from cardiac.mmsa_losses import consistency, optical_loss, pair_loss, score_loss, smoothness, warp
from cardiac.modelfile import MMSA_DEFAULTS, ModelError, build, check_config
from random_model import random_model


def tiny(seed=1, **overrides):
    config, tensors = random_model("mmsa", "tiny", seed, overrides)
    return build("mmsa", config, tensors).double().requires_grad_(False)


def patient(phases, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((1, phases, 80, 512)))


def naive_tap(kernel, j, phases):
    """(T0/t) w(j T0/t), linear and cyclic, kernel [T0]."""
    taps = len(kernel)
    position = j * taps / phases
    low = math.floor(position + 1e-9)
    share = position - low
    return taps / phases * ((1 - share) * kernel[low % taps] + share * kernel[(low + 1) % taps])


class Kernels(unittest.TestCase):
    def test_twenty_phases_use_the_base_kernel_as_it_is(self):
        w = torch.rand(3, 20, 3, 3)
        self.assertTrue(torch.equal(resample_taps(w, 20, 1), w))

    def test_other_phases_interpolate_between_taps_and_from_the_last_to_the_first(self):
        w = torch.rand(5, 2, 20, dtype=torch.float64)
        for phases in (8, 10, 25, 30, 64):
            resampled = resample_taps(w, phases, 2)
            for j in range(phases):
                expected = naive_tap(w.numpy()[4, 1], j, phases)
                self.assertAlmostEqual(resampled[4, 1, j].item(), expected, places=12, msg=f"t={phases} j={j}")

    def test_an_even_kernel_keeps_its_sum_for_any_number_of_phases(self):
        w = torch.rand(1, 20, dtype=torch.float64)
        for phases in (8, 10, 25, 64):
            self.assertAlmostEqual(resample_taps(torch.ones_like(w), phases, 1).sum().item(), 20, places=9)


class Arrangement(unittest.TestCase):
    def test_segment_k_holds_columns_32_k_and_on(self):
        p = patient(8)
        segments = split_segments(p)
        self.assertEqual(tuple(segments.shape), (SEGMENTS, 8, 80, 32))
        for k in (0, 5, 15):
            self.assertTrue(torch.equal(segments[k], p[0, :, :, 32 * k:32 * k + 32]))

    def test_subjects_do_not_mix(self):
        model, both = tiny(), torch.cat([patient(8, 1), patient(8, 2)])
        together, alone = model(both), model(both[1:])
        for name in ("logits", "flow1", "attention2"):
            self.assertTrue(torch.allclose(together[name][1], alone[name][0], atol=1e-12), name)

    def test_a_pair_holds_the_picture_and_the_one_d_phases_later_also_over_the_end(self):
        p = patient(8)
        pairs = frame_pairs(p, 3)
        self.assertTrue(torch.equal(pairs[6, 0], p[0, 6]) and torch.equal(pairs[6, 1], p[0, 1]))
        self.assertTrue(torch.equal(frame_pairs(p, -3)[1, 1], p[0, 6]))


class Attention(unittest.TestCase):
    def naive(self, model, x, m):
        """A and z of one segment at scale 1/4: x [C,h,w], m [t,2,h,w], numpy."""
        msa, config = model.msa["scale4"], model.config
        phases, _, height, width = m.shape
        get = {n: t.numpy() for n, t in msa.state_dict().items()}
        magnitude = np.hypot(m[:, 0], m[:, 1])
        logits = np.zeros((height, width))
        for row in range(height):
            for column in range(width):
                inside = [(r, c) for r in range(row - 1, row + 2) for c in range(column - 1, column + 2)
                          if 0 <= r < height and 0 <= c < width]
                a1, b1 = get["feature.bias"].copy(), get["flow.bias"].copy()
                a1 += get["feature.weight"] @ x[:, row, column]
                for q in range(len(a1)):
                    for j in range(phases):
                        a1[q] += naive_tap(get["magnitude.weight"][q, 0], j, phases) * max(
                            magnitude[j][place] for place in inside)
                        for k in range(2):
                            mean = sum(m[j, k][place] for place in inside) / 9
                            a1[q] += naive_tap(get["direction.weight"][q, k], j, phases) * mean
                            b1[q] += naive_tap(get["flow.weight"][q, k], j, phases) * m[j, k, row, column]
                encoded = np.concatenate([a1, b1])
                if config["attention_activation"] == "leaky_relu":
                    encoded = np.where(encoded > 0, encoded, 0.2 * encoded)
                logits[row, column] = get["map.weight"][0] @ encoded
        attention = np.exp(logits - logits.max())
        attention /= attention.sum()
        gain = height * width if config["attention_gain"] == "area" else 1
        return attention, x + gain * attention * x

    def check(self, **overrides):
        rng = np.random.default_rng(4)
        model = tiny(2, **overrides)
        x, m = rng.standard_normal((2, 10, 6, 4)), rng.standard_normal((2, 9, 2, 6, 4))
        z, attention = model.msa["scale4"](torch.from_numpy(x), torch.from_numpy(m))
        for i in range(2):
            expected, result = self.naive(model, x[i], m[i])
            self.assertLess(np.abs(attention[i].numpy() - expected).max(), 1e-12)
            self.assertLess(np.abs(z[i].numpy() - result).max(), 1e-11)

    def test_attention_is_what_the_equations_say(self):
        self.check()

    def test_gain_by_area_and_an_activation_change_it_as_told(self):
        self.check(attention_gain="area", attention_activation="leaky_relu")


class Enhancement(unittest.TestCase):
    def test_squeeze_and_excitation_scales_channels_by_a_softmax(self):
        for scale, factor in (("1", 1), ("C", 12)):
            tse = tiny(tse_scale=scale).tse
            x = torch.randn(2, 12, 5, 2, dtype=torch.float64)
            ratio = (tse(x) / x)[:, :, 0, 0]
            self.assertTrue(torch.allclose(ratio.sum(1), torch.full((2,), float(factor), dtype=torch.float64)))
            s1 = x.mean((2, 3)).numpy()
            hidden = s1 @ tse.fc1.weight.numpy().T + tse.fc1.bias.numpy()
            logits = np.where(hidden > 0, hidden, 0.2 * hidden) @ tse.fc2.weight.numpy().T + tse.fc2.bias.numpy()
            expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True) * factor
            self.assertLess(np.abs(ratio.numpy() - expected).max(), 1e-12)

    def test_the_non_local_block_sums_over_all_positions(self):
        nl = tiny().nl
        x = torch.randn(1, 12, 3, 2, dtype=torch.float64)
        flat = x[0].flatten(1).numpy().T
        get = {n: t.numpy() for n, t in nl.state_dict().items()}

        def project(name, v):
            return get[f"{name}.weight"] @ v + get[f"{name}.bias"]

        for i in range(6):
            weights = [math.exp(project("phi", flat[i]) @ project("psi", flat[j])) for j in range(6)]
            r = sum(w * project("g", flat[j]) for j, w in enumerate(weights)) / sum(weights)
            expected = flat[i] + project("theta", r)
            self.assertLess(np.abs(nl(x)[0].flatten(1)[:, i].numpy() - expected).max(), 1e-11)


class Network(unittest.TestCase):
    def test_every_number_of_phases_from_8_to_64_gives_sixteen_scores(self):
        model = tiny().float()
        for phases in (8, 21, 64):
            outputs = model(patient(phases).float())
            self.assertEqual(tuple(outputs["probabilities"].shape), (1, 16, 4))
            self.assertEqual(tuple(outputs["flow2"].shape), (1, phases, 2, 40, 256))
            self.assertTrue(torch.isfinite(outputs["logits"]).all())

    def test_given_flows_replace_the_flow_branch(self):
        model, p = tiny(), patient(8)
        flows = model.flows(p)
        self.assertTrue(torch.equal(model(p, flows)["logits"], model(p)["logits"]))
        other = tuple(torch.zeros_like(u) for u in flows)
        self.assertFalse(torch.allclose(model(p, other)["attention1"], model(p)["attention1"]))

    def test_every_ablation_is_a_network_of_its_own_and_can_be_read_back(self):
        p = patient(8)
        for overrides in ({"attention": "concatenation"}, {"attention_scales": "1/2"}, {"attention_scales": "1"},
                          {"attention": "concatenation", "attention_scales": "1/4"}, {"enhancement": "conv"},
                          {"non_local": False}, {"flow_residual": True}, {"flow_step": 7}):
            model = tiny(**overrides)
            self.assertEqual(sizes_from(model.state_dict(), model.config).flow, model.sizes.flow)
            self.assertTrue(torch.isfinite(model(p)["logits"]).all(), overrides)

    def test_a_residual_flow_adds_twice_the_coarser_one(self):
        plain, residual, p = tiny(), tiny(flow_residual=True), patient(8)
        for model in (plain, residual):
            for output in (model.flow.output1, model.flow.output2):
                output.weight.zero_()
                output.bias.zero_()
        self.assertEqual(plain.flows(p)[0].abs().max().item(), 0)
        u1, u2, u4 = residual.flows(p)
        centre = u4[..., 3:-3, 3:-3].mean()
        self.assertAlmostEqual((u1.mean() / u4.mean()).item(), 4, places=1)
        self.assertGreater(centre.abs().item(), 0)
        self.assertEqual(tuple(u2.shape), (1, 8, 2, 40, 256))

    def test_a_fresh_network_trains_in_every_part(self):
        torch.manual_seed(0)
        model = MMSA(MMSA_DEFAULTS, Sizes(flow=(2, 2, 2, 2), cnn=(2, 2, 2, 2), attention=2, squeezed=2, embedded=2,
                                          hidden=4))
        p = patient(8).float()
        torch.nn.init.normal_(model.nl.theta.weight)
        (score_loss(model(p)["logits"], torch.ones(1, 16, dtype=torch.int64)) + optical_loss(model, p)).backward()
        for name, value in model.named_parameters():
            self.assertTrue(value.grad is not None and torch.isfinite(value.grad).all(), name)
        self.assertGreater(model.flow.encoder1.conv1.weight.grad.abs().max().item(), 0)

    def test_a_configuration_that_does_not_fit_is_refused_by_its_key(self):
        for key, value in (("flow_step", 8), ("flow_step", True), ("attention_gain", 1), ("non_local", "no"),
                           ("labels", ["a"])):
            with self.assertRaisesRegex(ModelError, key):
                check_config("mmsa", {**MMSA_DEFAULTS, key: value})


class Losses(unittest.TestCase):
    def test_warping_by_whole_pixels_moves_the_picture_back_and_clamps_at_the_border(self):
        q = torch.arange(12.).reshape(1, 1, 3, 4)
        u = torch.zeros(1, 2, 3, 4)
        u[:, 0], u[:, 1] = 1, -1             # reads one row below, one column to the left
        expected = torch.tensor([[4., 4, 5, 6], [8, 8, 9, 10], [8, 8, 9, 10]])
        self.assertTrue(torch.allclose(warp(q, u)[0, 0], expected, atol=1e-5))

    def test_warping_by_half_a_pixel_averages_neighbours(self):
        q = torch.tensor([[[[0., 2, 6]]]])
        u = torch.zeros(1, 2, 1, 3)
        u[:, 1] = 0.5
        self.assertTrue(torch.allclose(warp(q, u)[0, 0, 0], torch.tensor([1., 4, 6]), atol=1e-6))

    def test_a_right_flow_has_no_photometric_loss_and_a_wrong_one_has(self):
        picture = torch.rand(1, 1, 10, 12).double()
        moved = picture.roll(2, 3)           # what was at x is now at x + 2
        u = torch.zeros(1, 2, 10, 12).double()
        wrong = consistency(picture[..., 1:9], moved[..., 1:9], u[..., 1:9])
        u[:, 1] = 2
        error = (picture - warp(moved, u))[..., :-2].square().max()
        self.assertLess(error.item(), 1e-20)
        self.assertGreater(wrong.item(), 0.01)

    def test_sobel_of_a_ramp_is_eight_times_its_slope(self):
        u = torch.zeros(1, 2, 5, 6)
        u[:, 0] = 0.5 * torch.arange(6.)                     # u_v grows by 0.5 a column: (8 * 0.5)² = 16
        u[:, 1] = 0.25 * torch.arange(5.)[:, None]           # u_h grows by 0.25 a row: (8 * 0.25)² = 4
        self.assertAlmostEqual(smoothness(u).item(), 20, places=4)
        self.assertEqual(smoothness(torch.full((2, 2, 5, 6), 3.)).item(), 0)

    def test_the_loss_of_a_pair_sums_the_scales_with_their_weights(self):
        pairs = torch.rand(2, 2, 16, 16).double()
        flows = [torch.rand(2, 2, 16 // s, 16 // s).double() for s in (1, 2, 4)]
        expected = 0
        for scale, u in zip((1, 2, 4), flows):
            p, q = (np.stack([[[pairs[b, k, scale * y:scale * y + scale, scale * x:scale * x + scale].mean()
                                for x in range(16 // scale)] for y in range(16 // scale)] for b in range(2)])[:, None]
                    for k in (0, 1))
            expected += 0.5 * 3 * consistency(torch.from_numpy(p), torch.from_numpy(q), u) + 0.5 * 7 * smoothness(u)
        self.assertAlmostEqual(pair_loss(pairs, flows, 3, 7).item(), expected.item(), places=10)

    def test_both_directions_count_and_segments_without_a_score_do_not(self):
        model, p = tiny(), patient(8)[..., :32]
        forward = pair_loss(frame_pairs(p, 3), model.flow(frame_pairs(p, 3)))
        backward = pair_loss(frame_pairs(p, -3), model.flow(frame_pairs(p, -3)))
        self.assertAlmostEqual(optical_loss(model, p).item(), (forward + backward).item(), places=12)
        logits, scores = torch.randn(1, 16, 4), torch.ones(1, 16, dtype=torch.int64)
        scores[0, 1:] = 0
        self.assertAlmostEqual(score_loss(logits, scores).item(), -logits[0, 0].log_softmax(0)[0].item(), places=5)


if __name__ == "__main__":
    oracle.main()
