"""MReg for training: many videos at once, and the ablations of the paper's Table 2 as switches.

The modules are those of mreg.py: with the default variant run_videos() equals MReg.forward on each
video. B videos, I instances, T frames, N patches, E embedding width, K grades.
"""
import torch
from torch import nn

from .mreg import MReg

# Table 2. select: which instance is graded; amp: amplification and Norm over instances, else
# LayerNorm; moe: experts, else one projection for all grades; expert_loss: Lexpert;
# output: regression or classification.
VARIANTS = {
    "baseline": {"select": "mean", "amp": False, "moe": False, "expert_loss": False, "output": "regression"},
    "fs": {"select": "argmax", "amp": False, "moe": False, "expert_loss": False, "output": "regression"},
    "fs_amp": {"select": "argmax", "amp": True, "moe": False, "expert_loss": False, "output": "regression"},
    "fs_amp_class": {"select": "argmax", "amp": True, "moe": False, "expert_loss": False,
                     "output": "classification"},
    "fs_amp_moe": {"select": "argmax", "amp": True, "moe": True, "expert_loss": False, "output": "regression"},
    "random_instance": {"select": "random", "amp": True, "moe": True, "expert_loss": True,
                        "output": "regression"},
    "mreg": {"select": "argmax", "amp": True, "moe": True, "expert_loss": True, "output": "regression"},
}


class PlainExperts(nn.Module):
    """Without MoE: one projection for all grades and no gate; same calls as Experts."""

    def __init__(self, count, width):
        super().__init__()
        self.count = count
        self.shared = nn.Parameter(torch.zeros(1, width, width))

    @property
    def weight(self):
        return self.shared.expand(self.count, -1, -1)

    def gate(self):
        return self.shared.new_ones(self.count, 1)


class PlainAmplifier(nn.Module):
    """Without Amp: LayerNorm of each frame's feature."""

    def __init__(self, width, eps):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps)

    def forward(self, z):
        return self.norm(z)


def make_model(config, sizes, variant):
    """An MReg whose head has what the variant keeps. Only the full one can be exported."""
    model = MReg(config, sizes)
    width, grades = sizes["embed_width"], len(config["labels"])
    if not variant["amp"]:
        model.head.amp = PlainAmplifier(width, config["norm_eps"])
    if not variant["moe"]:
        model.head.expert_video = PlainExperts(grades, width)
        model.head.expert_text = PlainExperts(grades, width)
    model.variant = variant
    return model


def exportable(variant):
    """Whether a model file can say it: files hold the full head, read with argmax and regression."""
    return variant["amp"] and variant["moe"] and variant["output"] == "regression" and variant["select"] == "argmax"


def encode_videos(model, clips, encode=None):
    """clips [B,I,T,3,S,S] -> c, z [B,I,T,E], p [B,I,T,N,E]; `encode` may be a compiled model.encode."""
    features = (encode or model.encode)(clips.flatten(0, 1))
    return tuple(x.reshape(*clips.shape[:2], *x.shape[1:]) for x in features)


def encode_tokens(model, frame, patch):
    """From vision's outputs: frame features [B,I,T,E], patch tokens [B,I,T,N,D] -> z [B,I,T,E], p [B,I,T,N,E]."""
    p = model.prompt.project_patches(patch.flatten(0, 1))
    return model.mit(frame.flatten(0, 1)).reshape(frame.shape), p.reshape(*patch.shape[:2], *p.shape[1:])


def prompt_videos(model, text, p):
    """Video-specific prompts: text [C,E], p [B,I,T,N,E] -> [B,I,C,E]."""
    return model.prompt(text, p.flatten(0, 1)).reshape(*p.shape[:2], *text.shape)


def pick(x, index):
    """Instance index[b] of each video: x [B,I,...], index [B] -> [B,...]."""
    return x[torch.arange(len(x), device=x.device), index]


def chance(number, count):
    """An instance of `count` by the video's number [B]: random, yet the same in every run."""
    return (number * 2654435761 % 2 ** 32) // 65536 % count


def choose(model, s2):
    """Instance of each video with the highest score, s2 [B,I,2] -> [B]."""
    score = s2[..., 1] if model.config["select"] == "logit" else s2.softmax(-1)[..., 1]
    return score.argmax(1)


def run_head_videos(model, z, p):
    """Everything after the backbone: of all instances s2 [B,I,2], e [B,I,T,N,K], curve [B,I,T]."""
    s2 = model.logits(z.flatten(0, 1), prompt_videos(model, model.text.presence, p).flatten(0, 1))
    a, e = model.head(z, p, prompt_videos(model, model.text.grade, p))
    e_frame = e.mean(-2)
    return {"s2": s2.reshape(*z.shape[:2], 2), "amplified": a, "activation": e, "experts": e_frame.mean(2),
            "curve": model.head.mix(e_frame)}


def run_videos(model, z, p, number=None):
    """z [B,I,T,E], p [B,I,T,N,E] -> what mreg_losses() needs, and `selected`, `value`, `grade`.

    `number` [B] are the videos' own numbers: they decide the random instance, which goes through the
    head alone, because Norm over instances would tell it about the others.
    """
    variant = model.variant
    if variant["select"] == "random":
        chosen = chance(number, z.shape[1])
        z, p = pick(z, chosen)[:, None], pick(p, chosen)[:, None]
    every = run_head_videos(model, z, p)
    if variant["select"] == "mean":
        selected = torch.zeros(len(z), dtype=torch.long, device=z.device)
        one = {name: every[name].mean(1) for name in ("experts", "curve")}
    else:
        selected = choose(model, every["s2"])
        one = {name: pick(every[name], selected) for name in ("s2", "experts", "curve")}
    experts = one.pop("experts")
    outputs = {**one, "selected": chosen if variant["select"] == "random" else selected,
               "activation_all": every["activation"],
               "presence_all": every["s2"].softmax(-1)[..., 1]}
    if variant["output"] == "classification":
        outputs["classes"] = experts
    else:
        outputs["regression"] = one["curve"].mean(1)
        if variant["expert_loss"]:
            outputs["experts"] = experts
    outputs["probabilities"] = experts.softmax(-1)
    return {**outputs, **grade_of(model, outputs)}


def grade_of(model, outputs):
    """The value that is graded, and the grade."""
    if model.variant["output"] == "classification":
        p = outputs["probabilities"]
        return {"grade": p.argmax(-1), "value": (p * torch.arange(p.shape[-1], device=p.device)).sum(-1)}
    value = outputs["regression"]
    thresholds = torch.tensor(model.config["thresholds"], device=value.device)
    return {"grade": (value[:, None] >= thresholds).sum(-1), "value": value}
