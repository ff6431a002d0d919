"""Run a model file on arrays: the oracle of the engine's tests.

Everything is computed in double precision unless the model is converted, e.g. model.float().
Outputs are numpy arrays under the names that cardiac-infer writes: float32, int64 for indices.
"""
import numpy as np
import torch

from .modelfile import build, read_model_file
from .picture import Letterbox, clip_input
from .yolov8 import detections


def load_model(path):
    """The network of a model file, double precision, evaluation mode; `.config` holds its keys."""
    arch, config, card, tensors = read_model_file(path)
    model = build(arch, config, tensors).double()
    model.arch, model.card = arch, card
    return model


def _dtype(model):
    return next(model.parameters()).dtype


def to_numpy(outputs):
    """{name: tensor} -> {name: array}, float32 or int64."""
    return {name: np.asarray(value.numpy(), np.float32 if value.is_floating_point() else np.int64)
            for name, value in outputs.items()}


@torch.no_grad()
def run_xclip(model, clip):
    """clip: uint8 RGB [T,h,w,3] or normalised float [T,3,S,S]."""
    outputs = model(clip_input(clip, model.config, _dtype(model))[None])
    return to_numpy({name: value[0] for name, value in outputs.items()})


@torch.no_grad()
def run_mreg(model, clips):
    """clips of one video: uint8 RGB [I,T,h,w,3] or normalised float [I,T,3,S,S]."""
    x = clip_input(clips, model.config, _dtype(model))
    return to_numpy(model(x))


@torch.no_grad()
def run_mreg_head(model, features):
    """features: arrays video_features, patch_features, presence_text, grade_text."""
    return to_numpy(model.run_head({name: torch.as_tensor(np.asarray(value), dtype=_dtype(model))
                                    for name, value in features.items()}))


@torch.no_grad()
def run_yolov8(model, picture):
    """picture: uint8 RGB [h,w,3] of any size (letterboxed) or float [3,h,w] in 0..1.

    Boxes come out in pixels of the given picture.
    """
    picture = np.asarray(picture)
    if picture.dtype == np.uint8:
        box = Letterbox(*picture.shape[:2], model.config["input_side"])
        x = np.moveaxis(box.apply(picture), -1, 0) / 255
    else:
        x = picture
    raw = model(torch.as_tensor(x, dtype=_dtype(model))[None])[0]
    boxes, scores, classes = detections(raw)
    if picture.dtype == np.uint8:
        boxes = box.boxes_back(boxes)
    else:
        height, width = x.shape[1:]
        boxes = torch.minimum(boxes.clamp(min=0), torch.tensor([width, height] * 2, dtype=boxes.dtype))
    return to_numpy({"raw": raw, "boxes": boxes, "scores": scores, "classes": classes})


INSIDE = ("feature1", "feature2", "feature3")   # of mmsa, large, and in no file


@torch.no_grad()
def run_mmsa(model, polar):
    """polar: P_pat of one patient [t,80,512], uint8 grey or float in 0..1."""
    polar = np.asarray(polar)
    scale = 255 if polar.dtype == np.uint8 else 1
    outputs = model(torch.as_tensor(polar, dtype=_dtype(model))[None] / scale)
    return to_numpy({name: value[0] for name, value in outputs.items() if name not in INSIDE})
