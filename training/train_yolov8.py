#!/usr/bin/env python3
"""Train the cardiac region detector on moving phantoms, on boxes drawn by a person, or on both.

    python3 training/train_yolov8.py runs/roi                                  # phantoms alone
    python3 training/train_yolov8.py runs/roi --manifest boxes.csv --size n    # a person's boxes alone
    python3 training/train_yolov8.py runs/roi --manifest boxes.csv --phantom-share 0.5
    python3 training/train_yolov8.py runs/roi --manifest boxes.csv --initial models/roi-demo.safetensors
    python3 training/train_yolov8.py runs/roi --resume

The manifest is a CSV with the columns path, x1, y1, x2, y2, split (train, val, test). The run's directory holds
last.pt, log.jsonl and the model file roi.safetensors, which is written anew at every check.
"""
import argparse
import os
import signal
import sys
import time

import numpy as np
import torch

from cardiac import roi_data, screens
from cardiac.modelfile import ModelError, load_tensors, read_model_file, stored_state, write_model_file
from cardiac.phantom import PhantomError
from cardiac.progress import Progress
from cardiac.roi_metrics import check
from cardiac.seeds import read_seeds
from cardiac.trainer import has_bf16
from cardiac.yolov8 import YoloV8
from cardiac.yolov8_training import (Average, Log, compiled, initialise, logits_function, make_optimiser, rate_factor,
                                     save_checkpoint, slow_statistics, training_step)
from random_model import YOLO_SCALES, yolov8_shapes

LABELS = ["heart"]
NOT_CHANGED_BY_RESUMING = ("size", "side", "seed", "batch", "optimiser", "rate", "decay", "warm_up", "average")


def card(args):
    """The model card; a model of phantoms alone is synthetic."""
    synthetic = not args.manifest
    source = {(True, True): "synthetic apical four-chamber phantoms (phantoms/echo) and synthetic pictures without a "
                            "heart",
              (False, False): "boxes drawn by a person",
              (False, True): "boxes drawn by a person, and synthetic phantoms (phantoms/echo)"}
    return {"name": args.name, "licence": args.licence,
            "training_data": source[synthetic, synthetic or args.phantom_share > 0],
            "intended_use": "finding the cardiac chambers in apical four-chamber echo; research use only, not for "
                            "diagnosis",
            "trained": True, "synthetic": synthetic}


def export(path, model, args):
    """The averaged weights as a model file."""
    tensors = {name: value.detach().clone().contiguous() for name, value in stored_state(model).items()}
    write_model_file(path, "yolov8", model.config, card(args), tensors, torch.float16)


def held_out(args):
    """What the run is checked on: phantoms and empty screens of other seeds, and the manifest's `val` rows."""
    samples = []
    if args.manifest:
        for name, boxes in roi_data.read_manifest(args.manifest, "val"):
            samples += [roi_data.letterbox(frame, boxes, args.side) for frame in roi_data.read_frames(name)[:4]]
    if args.phantom_share > 0:
        first = read_seeds()["splits"]["validation"]["first"]
        for seed in range(first, first + args.check):
            samples.append(roi_data.letterbox(*screens.plain_screen(seed), args.side))
            samples.append(roi_data.letterbox(*screens.empty_screen(np.random.default_rng(seed)), args.side))
    return samples


def typical_size(samples, count=32):
    """Mean width and height of the first boxes."""
    boxes = [boxes for _, boxes in (samples[i] for i in range(count)) if len(boxes)]
    if not boxes:
        raise roi_data.ManifestError("no training picture holds a box")
    boxes = torch.cat(boxes)
    return (boxes[:, 2:] - boxes[:, :2]).mean(0).tolist()


def load_initial(model, path):
    """Weights of another detector to begin with, for instance of the demonstration model."""
    arch, _, _, tensors = read_model_file(path)
    if arch != "yolov8":
        raise ModelError(f"{path} holds {arch}, expected yolov8")
    try:
        load_tensors(model, tensors)
    except ModelError as error:
        raise ModelError(f"{path} does not fit --size: {error}") from None


class Run:
    """Everything that changes while training, and is stored in last.pt."""

    def __init__(self, args, samples):
        self.args, self.step = args, 0
        self.checkpoint = os.path.join(args.out, "last.pt")
        torch.manual_seed(args.seed)
        config = {"input_side": args.side, "sppf_activation": True, "labels": LABELS}
        self.model = YoloV8(config, yolov8_shapes(args.size, len(LABELS))).to(memory_format=torch.channels_last)
        slow_statistics(self.model)
        if args.resume:
            saved = torch.load(self.checkpoint, map_location="cpu")
            for name in NOT_CHANGED_BY_RESUMING:
                if saved["args"][name] != getattr(args, name):
                    raise ModelError(f"{self.checkpoint}: --{name.replace('_', '-')} was {saved['args'][name]}, "
                                     f"now it is {getattr(args, name)}; a resumed run keeps it")
            self.model.load_state_dict(saved["model"])
        else:
            initialise(self.model, args.side, typical_size(samples))
            if args.initial:
                load_initial(self.model, args.initial)
        self.average = Average(self.model, args.average)
        self.optimiser = make_optimiser(self.model, args.optimiser, args.rate, args.decay)
        if args.resume:
            self.average.model.load_state_dict(saved["average"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.step = saved["step"]

    def save(self):
        save_checkpoint(self.checkpoint, args=vars(self.args), step=self.step, model=self.model.state_dict(),
                        average=self.average.model.state_dict(), optimiser=self.optimiser.state_dict())
        export(os.path.join(self.args.out, "roi.safetensors"), self.average.model, self.args)


def as_text(figures):
    return "  ".join(f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}"
                     for name, value in figures.items())


def batches(samples, args, first):
    """Batches of the steps from `first` on."""
    order = range(first * args.batch, args.steps * args.batch)
    return torch.utils.data.DataLoader(samples, args.batch, sampler=order, collate_fn=roi_data.collate,
                                       num_workers=args.workers)


def train(run, samples, log):
    """All steps that are left; checks, saves and logs on the way. Returns the last check's figures."""
    args, model = run.args, run.model
    logits_of = logits_function(model)
    if args.compile:
        logits_of = compiled(logits_of)
    parameters = list(model.parameters())
    checked = held_out(args)
    progress, begin, first = Progress(True, "pictures"), time.monotonic(), run.step
    figures = {}
    model.train()
    for batch in batches(samples, args, run.step):
        factor = rate_factor(run.step, args.steps, args.warm_up)
        for group in run.optimiser.param_groups:
            group["lr"] = args.rate * factor
        losses = training_step(logits_of, run.optimiser, parameters, batch, args.bf16)
        run.step += 1
        run.average.update(model, run.step)
        progress.show("detector", (run.step - first) / (args.steps - first), time.monotonic() - begin,
                      (run.step - first) * args.batch, losses)
        if run.step % 10 == 0:
            log.write(step=run.step, rate=args.rate * factor, **losses)
        if run.step % args.check_every == 0 or run.step == args.steps:
            figures = check(run.average.model.eval(), checked)
            log.write(step=run.step, check=figures)
            progress.line(f"step {run.step}: {as_text(figures)}")
            run.save()
    return figures


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", metavar="DIRECTORY", help="of the run: checkpoint, log, model file")
    parser.add_argument("--manifest", help="CSV: path, x1, y1, x2, y2, split")
    parser.add_argument("--phantom-share", type=float,
                        help="of pictures with a heart (default: 0 with --manifest, else 1)")
    parser.add_argument("--empty-share", type=float, default=0.2, help="of pictures without a heart (0.2)")
    parser.add_argument("--flips", action="store_true", help="exchange left and right: another anatomy, off by default")
    parser.add_argument("--size", choices=("tiny", *YOLO_SCALES), default="p", help="p is half as wide as n (p)")
    parser.add_argument("--side", type=int, default=320, help="letterbox side in pixels, a multiple of 32 (320)")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--optimiser", choices=("adamw", "sgd"), default="adamw")
    parser.add_argument("--rate", type=float, default=2e-3, help="largest learning rate (2e-3; for sgd try 1e-2)")
    parser.add_argument("--decay", type=float, default=0.02, help="weight decay (0.02; for sgd try 5e-4)")
    parser.add_argument("--warm-up", type=int, default=60, help="steps (60)")
    parser.add_argument("--average", type=float, default=0.995, help="decay of the weights' moving average (0.995)")
    parser.add_argument("--check", type=int, default=64, help="held-out phantoms, and as many empty screens (64)")
    parser.add_argument("--check-every", type=int, default=250, help="steps (250)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that make pictures (0: this one does)")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--compile", action="store_true", help="torch.compile, where it works")
    parser.add_argument("--initial", metavar="FILE", help="model file whose weights to begin with, of the same size")
    parser.add_argument("--resume", action="store_true",
                        help="go on from DIRECTORY/last.pt; with other --steps the rate follows the new schedule")
    parser.add_argument("--name", default="cardiac region detector", help="on the model card")
    parser.add_argument("--licence", default="LGPL-2.1-or-later", help="on the model card")
    args = parser.parse_args(arguments)
    if args.side % 32 or args.side < 32:
        parser.error(f"--side {args.side} is no multiple of 32")
    if args.phantom_share is None:
        args.phantom_share = 0.0 if args.manifest else 1.0
    if not args.manifest and args.phantom_share < 1:
        parser.error("--phantom-share below 1 needs --manifest")
    args.bf16 = args.precision == "bf16" or (args.precision == "auto" and has_bf16())
    return args


def stop(*_):
    raise KeyboardInterrupt


def main(arguments=None):
    args = parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):      # also where a shell's background job ignores them
        signal.signal(number, stop)
    torch.set_num_threads(args.threads)
    os.makedirs(args.out, exist_ok=True)
    log = Log(os.path.join(args.out, "log.jsonl"))
    try:
        rows = roi_data.read_manifest(args.manifest, "train") if args.manifest else []
        if args.manifest and not rows:
            raise roi_data.ManifestError(f"{args.manifest}: no row has the split 'train'")
        samples = roi_data.Samples(args.side, args.seed, rows, args.phantom_share, args.empty_share, args.flips)
        run = Run(args, samples)
        log.write(step=run.step, args=vars(args), torch=torch.__version__)
        try:
            figures = train(run, samples, log)
        except KeyboardInterrupt:
            run.save()
            sys.exit(f"\nstopped after {run.step} steps; go on with --resume")
    except (ModelError, roi_data.ManifestError, PhantomError, OSError, FloatingPointError) as error:
        sys.exit(f"train_yolov8.py: {error}")
    finally:
        log.close()
    print(as_text(figures))


if __name__ == "__main__":
    main()
