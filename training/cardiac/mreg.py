"""MReg: grading of mitral regurgitation from I clips of one echo video.

Stage I selects an instance by an X-CLIP logit, stage II regresses a grade with a mixture of
three experts. I instances, T frames, N patches, E embedding width, K grades.
"""
import torch
from torch import nn
import torch.nn.functional as F

from .eigencam import eigencam
from .xclip import XClipBackbone

SELECT = ("logit", "probability")
AMP_PADDING = ("replicate", "zero")
NORM = ("video", "running")
EXPERT_GATE = ("matrix", "row")


class InstanceNorm(nn.Module):
    """Norm of each channel: over all I·T positions of this video, or with stored statistics."""

    def __init__(self, width, kind, eps):
        super().__init__()
        self.kind, self.eps = kind, eps
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        if kind == "running":
            self.register_buffer("running_mean", torch.zeros(width))
            self.register_buffer("running_var", torch.ones(width))

    def forward(self, x):
        """x [...,I,T,E] -> [...,I,T,E]; leading axes are videos."""
        if self.kind == "running":
            mean, var = self.running_mean, self.running_var
        else:
            mean, var = x.mean((-3, -2), keepdim=True), x.var((-3, -2), unbiased=False, keepdim=True)
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias


class Amplifier(nn.Module):
    """a = Norm(z + beta·g), g the convolution along t of m[i,t] = ‖z[i,t]‖."""

    def __init__(self, width, beta, padding, norm, norm_eps):
        super().__init__()
        self.beta, self.padding = beta, padding
        self.conv = nn.Conv1d(1, width, 3)
        self.norm = InstanceNorm(width, norm, norm_eps)

    def forward(self, z):
        """z [...,I,T,E] -> a [...,I,T,E]."""
        m = z.norm(dim=-1).flatten(0, -2)[:, None]                        # [I,1,T]
        mode = {"replicate": "replicate", "zero": "constant"}[self.padding]
        g = self.conv(F.pad(m, (1, 1), mode=mode)).transpose(1, 2)        # [I,T,E]
        return self.norm(z + self.beta * g.reshape(z.shape))


class Experts(nn.Module):
    """K experts h_k = W_k(x ⊙ w_k); the gate w is read from the weights themselves."""

    def __init__(self, count, width, gate):
        super().__init__()
        self.gate_kind = gate
        self.weight = nn.Parameter(torch.zeros(count, width, width))      # W_k [out,in]

    def gate(self):
        """w_k [K,1] (matrix: softmax_k ‖W_k‖_F) or [K,E] (row: softmax_k ‖W_k[c,:]‖)."""
        if self.gate_kind == "matrix":
            return self.weight.flatten(1).norm(dim=1, keepdim=True).softmax(0)
        return self.weight.norm(dim=2).softmax(0)


class Mix(nn.Module):
    """r = Σ_k c_k e_k + b."""

    def __init__(self, count):
        super().__init__()
        self.weight = nn.Parameter(torch.arange(count) / 3.0)
        self.bias = nn.Parameter(torch.tensor(1.0))

    def forward(self, e):
        """e [...,K] -> [...]."""
        return e @ self.weight + self.bias


class MRegHead(nn.Module):
    """Amplification, mixture of experts, dot-product fusion and regression."""

    def __init__(self, config, width):
        super().__init__()
        grades = len(config["labels"])
        self.amp = Amplifier(width, config["beta"], config["amp_padding"], config["norm"],
                             config["norm_eps"])
        self.expert_video = Experts(grades, width, config["expert_gate"])
        self.expert_text = Experts(grades, width, config["expert_gate"])
        self.mix = Mix(grades)

    def forward(self, z, p, grade_text):
        """z [I,T,E], p [I,T,N,E], t'3 grade_text [I,K,E] -> a [I,T,E], e [I,T,N,K].

        Axes before I are videos, as in training; Norm never mixes them.
        u_k = Wt_k(f3 ⊙ wt_k) with f3 = p ⊙ t'3 is never materialised:
        <h_k, u_k> = <p, q_k>, q_k = Wt_kᵀ h_k ⊙ wt_k ⊙ t'3_k.
        """
        a = self.amp(z)
        wv, wt = self.expert_video, self.expert_text
        gated = a[..., None, :] * wv.gate()                                   # [I,T,K,E]
        h = torch.einsum("koe,...ke->...ko", wv.weight, gated)
        q = torch.einsum("koe,...ko->...ke", wt.weight, h) * wt.gate() * grade_text[..., None, :, :]
        return a, p @ q.transpose(-1, -2) / z.shape[-1] ** 0.5


class MReg(XClipBackbone):
    """Backbone, two prompt sets (presence, grade) and the head."""

    def __init__(self, config, sizes):
        super().__init__(config, sizes)
        width = sizes["embed_width"]
        self.text.presence = nn.Parameter(torch.zeros(2, width))
        self.text.grade = nn.Parameter(torch.zeros(len(config["labels"]), width))
        self.head = MRegHead(config, width)

    def forward(self, clips):
        """clips [I,T,3,S,S], normalised, one video -> outputs by name."""
        c, p, z = self.encode(clips)
        features = {"frame_features": c, "patch_features": p, "video_features": z,
                    "presence_text": self.prompt(self.text.presence, p),
                    "grade_text": self.prompt(self.text.grade, p)}
        return {**features, **self.run_head(features)}

    def select(self, s2):
        """Selected instance i* of s2 [I,2]; the lowest index on ties."""
        score = s2[:, 1] if self.config["select"] == "logit" else s2.softmax(1)[:, 1]
        return torch.nonzero(score == score.max())[0, 0]

    def run_head(self, features):
        """Everything after the backbone, from video_features, patch_features and both texts."""
        z, p = features["video_features"], features["patch_features"]
        s2 = self.logits(z, features["presence_text"])
        selected = self.select(s2)
        a, e = self.head(z, p, features["grade_text"])
        e_frame = e.mean(2)                                                   # [I,T,K]
        curve = self.head.mix(e_frame)                                        # r[i,t]
        regression = curve.mean(1)                                            # r[i]
        thresholds = torch.tensor(self.config["thresholds"], dtype=curve.dtype)
        mixed = e[selected] @ self.head.mix.weight                            # [T,N]
        return {"s2": s2, "presence": s2.softmax(1)[:, 1], "selected": selected,
                "amplified": a, "activation": e, "experts": e_frame.mean(1), "curve": curve,
                "regression": regression, "grade": (regression[selected] >= thresholds).sum(),
                "eigencam": eigencam(p[selected], mixed)}
