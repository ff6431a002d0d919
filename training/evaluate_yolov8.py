#!/usr/bin/env python3
"""Measure a detector: IoU and recall on held-out phantoms or drawn boxes, and what it sees without a heart.

    python3 training/evaluate_yolov8.py models/roi-demo.safetensors
    python3 training/evaluate_yolov8.py roi.safetensors --manifest boxes.csv --split test
    python3 training/evaluate_yolov8.py roi.safetensors --phantoms 0 --no-heart mmode.mp4 --heart a4c.avi --draw out

Pictures go the way that they go in cardiac-infer: letterbox, network, non-maximum suppression. The best box
of a picture counts; a heart without any box counts as IoU 0. Prints JSON.
"""
import argparse
import json
import os
import sys

import numpy as np
import torch

from cardiac import ModelError, load_model, roi_data, run_yolov8, screens
from cardiac.phantom import PhantomError
from cardiac.roi_metrics import overlap, summary
from cardiac.seeds import read_seeds
from cardiac.yolov8 import SCORE_THRESHOLD, YoloV8


def best_box(model, picture):
    """(box [4], score) of the best detection, or (None, best score of any cell)."""
    outputs = run_yolov8(model, picture)
    if len(outputs["scores"]):
        return outputs["boxes"][0], float(outputs["scores"][0])
    return None, float(outputs["raw"][4:].max())


def figures(model, pairs):
    """Summary over (picture, boxes [n,4])."""
    overlaps, scores, empty = [], [], []
    for picture, boxes in pairs:
        box, score = best_box(model, picture)
        if len(boxes):
            overlaps.append(0.0 if box is None else overlap(box, boxes))
            scores.append(score)
        else:
            empty.append(score)
    return summary(overlaps, scores, empty)


def placed(seed):
    """A heart anywhere on a screen of any size, as training draws them, before colour."""
    return screens.heart_screen(np.random.default_rng(seed), seed)


def recoloured(seed):
    """The same with other colours and gains, as training sees it."""
    rng = np.random.default_rng(seed)
    picture, boxes = screens.heart_screen(rng, seed)
    x = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    return (roi_data.recolour(rng, x) * 255 + 0.5).byte().permute(1, 2, 0).numpy(), boxes


def draw(path, picture, box, score):
    """Write the picture with its best box."""
    from PIL import Image, ImageDraw
    image = Image.fromarray(picture)
    if box is not None:
        canvas = ImageDraw.Draw(image)
        canvas.rectangle([float(v) for v in box], outline=(0, 255, 0), width=2)
        canvas.text((box[0] + 4, box[1] + 3), f"{score:.2f}", fill=(0, 255, 0))
    image.save(path)


def look(model, path, step, directory):
    """What the detector says of a file without known boxes."""
    frames = roi_data.read_frames(path) if path.lower().endswith(roi_data.PICTURES) else \
        roi_data.read_video(path, step, 1 << 20)
    boxes, scores = [], []
    for i, frame in enumerate(frames):
        box, score = best_box(model, frame)
        scores.append(score)
        if box is not None:
            boxes.append(box)
        if directory:
            stem = os.path.splitext(os.path.basename(path))[0]
            draw(os.path.join(directory, f"{stem}-{i * step:03}.png"), frame, box, score)
    found = {"frames": len(frames), "with_box": len(boxes), "lowest_score": min(scores),
             "median_score": float(np.median(scores)), "highest_score": max(scores)}
    if boxes:
        found["median_box"] = [round(float(v), 1) for v in np.median(boxes, 0)]
        found["box_deviation"] = [round(float(v), 1) for v in np.std(boxes, 0)]
    return found


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(v) for name, v in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", metavar="MODEL.safetensors")
    parser.add_argument("--phantoms", type=int, default=200, help="of each kind (200); 0: none")
    parser.add_argument("--first-seed", type=int, default=read_seeds()["splits"]["test"]["first"],
                        help="of the phantoms (the first of the test seeds)")
    parser.add_argument("--manifest", help="CSV: path, x1, y1, x2, y2, split")
    parser.add_argument("--split", choices=roi_data.SPLITS, default="test")
    parser.add_argument("--heart", nargs="+", default=[], metavar="FILE", help="pictures or videos of a heart")
    parser.add_argument("--no-heart", nargs="+", default=[], metavar="FILE", help="... without one")
    parser.add_argument("--step", type=int, default=1, help="look at every n-th frame of those (1)")
    parser.add_argument("--draw", metavar="DIRECTORY", help="write those frames with their boxes")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(arguments)


def evaluate(model, args):
    report = {}
    if args.phantoms:
        seeds = range(args.first_seed, args.first_seed + args.phantoms)
        report["phantom_screens"] = figures(model, (screens.plain_screen(seed) for seed in seeds))
        report["phantoms_placed_anywhere"] = figures(model, (placed(seed) for seed in seeds))
        report["phantoms_recoloured"] = figures(model, (recoloured(seed) for seed in seeds))
        report["no_heart"] = figures(model, (screens.empty_screen(np.random.default_rng(seed)) for seed in seeds))
    if args.manifest:
        rows = roi_data.read_manifest(args.manifest, args.split)
        report["manifest"] = figures(model, ((frame, boxes) for name, boxes in rows
                                             for frame in roi_data.read_frames(name)))
    if args.draw:
        os.makedirs(args.draw, exist_ok=True)
    for path in args.heart:
        report[os.path.basename(path)] = look(model, path, args.step, args.draw)
    for path in args.no_heart:
        found = look(model, path, args.step, args.draw)
        found["false_positives"] = found["with_box"] / found["frames"]
        report[os.path.basename(path)] = found
    return report


def main(arguments=None):
    args = parse(arguments)
    torch.set_num_threads(args.threads)
    try:
        model = load_model(args.model)
        if not isinstance(model, YoloV8):
            raise ModelError(f"{args.model} holds {model.arch}, expected yolov8")
        report = {"model": args.model, "threshold": SCORE_THRESHOLD, **evaluate(model.float(), args)}
    except (ModelError, roi_data.ManifestError, PhantomError, OSError) as error:
        sys.exit(f"evaluate_yolov8.py: {error}")
    print(json.dumps(rounded(report), indent=2))


if __name__ == "__main__":
    main()
