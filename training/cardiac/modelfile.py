"""Model files: metadata, configuration, card and tensors of one network (docs/model-format.md)."""
import json

import numpy as np
import torch

from . import mmsa, mreg, xclip, yolov8
from .safetensors_io import read_safetensors, write_safetensors

VERSION = "1"
ARCHITECTURES = ("xclip", "mreg", "yolov8", "mmsa")
CARD_KEYS = ("name", "licence", "training_data", "intended_use", "trained", "synthetic")

BACKBONE_KEYS = ("input_side", "frames", "vision_heads", "mit_heads", "prompt_heads", "hidden_act",
                 "layer_norm_eps", "image_mean", "image_std")
CONFIG_KEYS = {
    "xclip": (*BACKBONE_KEYS, "labels"),
    "mreg": (*BACKBONE_KEYS, "instances", "labels", "presence_labels", "thresholds", "select", "beta",
             "amp_padding", "norm", "norm_eps", "expert_gate"),
    "yolov8": ("input_side", "sppf_activation", "labels"),
    "mmsa": ("labels", "flow_step", "flow_residual", "attention", "attention_scales", "attention_activation",
             "attention_gain", "enhancement", "tse_scale", "non_local"),
}
CHOICES = {
    "mreg": {"select": mreg.SELECT, "amp_padding": mreg.AMP_PADDING, "norm": mreg.NORM,
             "expert_gate": mreg.EXPERT_GATE},
    "mmsa": {"attention": mmsa.ATTENTION, "attention_scales": mmsa.ATTENTION_SCALES,
             "attention_activation": mmsa.ATTENTION_ACTIVATION, "attention_gain": mmsa.ATTENTION_GAIN,
             "enhancement": mmsa.ENHANCEMENT, "tse_scale": mmsa.TSE_SCALE},
}
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
MREG_DEFAULTS = {
    "instances": 3,
    "labels": ["none/trace", "mild", "≥ moderate"],
    "presence_labels": ["normal", "mitral regurgitation"],
    "thresholds": [0.5, 1.5],
    "select": "logit",
    "beta": 2.0,
    "amp_padding": "replicate",
    "norm": "video",
    "norm_eps": 1e-5,
    "expert_gate": "matrix",
}

MMSA_DEFAULTS = {
    "labels": ["normal", "hypokinetic", "akinetic", "dyskinetic"],
    "flow_step": 3,
    "flow_residual": False,
    "attention": "msa",
    "attention_scales": "all",
    "attention_activation": "none",
    "attention_gain": "1",
    "enhancement": "tse",
    "tse_scale": "1",
    "non_local": True,
}


class ModelError(ValueError):
    """The model's tensors or configuration do not fit; the message names the key or tensor."""


def parse_config(text):
    """Configuration keys from the command line: a JSON object or the name of a file with one."""
    try:
        if not text.lstrip().startswith("{"):
            with open(text, encoding="utf-8") as file:
                text = file.read()
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(f"--config: {error}") from None
    if not isinstance(config, dict):
        raise ModelError("--config: expected a JSON object")
    return config


def load_array(path, rank, dtype):
    """A tensor of `dtype` from a .npy file of the given rank; never unpickles."""
    try:
        array = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from None
    if array.ndim != rank:
        raise ModelError(f"{path}: has {array.ndim} dimensions, expected {rank}")
    return torch.as_tensor(array).to(dtype)


def check_config(arch, config):
    """Refuse missing and unknown keys and values outside their lists."""
    for key in CONFIG_KEYS[arch]:
        if key not in config:
            raise ModelError(f"configuration key '{key}' is missing")
    for key in config:
        if key not in CONFIG_KEYS[arch]:
            raise ModelError(f"configuration key '{key}' is unknown to {arch}")
    for key, allowed in CHOICES.get(arch, {}).items():
        if config[key] not in allowed:
            raise ModelError(f"configuration key '{key}' is '{config[key]}', expected one of {tuple(allowed)}")
    if arch == "mreg":
        thresholds = config["thresholds"]
        if len(thresholds) != len(config["labels"]) - 1 or sorted(set(thresholds)) != thresholds:
            raise ModelError("thresholds must be one fewer than labels and increase")
        if len(config["presence_labels"]) != 2:
            raise ModelError("presence_labels must be two names")
    if arch == "yolov8" and config["input_side"] % 32:
        raise ModelError(f"input_side {config['input_side']} is no multiple of 32")
    if arch == "mmsa":
        check_mmsa_config(config)


def check_mmsa_config(config):
    """Every t takes a flow step below the fewest phases: no picture is paired with itself."""
    step = config["flow_step"]
    if not isinstance(step, int) or isinstance(step, bool) or not 1 <= step < mmsa.MIN_PHASES:
        raise ModelError(f"configuration key 'flow_step' is {step!r}, expected 1..{mmsa.MIN_PHASES - 1}")
    for key in ("flow_residual", "non_local"):
        if not isinstance(config[key], bool):
            raise ModelError(f"configuration key '{key}' is {config[key]!r}, expected true or false")
    if len(config["labels"]) != 4:
        raise ModelError("labels must be four names, normal first")


def build(arch, config, tensors):
    """An nn.Module of `arch` holding `tensors` ({name: tensor}), in evaluation mode."""
    check_config(arch, config)
    try:
        if arch == "yolov8":
            model = yolov8.YoloV8(config, tensors)
        elif arch == "mmsa":
            model = mmsa.MMSA(config, mmsa.sizes_from(tensors, config))
        else:
            sizes = xclip.backbone_sizes(tensors)
            xclip.check_backbone_config(config, sizes)
            model = {"xclip": xclip.XClip, "mreg": mreg.MReg}[arch](config, sizes)
    except KeyError as error:
        raise ModelError(f"tensor {error} is missing") from None
    except ValueError as error:
        raise ModelError(str(error)) from None
    load_tensors(model, tensors)
    return model.eval()


def stored_state(model):
    """The module's state without counters that no model file holds."""
    return {name: value for name, value in model.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def load_tensors(model, tensors):
    """Copy tensors into the module; missing, unexpected and mis-shaped ones are named errors."""
    state = stored_state(model)
    for name in state:
        if name not in tensors:
            raise ModelError(f"tensor '{name}' is missing")
    for name, tensor in tensors.items():
        if name not in state:
            raise ModelError(f"tensor '{name}' is unexpected")
        if tensor.shape != state[name].shape:
            raise ModelError(f"tensor '{name}' is {list(tensor.shape)}, expected {list(state[name].shape)}")
        if not torch.isfinite(tensor.float()).all():
            raise ModelError(f"tensor '{name}' holds NaN or infinity")
    model.load_state_dict({name: tensor.to(state[name].dtype) for name, tensor in tensors.items()},
                          strict=False)


def read_model_file(path):
    """Return (arch, config, card, tensors) of a model file."""
    tensors, metadata = read_safetensors(path)
    try:
        arch, version = metadata["gst_cardiac.arch"], metadata["gst_cardiac.version"]
        config = json.loads(metadata["gst_cardiac.config"])
        card = json.loads(metadata["gst_cardiac.card"])
    except KeyError as error:
        raise ModelError(f"metadata key {error} is missing: not a gst-cardiac model file") from None
    if arch not in ARCHITECTURES:
        raise ModelError(f"gst_cardiac.arch '{arch}' is unknown")
    if version != VERSION:
        raise ModelError(f"gst_cardiac.version '{version}' is not {VERSION}")
    return arch, config, card, tensors


def write_model_file(path, arch, config, card, tensors, dtype=torch.float32):
    """Write a model file. With a 16-bit dtype vectors and scalars stay F32: they cost nothing.

    Building the network first makes sure that what is written can be read.
    """
    missing = [key for key in CARD_KEYS if key not in card]
    if missing:
        raise ModelError(f"card key '{missing[0]}' is missing")
    build(arch, config, tensors)
    stored = {name: tensor.to(dtype if tensor.dim() > 1 else torch.float32)
              for name, tensor in tensors.items()}
    for name, tensor in stored.items():
        if not torch.isfinite(tensor.float()).all():
            raise ModelError(f"tensor '{name}' does not fit {dtype}")
    write_safetensors(path, stored, {
        "gst_cardiac.arch": arch,
        "gst_cardiac.version": VERSION,
        "gst_cardiac.config": json.dumps({key: config[key] for key in CONFIG_KEYS[arch]},
                                         ensure_ascii=False),
        "gst_cardiac.card": json.dumps(card, ensure_ascii=False),
    })
