#!/usr/bin/env python3
"""Write a model file with random weights, marked `trained: false`.

Weights are scaled so that signals keep their size through the network and every output varies;
a detector fires some boxes. The same seed gives the same file.
"""
import argparse
import math
import sys

import numpy as np
import torch

from cardiac.mmsa import MMSA, Sizes
from cardiac.modelfile import (DTYPES, IMAGENET, MMSA_DEFAULTS, MREG_DEFAULTS, ModelError, check_config, parse_config,
                               stored_state, write_model_file)
from cardiac.mreg import MReg
from cardiac.xclip import XClip
from cardiac.yolov8 import YoloV8

# input side, patch, frames, vision (width, layers, heads, mlp), embedding width,
# MIT (layers, heads, mlp), prompt (layers, heads, mlp)
XCLIP_SIZES = {
    # everything differs from everything else, so that no two dimensions can be mixed up
    "tiny": (28, 7, 6, (24, 2, 3, 40), 20, (1, 4, 36), (2, 5, 44)),
    "demo": (112, 16, 16, (128, 4, 4, 512), 128, (1, 4, 512), (2, 4, 512)),
    "b32": (224, 32, 16, (768, 12, 12, 3072), 512, (1, 8, 2048), (2, 8, 2048)),
    "b16": (224, 16, 16, (768, 12, 12, 3072), 512, (1, 8, 2048), (2, 8, 2048)),
    "l14": (336, 14, 16, (1024, 24, 16, 4096), 768, (1, 12, 3072), (2, 12, 3072)),
}
XCLIP_LABELS = ["walking", "running", "jumping", "sitting", "standing", "lying down", "waving"]

# widths of stages 0, 1-2, 3-4, 5-6, 7-9; neck widths 12, 15, 18, 21; backbone repeats; neck repeats
YOLO_TINY = ((6, 10, 14, 18, 22), (20, 16, 26, 28), (1, 2, 2, 1), 2)
YOLO_SCALES = {  # depth, width, most channels; p is ours, half as wide as n
    "p": (1 / 3, 0.125, 1024), "n": (1 / 3, 0.25, 1024), "s": (1 / 3, 0.5, 1024), "m": (2 / 3, 0.75, 768),
    "l": (1.0, 1.0, 512), "x": (1.0, 1.25, 512),
}
MMSA_SIZES = {
    "tiny": Sizes(flow=(4, 6, 8, 10), cnn=(6, 8, 10, 12), attention=5, squeezed=3, embedded=7, hidden=11),
    "demo": Sizes(),
    "paper": Sizes(flow=(16, 32, 64, 64)),
}
SIZES = {"xclip": tuple(XCLIP_SIZES), "mreg": tuple(XCLIP_SIZES), "yolov8": ("tiny", *YOLO_SCALES),
         "mmsa": tuple(MMSA_SIZES)}


def normal(rng, shape, std=1.0, mean=0.0):
    values = rng.standard_normal(tuple(shape), np.float32) * std + mean
    return torch.from_numpy(np.asarray(values, np.float32))


def random_vit_tensor(rng, name, shape):
    """One tensor of an xclip or mreg file, by the role that its name tells."""
    embed = shape[-1] if shape else 1
    if name == "logit_scale":
        return torch.tensor(math.log(1 / 0.07))
    if name in ("text.embeddings", "text.presence", "text.grade"):
        return normal(rng, shape)
    if name == "prompt.alpha":
        return normal(rng, shape, 0.1, 0.3)
    if name.endswith("position_embedding") or name.endswith("class_embedding"):
        return normal(rng, shape, 0.5)
    if name == "head.amp.conv.weight":
        return normal(rng, shape, 0.1)
    if name.startswith("head.expert_"):   # unequal norms, so that both gates differ between experts
        rows = normal(rng, (*shape[:2], 1), 0.2, 1.0) * normal(rng, (shape[0], 1, 1), 0.5 / embed ** 0.5, 1.0)
        return normal(rng, shape, (6 / embed) ** 0.5) * rows
    if name == "head.mix.weight":
        return torch.arange(shape[0]) / 3 + normal(rng, shape, 0.5)
    if name == "head.mix.bias":           # any grade may come out
        return normal(rng, shape, 0.6, 1.0)
    if name.endswith("running_var"):
        return normal(rng, shape, 0.2, 0.0).exp()
    if len(shape) == 1 and name.endswith("weight"):   # layer and other norms
        return normal(rng, shape, 0.2, 1.0)
    if len(shape) == 1:                               # biases, running_mean
        return normal(rng, shape, 0.2)
    return normal(rng, shape, 1 / math.prod(shape[1:]) ** 0.5)


def random_vit(arch, size, rng, overrides):
    """Return (config, tensors) of an xclip or mreg model."""
    side, patch, frames, vision, embed, mit, prompt = XCLIP_SIZES[size]
    config = {"input_side": side, "frames": frames, "vision_heads": vision[2], "mit_heads": mit[1],
              "prompt_heads": prompt[1], "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, **IMAGENET}
    config.update(MREG_DEFAULTS if arch == "mreg" else {"labels": XCLIP_LABELS})
    config.update(overrides)
    sizes = {"patch_side": patch, "vision_width": vision[0], "embed_width": embed,
             "vision_layers": vision[1], "vision_mlp": vision[3], "mit_layers": mit[0],
             "mit_mlp": mit[2], "prompt_layers": prompt[0], "prompt_mlp": prompt[2]}
    model = {"xclip": XClip, "mreg": MReg}[arch](config, sizes)
    return config, {name: random_vit_tensor(rng, name, list(value.shape))
                    for name, value in model.state_dict().items()}


def yolov8_widths(size):
    """(stage widths, neck widths, backbone repeats, neck repeats) as in yolov8.yaml."""
    if size == "tiny":
        return YOLO_TINY
    depth, width, most = YOLO_SCALES[size]
    stages = [math.ceil(min(c, most) * width / 8) * 8 for c in (64, 128, 256, 512, 1024)]
    repeats = [max(1, round(n * depth)) for n in (3, 6, 6, 3)]
    return stages, (stages[3], stages[2], stages[3], stages[4]), repeats, repeats[0]


def yolov8_shapes(size, classes):
    """Empty convolution weights by name: the table from which YoloV8 reads its widths."""
    stages, neck, repeats, neck_repeats = yolov8_widths(size)
    shapes = {}

    def conv(name, width_in, width_out, kernel):
        shapes[f"{name}.conv.weight"] = torch.empty(width_out, width_in, kernel, kernel)

    def c2f(name, width_in, width_out, count):
        hidden = width_out // 2
        conv(f"{name}.cv1", width_in, 2 * hidden, 1)
        conv(f"{name}.cv2", (2 + count) * hidden, width_out, 1)
        for j in range(count):
            conv(f"{name}.m.{j}.cv1", hidden, hidden, 3)
            conv(f"{name}.m.{j}.cv2", hidden, hidden, 3)

    conv("model.0", 3, stages[0], 3)
    for i in range(4):
        conv(f"model.{2 * i + 1}", stages[i], stages[i + 1], 3)
        c2f(f"model.{2 * i + 2}", stages[i + 1], stages[i + 1], repeats[i])
    conv("model.9.cv1", stages[4], stages[4] // 2, 1)
    conv("model.9.cv2", stages[4] // 2 * 4, stages[4], 1)
    c2f("model.12", stages[4] + stages[3], neck[0], neck_repeats)
    c2f("model.15", neck[0] + stages[2], neck[1], neck_repeats)
    conv("model.16", neck[1], neck[1], 3)
    c2f("model.18", neck[1] + neck[0], neck[2], neck_repeats)
    conv("model.19", neck[2], neck[2], 3)
    c2f("model.21", neck[2] + stages[4], neck[3], neck_repeats)
    box_width = max(16, neck[1] // 4, 64) if size != "tiny" else 12
    class_width = max(neck[1], min(classes, 100)) if size != "tiny" else 9
    for i, width in enumerate((neck[1], neck[2], neck[3])):
        for branch, inner in (("cv2", box_width), ("cv3", class_width)):
            conv(f"model.22.{branch}.{i}.0", width, inner, 3)
            conv(f"model.22.{branch}.{i}.1", inner, inner, 3)
    return shapes


def random_pictures(rng, count=8, side=128):
    """Pictures [count,3,side,side] in 0..1 from smooth to noisy, of different brightness."""
    coarse = torch.from_numpy(rng.random((count, 3, 8, 8), np.float32))
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear", align_corners=False)
    noise = torch.from_numpy(rng.random((count, 3, side, side), np.float32))
    share = torch.linspace(0, 1, count)[:, None, None, None]
    brightness = torch.from_numpy(rng.uniform(0.3, 1, (count, 1, 1, 1)).astype(np.float32))
    return (smooth * (1 - share) + noise * share) * brightness


def random_yolov8(size, rng, overrides):
    """Return (config, tensors) of a detector whose batch norms know eight random pictures."""
    config = {"input_side": 96 if size == "tiny" else 640, "sppf_activation": True,
              "labels": ["atria", "ventricles", "chambers"] if size == "tiny" else ["heart"], **overrides}
    model = YoloV8(config, yolov8_shapes(size, len(config["labels"])))
    silu_power = 0.355  # mean of SiLU² of a unit normal
    state = {}
    for name, value in stored_state(model).items():
        shape = list(value.shape)
        if name.endswith("bn.weight"):
            state[name] = normal(rng, shape, 0.2, 1.0)
        elif name.endswith("bn.bias"):
            state[name] = normal(rng, shape, 0.2)
        elif name.endswith("2.bias"):     # class logits: few cells fire
            state[name] = normal(rng, shape, 0.3, -3.0 if ".cv3." in name else 0.0)
        elif value.dim() == 4:
            state[name] = normal(rng, shape, (1.4 / (silu_power * math.prod(shape[1:]))) ** 0.5)
    model.load_state_dict(state, strict=False)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0         # running statistics become those of the next batch
    with torch.no_grad():
        model.train()(random_pictures(rng))
    return config, stored_state(model)


def random_cycle(rng, phases):
    """uint8 P_pat [t,80,512]: blocks of 5×3 px of grey, other ones in each phase of some segments, slowly drifting
    in others; few numbers, so that the files pack well."""
    y, x = np.mgrid[0:80, 0:512]
    grey = rng.integers(0, 256, (phases, 16, 171))
    still = rng.random(16) < 0.5
    p = np.zeros((phases, 80, 512))
    for j in range(phases):
        drift = 3 * np.sin(2 * np.pi * j / phases + np.arange(16)) * still
        rows = (y + drift.round().astype(int)[x // 32]) % 80
        p[j] = np.where(still[x // 32], grey[0][rows // 5, x // 3], grey[j][rows // 5, x // 3])
    return (p * rng.uniform(0.3, 1, 16)[x // 32]).astype(np.uint8)


def random_mmsa_tensor(rng, name, shape):
    """One tensor of an mmsa file: flows are some pixels long."""
    if name.endswith("bias"):
        return normal(rng, shape, 0.1)
    std = (2 / 1.04 / math.prod(shape[1:])) ** 0.5
    return normal(rng, shape, 2 * std if name.startswith("flow.output") else std)


def random_mmsa(size, rng, overrides):
    """Return (config, tensors) of an mmsa model whose segments get all scores on a random cycle."""
    config = {**MMSA_DEFAULTS, **overrides}
    check_config("mmsa", config)
    model = MMSA(config, MMSA_SIZES[size])
    model.load_state_dict({name: random_mmsa_tensor(rng, name, list(value.shape))
                           for name, value in model.state_dict().items()})
    with torch.no_grad():
        if config["attention_gain"] == "area":        # else a few pixels outweigh all others
            for msa in getattr(model, "msa", {}).values():
                msa.map.weight.mul_(0.2)
        logits = model(torch.from_numpy(random_cycle(rng, 8))[None].float() / 255)["logits"][0]
        factor = 2 / logits.std(0)
        model.fc2.bias.copy_((model.fc2.bias - logits.mean(0)) * factor)
        model.fc2.weight.mul_(factor[:, None])
    return config, model.state_dict()


def random_model(arch, size, seed=0, overrides=None):
    """Return (config, tensors); `overrides` replaces configuration keys."""
    rng = np.random.default_rng(seed)
    if arch == "yolov8":
        config, tensors = random_yolov8(size, rng, overrides or {})
    elif arch == "mmsa":
        config, tensors = random_mmsa(size, rng, overrides or {})
    else:
        config, tensors = random_vit(arch, size, rng, overrides or {})
    return config, {name: value.detach().clone() for name, value in tensors.items()}


def untrained_card(arch, size, seed):
    return {"name": f"{arch} {size}, random weights (seed {seed})", "licence": "LGPL-2.1-or-later",
            "training_data": "none: random numbers", "intended_use": "tests and timing only",
            "trained": False, "synthetic": True}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arch", metavar="{xclip,mreg,yolov8,mmsa}")
    parser.add_argument("out", metavar="OUT.safetensors")
    parser.add_argument("--size", required=True, help="; ".join(f"{a}: {' '.join(s)}" for a, s in SIZES.items()))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", choices=DTYPES, help="of matrices (default: f16 for demo, else f32)")
    parser.add_argument("--input-side", type=int, help="yolov8: letterbox side, a multiple of 32")
    parser.add_argument("--config", default="{}", help="configuration keys to replace: JSON or a file")
    args = parser.parse_args(arguments)
    if args.arch not in SIZES:
        parser.error(f"unknown network '{args.arch}'")
    if args.size not in SIZES[args.arch]:
        parser.error(f"{args.arch} has the sizes {' '.join(SIZES[args.arch])}")
    if args.input_side and args.arch != "yolov8":
        parser.error("--input-side belongs to yolov8: position embeddings are never interpolated")
    try:
        overrides = parse_config(args.config)
        if args.input_side:
            overrides["input_side"] = args.input_side
        config, tensors = random_model(args.arch, args.size, args.seed, overrides)
        write_model_file(args.out, args.arch, config, untrained_card(args.arch, args.size, args.seed),
                         tensors, DTYPES[args.dtype or ("f16" if args.size == "demo" else "f32")])
    except (ModelError, OSError) as error:
        sys.exit(f"random_model.py: {error}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
