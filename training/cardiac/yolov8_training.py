"""How a detector is trained: first weights, optimiser, schedule, averaged weights, one step."""
import copy
import json
import math
import os
import time

import torch
from torch import nn

from .yolov8 import BINS, STRIDES, cells
from .yolov8_losses import detection_loss

BATCH_NORM_MOMENTUM = 0.03
SILU_POWER = 0.355         # mean of SiLU² of a unit normal


def slow_statistics(model):
    """Batch norms' running statistics are those of the last ~30 steps."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = BATCH_NORM_MOMENTUM


def initialise(model, side, typical):
    """First weights that need no time to find the right size: each cell's box is about the typical one
    (width, height in pixels), and scores begin at the rate of cells that have a heart."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0, (SILU_POWER * module.weight[0].numel()) ** -0.5)
    head = model.model["22"]
    bins = torch.arange(BINS, dtype=torch.float32)
    for stride, box, score in zip(STRIDES, head.cv2, head.cv3):
        reach = [min(length / 2 / stride, BINS - 1.0) for length in (typical[0], typical[1]) * 2]
        with torch.no_grad():
            box[2].weight.mul_(0.1)
            box[2].bias.copy_(torch.cat([-(bins - r) ** 2 / (2 * (0.5 + 0.25 * r) ** 2) for r in reach]))
            score[2].weight.mul_(0.1)
            score[2].bias.fill_(math.log(5 / len(score[2].bias) / (side / stride) ** 2))


def make_optimiser(model, kind, rate, decay):
    """AdamW or SGD with Nesterov's momentum; norms and biases do not decay."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    if kind == "sgd":
        return torch.optim.SGD(groups, rate, momentum=0.937, nesterov=True)
    return torch.optim.AdamW(groups, rate, betas=(0.9, 0.99))


def rate_factor(step, steps, warm_up):
    """Linear warm-up, then a cosine down to a hundredth."""
    if step < warm_up:
        return (step + 1) / warm_up
    share = (step - warm_up) / max(1, steps - warm_up)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2


class Average:
    """Exponential moving average of weights and statistics; young averages forget faster."""

    def __init__(self, model, decay):
        self.model = copy.deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model, step):
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, value in zip(self.model.state_dict().values(), model.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


class Log:
    """One JSON object a line, appended; each says how long this process took so far."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")
        self.begin, self.cpu = time.monotonic(), time.process_time()

    def write(self, **record):
        record = {name: round(value, 6) if isinstance(value, float) else value for name, value in record.items()}
        record["wall_seconds"] = round(time.monotonic() - self.begin, 1)
        record["cpu_seconds"] = round(time.process_time() - self.cpu, 1)
        self.file.write(json.dumps(record) + "\n")
        self.file.flush()

    def close(self):
        self.file.close()


def compiled(function):
    """torch.compile where it is and works, else the function itself."""
    if not hasattr(torch, "compile"):
        return function
    quick = torch.compile(function)
    broken = []

    def call(*arguments):
        if not broken:
            try:
                return quick(*arguments)
            except Exception as error:         # no compiler on the machine, and many more
                if isinstance(error, (KeyboardInterrupt, MemoryError)):
                    raise
                broken.append(error)
                print(f"torch.compile does not work here ({type(error).__name__}): training goes on without it")
        return function(*arguments)
    return call


def training_step(logits_of, optimiser, parameters, batch, bf16, clip=10.0):
    """One step; `logits_of` gives (logits, grid) of pictures. Returns the losses as numbers by name."""
    pictures, boxes, classes, valid = batch
    x = (pictures.float() / 255).contiguous(memory_format=torch.channels_last)
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits, grid = logits_of(x)
    losses = detection_loss(logits, grid, boxes, classes, valid)
    if not torch.isfinite(losses.total):
        raise FloatingPointError("the loss is no longer a number: lower --rate")
    losses.total.backward()
    nn.utils.clip_grad_norm_(parameters, clip)
    optimiser.step()
    return {name: value.item() for name, value in losses._asdict().items()}


def logits_function(model):
    """pictures -> (logits, grid), what the loss wants."""
    def logits_of(x):
        features = model.features(x)
        return model.model["22"].logits(features), cells(features)
    return logits_of


def save_checkpoint(path, **state):
    """Whole or not at all, also when the machine stops meanwhile."""
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)
