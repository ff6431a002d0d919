"""Training of MMSA: the flow branch alone, then the scoring branch on its cached flow, or both together.

Everything a run depends on is in its configuration (training/configs/mmsa/*.json) and its seed.
"""
import hashlib
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import mmsa_losses
from .mmsa import MMSA, SCALES, SEGMENTS, Sizes, frame_pairs
from .modelfile import MMSA_DEFAULTS, ModelError, check_config

DEFAULTS = {
    "name": "full",
    "model": {"flow_residual": True, "tse_scale": "C"},
    "sizes": {"flow": [8, 16, 32, 32], "cnn": [32, 64, 128, 128]},
    # lambda1/2 Lcon + lambda2 Lsmo on pairs +-flow_step of crops of a few segments. Stages follow each other, from
    # smooth to sharp: each its steps, its lambda2 and a cosine of its own.
    "flow": {"steps": [1000, 350], "lambda2": [0.01, 0.0005], "batch": 8, "rate": 2e-3, "weight_decay": 1e-4,
             "lambda1": 1.0, "segments": 4},
    # A batch is one subject. roll: phases, flip: segments mirrored by chance. zero_flow: a control without motion.
    "score": {"epochs": 12, "rate": 1e-3, "weight_decay": 1e-2, "optimizer": "adamw", "momentum": 0.9, "warm_up": 0.03,
              "clip": 2.0, "roll": 2, "flip": True, "class_weight": 0.0, "smoothing": 0.0,
              "zero_flow": False},
    # Both branches with L = cross-entropy + weight * Lopt; Lopt on so many pairs a subject.
    "joint": {"epochs": 0, "rate": 1e-4, "pairs": 8, "weight": 1.0},
    "precision": "fp32",
}


def load_config(path):
    """A configuration with defaults filled in; `base` names a file beside it that it changes."""
    path = Path(path)
    try:
        own = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ModelError(f"{path}: {error}") from None
    config = load_config(path.parent / own.pop("base")) if "base" in own else json.loads(json.dumps(DEFAULTS))
    for key, value in own.items():
        if key not in DEFAULTS:
            raise ModelError(f"{path}: unknown key '{key}'; expected one of {', '.join(DEFAULTS)}")
        if isinstance(value, dict):
            unknown = set(value) - set(DEFAULTS[key]) - (set(MMSA_DEFAULTS) if key == "model" else set())
            if unknown:
                raise ModelError(f"{path}: unknown key '{key}.{sorted(unknown)[0]}'")
            config[key].update(value)
        else:
            config[key] = value
    check_config("mmsa", model_config(config))
    return config


def model_config(config):
    return {**MMSA_DEFAULTS, **config["model"]}


def make_model(config, seed):
    torch.manual_seed(seed)
    c4 = config["sizes"]["cnn"][3]
    sizes = Sizes(flow=tuple(config["sizes"]["flow"]), cnn=tuple(config["sizes"]["cnn"]), squeezed=c4 // 4,
                  embedded=c4 // 2)
    return MMSA(model_config(config), sizes)


def autocast(config):
    return torch.autocast("cpu", torch.bfloat16, enabled=config["precision"] == "bf16")


def cosine(step, steps, warm_up):
    """Rate's factor: a linear rise over a share of the steps, then half a cosine down to 0."""
    rise = max(1, round(warm_up * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


class Clock:
    """CPU time and a line now and then."""

    def __init__(self, log):
        self.start, self.log = time.process_time(), log

    def minutes(self):
        return (time.process_time() - self.start) / 60

    def say(self, text):
        self.log(f"{text}  ({self.minutes():.1f} CPU-min)")


def sample_pairs(subjects, config, rng):
    """A batch of pairs (P_j, P_{j+-d}) [B,2,80,w] from random subjects, phases and columns."""
    step, width = model_config(config)["flow_step"], 32 * config["flow"]["segments"]
    batch = np.empty((config["flow"]["batch"], 2, 80, width), np.float32)
    for pair in batch:
        patient = subjects[rng.integers(len(subjects))].patient_cached()
        phases = len(patient)
        first = rng.integers(phases)
        other = (first + (step if rng.random() < 0.5 else -step)) % phases
        left = 8 * rng.integers((512 - width) // 8 + 1)
        pair[:] = patient[[first, other], :, left:left + width]
    return torch.from_numpy(batch)


def train_flow(model, subjects, config, seed, stage=0, log=print):
    """One stage of the flow branch alone, without any truth (Eq. 6-9); CPU minutes."""
    c, clock = config["flow"], Clock(log)
    steps, lambda2 = c["steps"][stage], c["lambda2"][stage]
    rng = np.random.default_rng([seed, 1, stage] if stage else [seed, 1])
    optimizer = torch.optim.AdamW(model.flow.parameters(), lr=c["rate"], weight_decay=c["weight_decay"])
    mean = 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = c["rate"] * cosine(step, steps, 0.03)
        pairs = sample_pairs(subjects, config, rng)
        with autocast(config):
            flows = model.flow(pairs)
        flows = [u.float() for u in flows]
        # Twice: pair_loss is the half that one direction gives.
        loss = 2 * mmsa_losses.pair_loss(pairs, flows, c["lambda1"], lambda2)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.flow.parameters(), 1.0)
        optimizer.step()
        mean += loss.item()
        if (step + 1) % 100 == 0:
            clock.say(f"flow, lambda2 {lambda2}, {step + 1}/{steps}: loss {mean / 100:.6f}")
            mean = 0.0
    return clock.minutes()


@torch.no_grad()
def flows_of(model, patient, config, chunk=10):
    """u at three scales of one subject, each float16 [t,2,h,w]."""
    parts = []
    pairs = frame_pairs(torch.from_numpy(patient)[None], model.config["flow_step"])
    for begin in range(0, len(pairs), chunk):
        with autocast(config):
            parts.append([u.half() for u in model.flow(pairs[begin:begin + chunk])])
    return [torch.cat(u) for u in zip(*parts)]


def fingerprint(model, config):
    """What a cached flow depends on."""
    if config["score"]["zero_flow"]:
        return "zero"
    digest = hashlib.sha256(repr((model.config["flow_step"], config["precision"])).encode())
    for name, tensor in sorted(model.flow.state_dict().items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


def cache_flows(model, subjects, config):
    """Leaves the flow of the frozen branch at every subject that has not got it from an earlier run."""
    model.eval()
    made_by = fingerprint(model, config)
    for subject in subjects:
        if subject.flows_made_by != made_by:
            subject.flows = ([torch.zeros(subject.phases, 2, 80 // s, 512 // s, dtype=torch.float16) for s in SCALES]
                             if made_by == "zero" else flows_of(model, subject.patient_cached(), config))
            subject.flows_made_by = made_by


def mirror(x, which, flow=False):
    """Mirrors chosen segments of [t,...,h,512/s]; a mirrored flow's angular component turns its sign."""
    x = x.unflatten(-1, (SEGMENTS, -1)).clone()
    turned = x[..., which, :].flip(-1)
    if flow:
        turned[:, 1] = -turned[:, 1]
    x[..., which, :] = turned
    return x.flatten(-2)


def augment(patient, flows, config, rng):
    """The same phases rolled and the same segments mirrored in pictures and flow."""
    c = config["score"]
    roll = int(rng.integers(-c["roll"], c["roll"] + 1)) if c["roll"] else 0
    patient = patient.roll(roll, 0)
    flows = [u.roll(roll, 0) for u in flows]
    if c["flip"]:
        which = torch.from_numpy(rng.random(SEGMENTS) < 0.5)
        patient, flows = mirror(patient, which), [mirror(u, which, flow=True) for u in flows]
    return patient, flows


def scoring_parameters(model):
    return [p for name, p in model.named_parameters() if not name.startswith("flow.")]


def make_optimizer(parameters, config):
    c = config["score"]
    if c["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, lr=c["rate"], momentum=c["momentum"], weight_decay=c["weight_decay"])
    return torch.optim.AdamW(parameters, lr=c["rate"], weight_decay=c["weight_decay"])


def class_weights(subjects, power):
    """Weights of scores 1..4, mean 1 over the segments: frequency to the power of -power."""
    counts = sum(np.bincount(s.scores, minlength=5)[1:] for s in subjects).astype(float)
    weights = np.maximum(counts, 1) ** -power
    return torch.tensor(weights * counts.sum() / (weights * counts).sum(), dtype=torch.float32)


def score_step(model, subject, config, weights, rng):
    """Cross-entropy of one subject from cached flow -> loss, correct segments, scored segments."""
    c = config["score"]
    patient, flows = augment(torch.from_numpy(subject.patient_cached()), subject.flows, config, rng)
    with autocast(config):
        logits = model.score_segments(patient[None], [u.float()[None] for u in flows])["logits"].float()
    truth = torch.from_numpy(subject.scores) - 1
    loss = F.cross_entropy(logits, truth, weights, ignore_index=-1, label_smoothing=c["smoothing"])
    return loss, int((logits.argmax(1) == truth).sum()), int((truth >= 0).sum())


def joint_step(model, subject, config, weights, rng):
    """Cross-entropy + weight * Lopt with gradients through both branches."""
    c, j = config["flow"], config["joint"]
    patient = torch.from_numpy(subject.patient_cached())[None]
    flows = model.flows(patient)
    logits = model.score_segments(patient, flows)["logits"]
    truth = torch.from_numpy(subject.scores) - 1
    loss = F.cross_entropy(logits, truth, weights, ignore_index=-1)
    step = model.config["flow_step"] * (1 if rng.random() < 0.5 else -1)
    chosen = torch.from_numpy(rng.choice(subject.phases, min(j["pairs"], subject.phases), replace=False))
    pairs = frame_pairs(patient, step)[chosen]
    loss = loss + j["weight"] * 2 * mmsa_losses.pair_loss(pairs, model.flow(pairs), c["lambda1"], c["lambda2"][-1])
    return loss, int((logits.argmax(1) == truth).sum()), int((truth >= 0).sum())


def train_scores(model, subjects, config, seed, folder=None, log=print, validate=None, joint=False):
    """The scoring branch (or, `joint`, both) over whole subjects in random order.

    With a folder, state is kept there after each epoch and a run that was cut off goes on.
    """
    c = dict(config["score"], **config["joint"]) if joint else config["score"]
    clock = Clock(log)
    parameters = list(model.parameters()) if joint else scoring_parameters(model)
    optimizer = make_optimizer(parameters, {**config, "score": c})
    weights = class_weights(subjects, config["score"]["class_weight"])
    state_file = Path(folder) / ("joint.state" if joint else "score.state") if folder else None
    epoch, spent = restore(state_file, model, optimizer)
    steps = c["epochs"] * len(subjects)
    for epoch in range(epoch, c["epochs"]):
        rng = np.random.default_rng([seed, 2, epoch])
        torch.manual_seed(seed * 1000 + epoch)
        model.train()
        total, right, scored = 0.0, 0, 0
        for i, at in enumerate(rng.permutation(len(subjects))):
            factor = cosine(epoch * len(subjects) + i, steps, c["warm_up"])
            for group in optimizer.param_groups:
                group["lr"] = c["rate"] * factor
            loss, hits, count = (joint_step if joint else score_step)(model, subjects[at], config, weights, rng)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, c["clip"])
            optimizer.step()
            total, right, scored = total + loss.item(), right + hits, scored + count
        text = f"epoch {epoch + 1}/{c['epochs']}: loss {total / len(subjects):.4f}, right {100 * right / scored:.1f} %"
        if validate:
            text += f", validation {validate(model)}"
        clock.say(text)
        if state_file:
            torch.save({"epoch": epoch + 1, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
                        "minutes": spent + clock.minutes()}, state_file)
    return spent + clock.minutes()


def restore(state_file, model, optimizer):
    """Goes on from a state file: epochs done, CPU minutes spent."""
    if not state_file or not state_file.exists():
        return 0, 0.0
    state = torch.load(state_file, map_location="cpu")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state["epoch"], state["minutes"]


def finished(folder, config):
    """Whether a run's states say that nothing is left to train."""
    kind = "joint" if config["joint"]["epochs"] else "score"
    state = Path(folder) / f"{kind}.state"
    return state.exists() and torch.load(state, map_location="cpu")["epoch"] >= config[kind]["epochs"]


@torch.no_grad()
def predict(model, subjects):
    """Scores [n,16] from cached flow."""
    model.eval()
    outputs = [model(torch.from_numpy(subject.patient_cached())[None], [u.float()[None] for u in subject.flows])
               for subject in subjects]
    return np.stack([output["scores"][0].numpy() for output in outputs])
