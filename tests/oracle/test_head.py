#!/usr/bin/env python3
"""The MReg head against loops that materialise f3 and follow the paper's equations literally."""
import math
import unittest

import oracle
import numpy as np
import torch

from cardiac.eigencam import eigencam
from cardiac.modelfile import build
from random_model import random_model

I, T, N, E = 3, 6, 16, 20


def head_model(seed=3, **overrides):
    config, tensors = random_model("mreg", "tiny", seed, overrides)
    return build("mreg", config, tensors).double().requires_grad_(False)


def features(grades=3, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"video_features": (I, T, E), "patch_features": (I, T, N, E), "presence_text": (I, 2, E),
              "grade_text": (I, grades, E)}
    return {name: torch.from_numpy(rng.standard_normal(shape)) for name, shape in shapes.items()}


def naive_amplification(model, z):
    """a = Norm(z + beta·g), element by element."""
    config, head = model.config, model.head
    z, w, bias = z.numpy(), head.amp.conv.weight.numpy()[:, 0], head.amp.conv.bias.numpy()
    x = np.zeros_like(z)
    for i in range(I):
        m = [math.sqrt(sum(v * v for v in z[i, t])) for t in range(T)]
        left, right = (m[0], m[-1]) if config["amp_padding"] == "replicate" else (0.0, 0.0)
        m = [left, *m, right]
        for t in range(T):
            for c in range(E):
                g = sum(w[c, k] * m[t + k] for k in range(3)) + bias[c]
                x[i, t, c] = z[i, t, c] + config["beta"] * g
    norm = head.amp.norm
    for c in range(E):
        if config["norm"] == "video":
            values = [x[i, t, c] for i in range(I) for t in range(T)]
            mean = sum(values) / len(values)
            variance = sum((v - mean) ** 2 for v in values) / len(values)
        else:
            mean, variance = norm.running_mean[c].item(), norm.running_var[c].item()
        x[:, :, c] = (x[:, :, c] - mean) / math.sqrt(variance + 1e-5) * norm.weight[c].item() + norm.bias[c].item()
    return x


def naive_gates(weight, kind):
    """w[k][c]."""
    grades = len(weight)
    norms = np.zeros((grades, E))
    for k in range(grades):
        for c in range(E):
            block = weight[k] if kind == "matrix" else weight[k, c]
            norms[k, c] = math.sqrt((block ** 2).sum())
    return np.exp(norms) / np.exp(norms).sum(0)


def naive_activation(model, a, p, text):
    """e[i,t,n,k] = <h_k, u_k>/√E with f3 materialised."""
    wv, wt = model.head.expert_video.weight.numpy(), model.head.expert_text.weight.numpy()
    gv, gt = (naive_gates(w, model.config["expert_gate"]) for w in (wv, wt))
    f3 = p.numpy()[:, :, :, None] * text.numpy()[:, None, None]          # [I,T,N,K,E]
    e = np.zeros(f3.shape[:-1])
    for k in range(len(wv)):
        for i in range(I):
            for t in range(T):
                h = wv[k] @ (a[i, t] * gv[k])
                for n in range(N):
                    u = wt[k] @ (f3[i, t, n, k] * gt[k])
                    e[i, t, n, k] = h @ u / math.sqrt(E)
    return e


class Head(unittest.TestCase):
    def compare(self, grades=3, **overrides):
        model, inputs = head_model(**overrides), features(grades)
        outputs = model.run_head(inputs)
        a = naive_amplification(model, inputs["video_features"])
        e = naive_activation(model, a, inputs["patch_features"], inputs["grade_text"])
        np.testing.assert_allclose(outputs["amplified"], a, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(outputs["activation"], e, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(outputs["experts"], e.mean((1, 2)), atol=1e-10)
        c, b = model.head.mix.weight.numpy(), model.head.mix.bias.item()
        np.testing.assert_allclose(outputs["curve"], (e * c).sum(-1).mean(2) + b, atol=1e-10)
        r = ((e * c).sum(-1).mean(2) + b).mean(1)
        np.testing.assert_allclose(outputs["regression"], r, atol=1e-10)
        s2 = outputs["s2"].numpy()
        best = max(range(I), key=lambda i: s2[i, 1])
        self.assertEqual(int(outputs["selected"]), best)
        self.assertEqual(int(outputs["grade"]), sum(r[best] >= x for x in model.config["thresholds"]))

    def test_matches_the_paper_as_configured_by_default(self):
        self.compare()

    def test_matches_with_one_gate_per_input_channel(self):
        self.compare(expert_gate="row")

    def test_matches_with_stored_statistics(self):
        self.compare(norm="running")

    def test_matches_with_zero_padding_and_other_beta(self):
        self.compare(amp_padding="zero", beta=0.7)

    def test_matches_with_four_grades(self):
        self.compare(4, labels=["a", "b", "c", "d"], thresholds=[0.5, 1.5, 2.5])

    def test_presence_logits_are_scaled_cosines(self):
        model, inputs = head_model(), features()
        s2 = model.run_head(inputs)["s2"]
        z, t = inputs["video_features"].mean(1).numpy(), inputs["presence_text"].numpy()
        for i in range(I):
            for c in range(2):
                cosine = z[i] @ t[i, c] / np.linalg.norm(z[i]) / np.linalg.norm(t[i, c])
                self.assertAlmostEqual(s2[i, c].item(), math.exp(model.logit_scale.item()) * cosine, 10)

    def test_selection_by_logit_and_by_probability_can_differ(self):
        s2 = torch.tensor([[5.0, 3.0], [0.0, 2.0], [4.0, 3.0]])
        self.assertEqual(int(head_model().select(s2)), 0)               # the lowest index of a tie
        self.assertEqual(int(head_model(select="probability").select(s2)), 1)

    def test_a_grade_begins_exactly_at_its_threshold(self):
        model = head_model()
        model.head.mix.weight.zero_()
        for bias, grade in ((0.49, 0), (0.5, 1), (1.49, 1), (1.5, 2)):
            model.head.mix.bias.fill_(bias)
            self.assertEqual(int(model.run_head(features())["grade"]), grade)


class EigenCam(unittest.TestCase):
    def test_is_the_first_principal_component_with_the_sign_of_the_activation(self):
        rng = np.random.default_rng(1)
        p = torch.from_numpy(rng.standard_normal((T, N, E)))
        mixed = torch.from_numpy(rng.standard_normal((T, N)))
        cam = eigencam(p, mixed).reshape(T, N).numpy()
        for t in range(T):
            x = p[t].numpy() - p[t].numpy().mean(0)
            values, vectors = np.linalg.eigh(x.T @ x)
            expected = x @ vectors[:, -1]
            if (expected * (mixed[t].numpy() - mixed[t].numpy().mean())).sum() < 0:
                expected = -expected
            np.testing.assert_allclose(cam[t], expected, atol=1e-8)

    def test_is_undefined_where_two_singular_values_agree(self):
        p = torch.zeros(2, 4, 3, dtype=torch.float64)
        p[:, :, 0] = torch.tensor([1.0, -1, 1, -1])
        p[0, :, 1] = torch.tensor([1.0, 1, -1, -1])
        p[1, :, 1] = 0.9 * p[0, :, 1]
        cam = eigencam(p, torch.arange(8.0).reshape(2, 4).double())
        self.assertTrue(torch.isnan(cam[0]).all())
        self.assertTrue(torch.isfinite(cam[1]).all())


if __name__ == "__main__":
    oracle.main()
