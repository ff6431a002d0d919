"""Initialisation of MReg for training from nothing, and from converted X-CLIP weights.

From nothing: a Kinetics checkpoint already knows edges, places and colours; here the first layer is
given means of small cells and the position a sine code, so that training need not find them.
"""
import math

import torch
from torch import nn

from .modelfile import IMAGENET, MREG_DEFAULTS, ModelError, check_config, read_model_file
from .videos import make_model
from .xclip import check_backbone_config

FAST_GROUP = ("text.presence", "text.grade", "logit_scale", "head.mix.weight", "head.mix.bias")


def new_model(size, overrides, variant):
    """(model, config) of an entry of random_model.XCLIP_SIZES or of a list of the same shape."""
    side, patch, frames, vision, embed, mit, prompt = size
    config = {"input_side": side, "frames": frames, "vision_heads": vision[2], "mit_heads": mit[1],
              "prompt_heads": prompt[1], "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
              **IMAGENET, **MREG_DEFAULTS, **overrides}
    sizes = {"patch_side": patch, "vision_width": vision[0], "embed_width": embed,
             "vision_layers": vision[1], "vision_mlp": vision[3], "mit_layers": mit[0],
             "mit_mlp": mit[2], "prompt_layers": prompt[0], "prompt_mlp": prompt[2]}
    check_config("mreg", config)
    check_backbone_config(config, sizes)
    return make_model(config, sizes, variant)


def sine_positions(side, width):
    """2-D sine position code [side²,width], amplitude 1; the first half of the channels is y."""
    def one(count):
        half = math.ceil(count / 2)
        rates = torch.exp(-math.log(side * 2.0) * torch.arange(half) / max(half - 1, 1)) * math.pi
        phase = torch.arange(side)[:, None] * rates
        return torch.stack([phase.sin(), phase.cos()], -1).flatten(1)[:, :count]

    y, x = one(width // 2), one(width - width // 2)
    return torch.cat([y[:, None].expand(-1, side, -1), x[None].expand(side, -1, -1)], -1).flatten(0, 1)


def set_cell_means(weight):
    """First filters of a patch embedding [D,3,P,P]: R, G, B means of 4×4 cells, then of the patch."""
    width, channels, patch, _ = weight.shape
    number = 0
    for grid in (4, 1):
        if patch % grid or number + channels * grid * grid > width:
            continue
        cell = patch // grid
        for y in range(grid):
            for x in range(grid):
                for c in range(channels):
                    weight[number] = 0
                    weight[number, c, y * cell:(y + 1) * cell, x * cell:(x + 1) * cell] = 1 / cell ** 2
                    number += 1


@torch.no_grad()
def initialise(model, seed):
    """Fill all weights; the same seed gives the same weights. Linear layers are torch's default."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, std):
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * std)

    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            bound = 1 / math.sqrt(module.weight[0].numel())
            module.weight.copy_((torch.rand(module.weight.shape, generator=generator) * 2 - 1) * bound)
            if module.bias is not None:
                module.bias.zero_()
    set_cell_means(model.vision.patch_embedding.weight)
    positions = model.vision.position_embedding
    side = math.isqrt(len(positions) - 1)
    positions[1:] = 0.5 * sine_positions(side, positions.shape[1])
    normal(positions[:1], 0.02)
    normal(model.vision.class_embedding, 0.5)
    normal(model.mit.position_embedding, 0.02)
    normal(model.text.presence, 1.0)
    normal(model.text.grade, 1.0)
    for name, parameter in model.head.named_parameters():
        if name.startswith("expert_"):
            normal(parameter, 3 / math.sqrt(3 * parameter.shape[-1]))   # three times a Linear's
    if hasattr(model.head.amp, "conv"):
        normal(model.head.amp.conv.weight, 0.02)


@torch.no_grad()
def initialise_from(model, path, say):
    """Copy what fits from a converted X-CLIP (or MReg) model file; say what does not."""
    _, config, _, tensors = read_model_file(path)
    for key in ("input_side", "frames", "vision_heads", "mit_heads", "prompt_heads"):
        if config[key] != model.config[key]:
            raise ModelError(f"{path}: {key} is {config[key]}, the configuration wants {model.config[key]}")
    if "text.embeddings" in tensors and len(tensors["text.embeddings"]) in (2, 3):
        prompts = tensors.pop("text.embeddings")
        tensors["text.presence" if len(prompts) == 2 else "text.grade"] = prompts
    left = []
    for name, parameter in model.state_dict().items():
        if name in tensors and tensors[name].shape == parameter.shape:
            parameter.copy_(tensors[name])
        else:
            left.append(name)
    if left:
        say(f"{path}: {len(left)} tensors keep their own start: {', '.join(left[:6])}{' …' if len(left) > 6 else ''}")


def parameter_groups(named, rate, weight_decay, fast=4.0):
    """AdamW's groups: prompts, scale and mix learn `fast` times faster; vectors do not decay."""
    groups = {}
    for name, parameter in named:
        key = (name in FAST_GROUP, parameter.dim() > 1 and name not in FAST_GROUP)
        groups.setdefault(key, []).append(parameter)
    return [{"params": parameters, "lr": rate * (fast if quick else 1), "scale": fast if quick else 1.0,
             "weight_decay": weight_decay if decays else 0.0}
            for (quick, decays), parameters in sorted(groups.items())]
