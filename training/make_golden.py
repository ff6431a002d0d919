#!/usr/bin/env python3
"""Write golden directories: a model file, an input and every output of the oracle as .npy.

Without arguments the small cases in tests/golden/ are written anew, with fixed seeds. With
ARCH --size SIZE OUT one case of any size goes to OUT. Large maps of the small cases are kept as samples,
NAME.everyN.npy: every N-th row and column, N odd so that no phase of pooling or upsampling is left out. The oracle computes in double precision; seeds
of the small cases are chosen so that no decision (argmax, threshold, suppression, rounding) hangs on the last bits.
"""
import argparse
import os
import sys

import numpy as np
import torch

from cardiac import load_model, run_mmsa, run_mreg, run_mreg_head, run_xclip, run_yolov8, write_model_file
from cardiac.modelfile import DTYPES
from cardiac.picture import Letterbox
from cardiac.yolov8 import IOU_THRESHOLD, SCORE_THRESHOLD, corners, iou
from random_model import SIZES, random_cycle, random_model, untrained_card

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
FOUR_GRADES = {"labels": ["none", "mild", "moderate", "severe"], "thresholds": [0.5, 1.5, 2.5]}
MAX_SEEDS = 400
SAMPLED = {"flow1": 7, "flow2": 7, "flow4": 3, "attention1": 3, "attention2": 3}


def picture(rng, *shape):
    """uint8 [...,h,w,3]: a smooth random field with noise on it."""
    *lead, height, width, _ = shape
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = rng.uniform(-9, 9, (*lead, 1, 1, 3, 2))
    phase = rng.uniform(0, 6, (*lead, 1, 1, 3))
    field = np.sin(waves[..., 0] * y[..., None] + waves[..., 1] * x[..., None] + phase)
    return np.clip(128 + 80 * field + 30 * rng.standard_normal(shape), 0, 255).astype(np.uint8)


def without_halves(rng, image, side):
    """Change single grey levels until no letterboxed value lies within 1e-4 of a half."""
    box = Letterbox(*image.shape[:2], side)
    while True:
        value = box.resized(image)
        rows, columns, channels = np.nonzero(np.abs(value - np.floor(value) - 0.5) < 1e-4)
        if not len(rows):
            return image
        rows = ((rows + 0.5) * image.shape[0] / box.height).astype(int)
        columns = ((columns + 0.5) * image.shape[1] / box.width).astype(int)
        image[rows, columns, channels] ^= rng.integers(1, 8, len(rows), np.uint8)


def check_mreg(model, outputs):
    """Raise ValueError where a decision of MReg is too close for single precision."""
    logits = outputs["s2"].astype(np.float64)
    if model.config["select"] == "probability":
        score = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    else:
        score = logits[:, 1]
    best = np.sort(score)
    if best[-1] - best[-2] < 0.02 * np.abs(score).max():
        raise ValueError("selected instance is nearly a tie")
    selected = int(outputs["selected"])
    if np.abs(outputs["regression"][selected] - np.array(model.config["thresholds"])).min() < 0.02:
        raise ValueError("r lies near a threshold")
    p = outputs["patch_features"][selected].astype(np.float64)
    sigma = np.linalg.svd(p - p.mean(1, keepdims=True), compute_uv=False)
    gap = (sigma[:, 0] - sigma[:, 1]) / sigma[:, 0]
    if ((gap > 1e-6) & (gap < 0.1)).any():
        raise ValueError("the first singular vector is ill-conditioned")
    mixed = outputs["activation"][selected] @ model.head.mix.weight.detach().float().numpy()
    mixed = mixed - mixed.mean(1, keepdims=True)
    cam = outputs["eigencam"].reshape(mixed.shape)
    agreement = (cam * mixed).sum(1) / np.linalg.norm(cam, axis=1) / np.linalg.norm(mixed, axis=1)
    if np.nanmin(np.abs(agreement)) < 0.02:
        raise ValueError("EigenCAM's sign is nearly undecided")


def check_yolov8(outputs):
    """Raise ValueError where a decision of the detector is too close for single precision."""
    raw = torch.from_numpy(outputs["raw"])
    scores, classes = raw[4:].max(0)
    if (scores - SCORE_THRESHOLD).abs().min() < 1e-3:
        raise ValueError("a score lies near the threshold")
    fired = torch.nonzero(scores > SCORE_THRESHOLD)[:, 0]
    if len(fired) < 8 or len(outputs["scores"]) < 4 or len(outputs["scores"]) == len(fired):
        raise ValueError("too few boxes to test suppression")
    if scores[fired].sort()[0].diff().min() < 2e-4:
        raise ValueError("two scores are nearly equal")
    best_two = raw[4:, fired].topk(2, dim=0)[0]
    if len(raw) > 5 and (best_two[0] - best_two[1]).min() < 1e-3:
        raise ValueError("a cell's class is nearly undecided")
    boxes = corners(raw[:4, fired].T)
    overlap = torch.stack([iou(box, boxes) for box in boxes])[classes[fired][:, None] == classes[fired]]
    if (overlap - IOU_THRESHOLD).abs().min() < 1e-3:
        raise ValueError("an IoU lies near the threshold")


def head_input(rng, model):
    """Random features for the head alone; frame 0 has two equal singular values (no EigenCAM)."""
    config, embed = model.config, model.sizes["embed_width"]
    instances, frames = config["instances"], config["frames"]
    patches = (config["input_side"] // model.sizes["patch_side"]) ** 2
    p = rng.standard_normal((instances, frames, patches, embed))
    signs = np.array([[1 if bin(n & mask).count("1") % 2 == 0 else -1 for n in range(patches)]
                      for mask in (1, 2)])    # two orthogonal patterns without mean
    p[:, 0] = 0
    p[:, 0, :, :2] = signs.T
    z = rng.standard_normal((instances, frames, embed)) * rng.uniform(0.5, 2, (instances, frames, 1))
    return {"video_features": z.astype(np.float32), "patch_features": p.astype(np.float32),
            "presence_text": rng.standard_normal((instances, 2, embed)).astype(np.float32),
            "grade_text": rng.standard_normal((instances, len(config["labels"]), embed)).astype(np.float32)}


def check_mmsa(outputs):
    """Raise ValueError where a segment's score is too close, or scores do not differ."""
    best = np.sort(outputs["logits"], 1)[:, -2:]
    if (best[:, 1] - best[:, 0]).min() < 0.02 * np.abs(outputs["logits"]).max():
        raise ValueError("a score is nearly a tie")
    if len(set(outputs["scores"])) < 3:
        raise ValueError("scores are nearly all the same")


def run_case(model, kind, rng):
    """Make an input of `kind` (float, uint8, head; mmsa: tN of N phases) and run it -> (input, outputs)."""
    config = model.config
    if model.arch == "mmsa":
        x = random_cycle(rng, int(kind[1:]))
        return x, run_mmsa(model, x)
    if model.arch == "yolov8":
        side = config["input_side"]
        if kind == "uint8":
            x = without_halves(rng, picture(rng, side * 5 // 4 + 3, side // 2 * 3 - 5, 3), side)
        else:
            x = np.moveaxis(picture(rng, side, side // 64 * 32 or 32, 3) / 255, -1, 0).astype(np.float32)
        return x, run_yolov8(model, x)
    lead = (config["instances"], config["frames"]) if model.arch == "mreg" else (config["frames"],)
    side = config["input_side"]
    if kind == "head":
        x = head_input(rng, model)
        return x, run_mreg_head(model, x)
    if kind == "uint8":     # taller than wide, odd difference, shrinks
        x = picture(rng, *lead, side * 3 // 2 + 1, side + 4, 3)
    else:
        x = rng.standard_normal((*lead, 3, side, side)).astype(np.float32)
    if model.arch == "xclip":
        return x, run_xclip(model, x)
    return x, run_mreg(model, x)


def check_case(model, x, outputs):
    """Raise ValueError where a decision is too close for single precision."""
    if model.arch == "yolov8":
        check_yolov8(outputs)
    if model.arch == "mmsa":
        check_mmsa(outputs)
    if model.arch == "mreg":
        check_mreg(model, {**x, **outputs} if isinstance(x, dict) else outputs)


def make_case(path, arch, size, kind, dtype, overrides, seed):
    """Write the model file of a seed, run it -> (model, input, outputs)."""
    config, tensors = random_model(arch, size, seed, overrides)
    write_model_file(path, arch, config, untrained_card(arch, size, seed), tensors, DTYPES[dtype])
    model = load_model(path)
    return (model, *run_case(model, kind, np.random.default_rng(1000 + seed)))


def save_arrays(directory, x, outputs, sampled=None):
    """One file an array; those in `sampled` {name: n} only every n-th row and column of."""
    for name, step in (sampled or {}).items():
        if name in outputs:
            outputs[f"{name}.every{step}"] = outputs.pop(name)[..., ::step, ::step]
    if isinstance(x, dict):
        os.makedirs(os.path.join(directory, "input"), exist_ok=True)
        arrays = {os.path.join("input", name): value for name, value in x.items()}
    else:
        arrays = {"input": x}
    for name, value in {**arrays, **outputs}.items():
        np.save(os.path.join(directory, f"{name}.npy"), np.array(value, order="C"))


def write_clear_case(directory, arch, kind, dtype="f32", overrides=None, accept=lambda outputs: True):
    """Write a tiny golden directory with the first seed whose decisions are clear."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "model.safetensors")
    for seed in range(MAX_SEEDS):
        model, x, outputs = make_case(path, arch, "tiny", kind, dtype, overrides, seed)
        try:
            check_case(model, x, outputs)
        except ValueError as reason:
            print(f"{directory}: seed {seed}: {reason}", file=sys.stderr)
            continue
        if accept(outputs):
            print(f"{directory}: seed {seed}")
            return save_arrays(directory, x, outputs, SAMPLED)
    raise SystemExit(f"make_golden.py: no seed gives a clear case for {directory}")


def write_case(directory, arch, size, kind, dtype, seed):
    """Write a golden directory of any size and say which decision, if any, is too close."""
    os.makedirs(directory, exist_ok=True)
    model, x, outputs = make_case(os.path.join(directory, "model.safetensors"), arch, size, kind, dtype, None, seed)
    save_arrays(directory, x, outputs)
    try:
        check_case(model, x, outputs)
    except ValueError as reason:
        print(f"note: in single precision outputs that depend on it may differ: {reason}", file=sys.stderr)


def selections_differ(outputs):
    """The logit and the probability select different instances."""
    return outputs["s2"][:, 1].argmax() != outputs["presence"].argmax()


def write_small_cases():
    def case(name, *args, **keywords):
        write_clear_case(os.path.normpath(os.path.join(GOLDEN, name)), *args, **keywords)

    case("xclip-tiny", "xclip", "float")
    case("xclip-tiny-uint8", "xclip", "uint8", "bf16")
    case("mreg-tiny", "mreg", "float", accept=lambda o: o["selected"] == 1)
    case("mreg-tiny-uint8", "mreg", "uint8", "f16", accept=lambda o: o["grade"] == 2)
    case("mreg-head", "mreg", "head", "f16",
         accept=lambda o: o["selected"] == 2 and selections_differ(o))
    case("mreg-head-probability", "mreg", "head", "f16", {"select": "probability"},
         accept=lambda o: o["selected"] == 0 and selections_differ(o))
    case("mreg-head-gate-row", "mreg", "head", "f16", {"expert_gate": "row"})
    case("mreg-head-norm-running", "mreg", "head", "bf16", {"norm": "running"},
         accept=lambda o: o["grade"] == 0)
    case("mreg-head-amp-zero", "mreg", "head", "f16", {"amp_padding": "zero", "beta": 0.5})
    case("mreg-head-four-grades", "mreg", "head", "bf16", FOUR_GRADES)
    case("yolov8-tiny", "yolov8", "float")
    case("yolov8-tiny-uint8", "yolov8", "uint8", "f16", {"sppf_activation": False})
    case("mmsa-t8", "mmsa", "t8")
    case("mmsa-t20", "mmsa", "t20", "bf16")
    case("mmsa-t25", "mmsa", "t25", "f16")
    case("mmsa-t30", "mmsa", "t30", "f16")
    case("mmsa-gains", "mmsa", "t9", "f16", {"flow_residual": True, "flow_step": 7, "attention_gain": "area",
                                           "attention_activation": "leaky_relu", "tse_scale": "C"})
    case("mmsa-one-scale", "mmsa", "t8", "f16", {"attention_scales": "1/2", "non_local": False})
    case("mmsa-concatenation", "mmsa", "t10", "f16", {"attention": "concatenation", "enhancement": "conv"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arch", nargs="?", choices=SIZES)
    parser.add_argument("out", nargs="?", metavar="OUT")
    parser.add_argument("--size")
    parser.add_argument("--input", choices=("float", "uint8", "head", "t8", "t20", "t25", "t30"), default="float",
                        help="head: mreg's alone; tN: mmsa, N phases")
    parser.add_argument("--dtype", choices=DTYPES, default="f32")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_intermixed_args()
    if args.arch is None:
        return write_small_cases()
    if args.out is None or args.size not in SIZES[args.arch]:
        parser.error(f"ARCH needs OUT and --size {'|'.join(SIZES[args.arch])}")
    if args.input == "head" and args.arch != "mreg":
        parser.error("only mreg has a head that runs alone")
    if (args.input[0] == "t") != (args.arch == "mmsa"):
        parser.error("mmsa takes --input t8|t20|t25|t30, and nothing else does")
    return write_case(args.out, args.arch, args.size, args.input, args.dtype, args.seed)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
