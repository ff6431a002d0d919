"""Training of MReg in stages: streams, schedule, checkpoints, log. train_mreg.py is its command line."""
import contextlib
import json
import math
import os
import time

import numpy as np
import torch
import torch.distributed as dist

from . import dense, losses
from .initialise import initialise, initialise_from, new_model, parameter_groups
from .modelfile import DTYPES, stored_state, write_model_file
from .predict import predict
from .progress import Progress
from .samples import Prefetch, Replay, collate, normalise
from .videos import VARIANTS, encode_tokens, encode_videos, exportable, run_head_videos, run_videos

STAGE_DEFAULTS = {
    "objective": "mreg",        # dense: masks and instances' grades; mreg: the paper's losses
    "instances": 3, "frames": None, "batch": 4, "grades": "natural", "region": "roi", "jitter": [0.0, 0.0],
    "worst": 0.7, "rate": 3e-4, "betas": [0.9, 0.98], "weight_decay": 0.01, "warmup": 80, "clip": 2.0,
    "steps": None, "minutes": None,
    "reuse": 1, "memory": 2048,  # each rendered sample is used `reuse` times, among the last `memory`
    "graded": True,             # dense: instances' grades too
    "target": "severity",       # dense: what r is drawn to, grade or severity (dense.continuous_grade)
    "dense": None,              # share of the mask losses; default: 1 with objective dense, else 0
    "maps": 0.0,                # mreg: weight of drawing experts' maps to the jets (dense.map_loss)
    "freeze_backbone": False,   # vision stays; its tokens are kept with a sample and reused
}
CONFIG_DEFAULTS = {
    "name": None, "size": "demo", "model": {}, "variant": "mreg", "seed": 1, "mask_cells": 28,
    "data": {"kind": "phantom"}, "stages": [], "validation": 128, "validate_every": 500,
    "checkpoint_every": 500, "log_every": 50, "precision": "auto", "compile": False, "export_dtype": "f16",
    "card": {},
}


def read_config(path):
    """A configuration file with defaults filled in; unknown keys are refused by name."""
    with open(path, encoding="utf-8") as file:
        return check_config(json.load(file), path)


def check_config(given, path="configuration"):
    """Defaults for what is missing, ValueError for what is unknown."""
    for key in given:
        if key not in CONFIG_DEFAULTS:
            raise ValueError(f"{path}: unknown key '{key}'")
    config = {**CONFIG_DEFAULTS, **given}
    stages = []
    for stage in config["stages"]:
        for key in stage:
            if key not in (*STAGE_DEFAULTS, "name"):
                raise ValueError(f"{path}: unknown key '{key}' in stage '{stage.get('name')}'")
        stage = {"name": stage.get("objective", "mreg"), **STAGE_DEFAULTS, **stage}
        if (stage["steps"] is None) == (stage["minutes"] is None):
            raise ValueError(f"{path}: stage '{stage['name']}' needs either steps or minutes")
        if stage["objective"] not in ("dense", "mreg"):
            raise ValueError(f"{path}: stage '{stage['name']}': objective must be dense or mreg")
        if stage["dense"] is None:
            stage["dense"] = 1.0 if stage["objective"] == "dense" else 0.0
        stages.append(stage)
    if isinstance(config["variant"], str):
        if config["variant"] not in VARIANTS:
            raise ValueError(f"{path}: variant '{config['variant']}' is none of {', '.join(VARIANTS)}")
        config["variant"] = VARIANTS[config["variant"]]
    return {**config, "stages": stages}


def has_bf16():
    """Whether this CPU multiplies bf16: else autocast only costs time."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            text = file.read()
        return any(flag in text for flag in ("avx512_bf16", "amx_bf16"))
    except OSError:
        return False


def make_autocast(precision, device):
    """A function that opens the backbone's mixed-precision context. precision: auto, fp32, bf16, fp16."""
    if precision == "auto":
        if device.startswith("cuda"):
            precision = "bf16" if torch.cuda.is_bf16_supported() else "fp16"
        else:
            # torch 1.13's layer norm refuses the mixture that autocast gives it
            precision = "bf16" if has_bf16() and hasattr(torch, "compile") else "fp32"
    if precision == "fp32":
        return contextlib.nullcontext, precision
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    return lambda: torch.autocast(device.split(":")[0], dtype=dtype), precision


def rate_at(progress, step, warmup):
    """Share of the full rate: linear warm-up, then half a cosine to 0."""
    return min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


class Trainer:
    """One process of a run. `rank` of `world` processes average their gradients every step."""

    def __init__(self, config, directory, make_source, rank=0, world=1, device="cpu", init=None, say=print):
        """make_source(**keys) -> a source of samples; directory: where log and checkpoints go."""
        self.config, self.directory, self.make_source, self.say = config, directory, make_source, say
        self.rank, self.world, self.device = rank, world, device
        self.autocast, self.precision = make_autocast(config["precision"], device)
        size = config["size"]
        if isinstance(size, str):
            from random_model import XCLIP_SIZES
            size = XCLIP_SIZES[size]
        self.model = new_model(size, config["model"], config["variant"])
        initialise(self.model, config["seed"])
        if init:
            initialise_from(self.model, init, say)
        torch.manual_seed(config["seed"])
        patches = math.isqrt(len(self.model.vision.position_embedding) - 1)
        self.heads = dense.DenseHeads(self.model.sizes["embed_width"], patches, config["mask_cells"])
        self.model.to(device)
        self.heads.to(device)
        self.encode = self.model.encode
        if config["compile"] and hasattr(torch, "compile"):
            self.encode = torch.compile(self.model.encode)
        self.scaler = torch.cuda.amp.GradScaler() if self.precision == "fp16" else None
        self.state = {"stage": 0, "step": 0, "index": 0, "seconds": 0.0, "best": -1.0}
        self.validation, self.figures = None, None   # figures of the last validation, for the card
        self.progress = Progress(rank == 0)

    # samples

    def source(self, stage, split="train"):
        """The stream of a stage; validation always holds whole recordings."""
        frames = self.model.config["frames"]
        keys = {"side": self.model.config["input_side"], "region": stage["region"]}
        if split == "train":
            return self.make_source(frames=stage["frames"] or frames, instances=stage["instances"],
                                    cells=self.config["mask_cells"] if stage["dense"] or stage["maps"] else 0, worst=stage["worst"],
                                    grades=stage["grades"], jitter=stage["jitter"], **keys)
        cells = self.config["mask_cells"] if self.config["data"]["kind"] == "phantom" else 0
        return self.make_source(frames=frames, cells=cells, **keys)

    def stream(self, stage):
        """Batches of this process from the present step on."""
        source, size, start = self.source(stage), stage["batch"], self.state["index"]

        def sample(number):
            drawn = source.train(start + number * self.world + self.rank)
            return self.with_tokens(drawn) if stage["freeze_backbone"] else drawn

        replay = Replay(sample, stage["reuse"], stage["memory"])

        def make(step):
            return collate([replay.at(step * size + j) for j in range(size)], self.device)

        return Prefetch(make, self.state["step"])

    @torch.no_grad()
    def with_tokens(self, sample):
        """The sample with vision's tokens, 16 bit, in place of its pictures."""
        clips = torch.as_tensor(sample.pop("clips")).to(self.device)
        with self.autocast():
            frame, patch = self.model.vision(normalise(clips, self.model.config))
        return {**sample, "frame": frame.half(), "patch": patch.half()}

    # losses

    def losses_of(self, stage, batch):
        """{name: (weight, loss)} of a batch under a stage's objective."""
        with self.autocast():
            if stage["freeze_backbone"]:
                z, p = encode_tokens(self.model, batch["frame"].float(), batch["patch"].float())
            else:
                _, p, z = encode_videos(self.model, normalise(batch["clips"], self.model.config), self.encode)
        z, p = z.float(), p.float()
        if stage["objective"] == "mreg":
            outputs = run_videos(self.model, z, p, batch["number"])
            result = losses.mreg_losses(outputs, batch["grade"])
            if stage["maps"]:
                result["maps"] = stage["maps"], dense.map_loss(outputs["activation_all"], batch["grade"], batch["jet"])
        else:
            result = self.instance_losses(z, p, batch, stage["target"]) if stage["graded"] else {}
        if stage["dense"]:
            truth = {name: batch[name].flatten(0, 1) for name in ("jet", "atrium", "area")}
            for name, (weight, loss) in dense.dense_losses(self.heads, z.flatten(0, 1), p.flatten(0, 1), truth).items():
                result[name] = stage["dense"] * weight, loss
        return result

    def instance_losses(self, z, p, batch, target):
        """The paper's losses on every instance, each with its own grade."""
        every = run_head_videos(self.model, z, p)
        one = {name: every[name].flatten(0, 1) for name in ("s2", "experts", "curve")}
        one["regression"] = one["curve"].mean(1)
        drawn = dense.continuous_grade(batch["severity"].float()).flatten() if target == "severity" else None
        result = losses.mreg_losses(one, batch["grades"].flatten(), drawn)
        for name in ("presence", "regression", "expert"):
            result[name] = dense.WEIGHTS["graded"], result[name][1]
        return result

    # steps

    def parameters_of(self, stage):
        """Named parameters that a stage trains."""
        named = list(self.model.named_parameters())
        if stage["freeze_backbone"]:
            named = [(n, p) for n, p in named if not n.startswith("vision.")]
        if stage["dense"]:
            named += [(f"dense.{n}", p) for n, p in self.heads.named_parameters()]
        return named

    def average(self, parameters, shared):
        """Average gradients over the processes, and one number that all must agree on."""
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        if self.world == 1:
            return shared
        flat = torch.cat([p.grad.flatten() for p in parameters] + [torch.tensor([shared])])
        dist.all_reduce(flat)
        flat /= self.world
        offset = 0
        for parameter in parameters:
            parameter.grad.copy_(flat[offset:offset + parameter.numel()].view_as(parameter))
            offset += parameter.numel()
        return flat[-1].item()

    def train_step(self, stage, optimizer, parameters, batch, share):
        """One update; share is the present share of the full rate. Returns {name: loss}, norm, seconds."""
        for group in optimizer.param_groups:
            group["lr"] = stage["rate"] * group["scale"] * share
        optimizer.zero_grad(set_to_none=True)
        values = self.losses_of(stage, batch)
        loss = losses.total(values)
        (self.scaler.scale(loss) if self.scaler else loss).backward()
        if self.scaler:
            self.scaler.unscale_(optimizer)
        seconds = self.average(parameters, self.stage_seconds())
        norm = torch.nn.utils.clip_grad_norm_(parameters, stage["clip"])
        if self.scaler:
            self.scaler.step(optimizer)
            self.scaler.update()
        elif torch.isfinite(norm):
            optimizer.step()
        figures = {name: float(value.detach()) for name, (_, value) in values.items()}
        return {"loss": float(loss.detach()), **figures, "norm": float(norm)}, seconds

    def clock(self):
        """Seconds of a stage's budget: of the processor where it computes, so that a busy machine trains no less; else
        of the wall."""
        return time.process_time() if self.device == "cpu" else time.monotonic()

    def stage_seconds(self):
        return self.state["seconds"] + self.clock() - self.began

    def run(self):
        """All stages from where the state says, then the export. Returns the last validation."""
        result = None
        while self.state["stage"] < len(self.config["stages"]):
            result = self.run_stage(self.config["stages"][self.state["stage"]])
        if self.rank == 0:
            self.export()
        return result

    def run_stage(self, stage):
        """One stage to its end; leaves the state at the next one's begin."""
        named = self.parameters_of(stage)
        parameters = [p for _, p in named]
        optimizer = torch.optim.AdamW(parameter_groups(named, stage["rate"], stage["weight_decay"]),
                                      betas=tuple(stage["betas"]))
        if self.state.get("optimizer"):
            optimizer.load_state_dict(self.state.pop("optimizer"))
        state, stream = self.state, self.stream(stage)
        self.began = self.clock()
        progress = self.measure(stage, state["seconds"])
        try:
            while progress < 1:
                share = rate_at(progress, state["step"], stage["warmup"])
                figures, seconds = self.train_step(stage, optimizer, parameters, stream.next(), share)
                state["step"] += 1
                progress = self.measure(stage, seconds)
                self.report(stage, figures, progress, seconds)
                if state["step"] % self.config["validate_every"] == 0 and progress < 1:
                    self.validate(stage)
                if state["step"] % self.config["checkpoint_every"] == 0:
                    self.save("last.pt", optimizer)
        finally:
            stream.close()
        samples = (state["step"] * stage["batch"] // stage["reuse"] + 1) * self.world
        self.state = {"stage": state["stage"] + 1, "step": 0, "index": state["index"] + samples, "seconds": 0.0,
                      "best": state["best"]}
        result = self.validate(stage)
        self.save("last.pt")
        self.save(f"stage-{stage['name']}.pt")
        return result

    def measure(self, stage, seconds):
        """Share of the stage that is done."""
        if stage["steps"] is not None:
            return self.state["step"] / max(stage["steps"], 1)
        return seconds / (60 * stage["minutes"])

    # validation

    def load_validation(self, stage):
        """This process's share of the validation recordings, kept in memory."""
        if self.validation is None:
            source = self.source(stage, "validation")
            self.validation = []
            for sample in source.fixed("validation", self.rank, self.world, self.config["validation"]):
                sample.pop("jet", None)
                sample.pop("atrium", None)
                self.validation.append(sample)
        return self.validation

    def validate(self, stage):
        """Grade the validation recordings; the best accuracy is kept as best.pt."""
        begin = self.clock()
        self.model.eval()
        samples, rows, areas = self.load_validation(stage), [], []
        for first in range(0, len(samples), 4):
            batch = collate(samples[first:first + 4], self.device)
            found, z, _ = predict(self.model, batch, self.autocast)
            with torch.no_grad():
                area = self.heads.area(z)[..., 0].flatten().tolist()
            for row, sample in zip(found, samples[first:first + 4]):
                if "severity" in sample:
                    row["choice"] = float(sample["severity"][row["instance"]] >= 0.8 * max(sample["severity"]))
            rows += found
            areas += list(zip(area, batch["area"].clamp(min=0).sqrt().flatten().tolist())) if "area" in batch else []
        self.model.train()
        if self.world > 1:
            gathered = [None] * self.world
            dist.all_gather_object(gathered, (rows, areas))
            rows, areas = [row for part in gathered for row in part[0]], [a for part in gathered for a in part[1]]
        result = self.figures_of(rows, areas)
        # the clock stands still while validating, so that a stage's minutes are minutes of training
        self.began += self.clock() - begin
        self.note({"event": "validation", "stage": stage["name"], **result})
        self.figures = {"split": "validation", "videos": len(rows), **result}
        if stage["objective"] == "mreg" and result["accuracy"] >= self.state["best"]:
            self.state["best"] = result["accuracy"]
            self.save("best.pt")
        return result

    @staticmethod
    def figures_of(rows, areas):
        """Accuracy, recalls and friends of validation rows."""
        label, grade = (np.array([row[key] for row in rows]) for key in ("label", "grade"))
        presence = np.array([row["presence"] for row in rows])
        present = label > 0
        result = {"accuracy": float((label == grade).mean()),
                  "recall": [float((grade[label == k] == k).mean()) if (label == k).any() else None for k in range(3)],
                  "presence": float(((presence >= 0.5) == present).mean()),
                  "experts": float(np.mean([np.argmax([row["p0"], row["p1"], row["p2"]]) == row["label"]
                                            for row in rows]))}
        choices = [row["choice"] for row in rows if row["label"] > 0 and "choice" in row]
        if choices:
            result["choice"] = float(np.mean(choices))
        if areas:
            result["area_correlation"] = float(np.corrcoef(np.array(areas).T)[0, 1])
        return result

    # what stays

    def report(self, stage, figures, progress, seconds):
        """Progress bar, and a line of the log now and then."""
        done = self.state["step"] * stage["batch"] * self.world * stage["instances"]
        self.progress.show(stage["name"], progress, seconds, done, figures)
        if self.state["step"] % self.config["log_every"] == 0:
            self.note({"event": "step", "stage": stage["name"], "step": self.state["step"],
                       "progress": round(progress, 5), "instances": done, "seconds": round(seconds, 1),
                       "cpu_seconds": round(time.process_time(), 1), "last_loss": round(figures["loss"], 5),
                       **{k: round(v, 5) for k, v in self.progress.means.items()}}, quiet=True)

    def note(self, entry, quiet=False):
        """A line of log.jsonl, and of the screen."""
        if self.rank:
            return
        with open(os.path.join(self.directory, "log.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        if not quiet:
            self.progress.line(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in entry.items()}))

    def card(self):
        """The model card's keys."""
        phantoms = self.config["data"]["kind"] == "phantom"
        stages = "; ".join(f"{s['name']}: {s['steps'] or s['minutes']} {'steps' if s['steps'] else 'minutes'}"
                           for s in self.config["stages"])
        return {"name": self.config["name"] or "mreg", "licence": "LGPL-2.1-or-later",
                "training_data": ("phantoms drawn by this project's generator, no patients" if phantoms
                                  else "see the manifest of the run") + f" ({stages})",
                "intended_use": "research and demonstration only, not for diagnosis",
                "trained": True, "synthetic": phantoms,
                **({"figures": self.figures} if self.figures else {}), **self.config["card"]}

    def save(self, name, optimizer=None):
        """A checkpoint that convert.py and --resume read; written aside and renamed."""
        if self.rank:
            return
        state = dict(self.state)
        if optimizer:
            state["seconds"] = self.stage_seconds()
            state["optimizer"] = optimizer.state_dict()
        path = os.path.join(self.directory, name)
        torch.save({"arch": "mreg", "config": self.model.config, "card": self.card(),
                    "variant": self.config["variant"], "size": self.config["size"],
                    "state_dict": stored_state(self.model), "dense": self.heads.state_dict(),
                    "training": state}, path + ".new")
        os.replace(path + ".new", path)

    def start_from(self, path):
        """Another run's weights; a variant's own head keeps its start."""
        saved = torch.load(path, map_location=self.device)
        mine = self.model.state_dict()
        fits = {n: t for n, t in saved["state_dict"].items() if n in mine and mine[n].shape == t.shape}
        self.model.load_state_dict({**mine, **fits})
        self.heads.load_state_dict(saved["dense"])
        if len(fits) < len(mine):
            self.say(f"{path}: {len(mine) - len(fits)} tensors of this variant are not in it and start anew")

    def resume(self, path):
        """Go on from a checkpoint: with steps, exactly as if it had never stopped."""
        saved = torch.load(path, map_location=self.device)
        self.model.load_state_dict(saved["state_dict"])
        self.heads.load_state_dict(saved["dense"])
        self.state = saved["training"]

    def export(self):
        """The model file: of the best validation accuracy where the paper's losses trained, else the last."""
        path = os.path.join(self.directory, "mreg.safetensors")
        if not exportable(self.config["variant"]):
            self.say(f"{path} is not written: a model file holds the full head only, this run is an ablation")
            return
        best, card = os.path.join(self.directory, "best.pt"), self.card()
        if os.path.exists(best):
            saved = torch.load(best, map_location=self.device)
            self.model.load_state_dict(saved["state_dict"])
            card = saved["card"]
        tensors = {name: tensor.detach().cpu() for name, tensor in stored_state(self.model).items()}
        write_model_file(path, "mreg", self.model.config, card, tensors, DTYPES[self.config["export_dtype"]])
        self.say(f"wrote {path}")
