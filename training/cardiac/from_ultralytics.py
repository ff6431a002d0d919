"""Ultralytics YOLOv8 checkpoints -> (configuration, tensors) of a yolov8 file."""
import re

import torch

from .checkpoint import Opaque, is_state_dict, module_state, read_checkpoint
from .modelfile import ModelError
from .safetensors_io import read_safetensors

# modules of yolov8.yaml; 10, 11, 13, 14, 17, 20 are upsampling and concat
YOLOV8_MODULES = ("Conv Conv C2f Conv C2f Conv C2f Conv C2f SPPF Upsample Concat C2f Upsample Concat C2f "
                  "Conv Concat C2f Conv Concat C2f Detect").split()
IGNORED = re.compile(r"num_batches_tracked$|\.dfl\.conv\.weight$")


def _short_name(value):
    return value.class_name.rsplit(".", 1)[-1] if isinstance(value, Opaque) else type(value).__name__


def _inspect_module(module):
    """Refuse other networks by name; return (state, labels, sppf_activation) of a pickled one."""
    layers = getattr(module, "_modules", {}).get("model")
    layers = list(getattr(layers, "_modules", {}).values())
    names = [_short_name(layer) for layer in layers]
    for n, (name, expected) in enumerate(zip(names, YOLOV8_MODULES)):
        if name != expected:
            raise ModelError(f"model.{n} is a {name}, a YOLOv8 detector has {expected} there")
    if len(names) != len(YOLOV8_MODULES):
        raise ModelError(f"the network has {len(names)} modules, a YOLOv8 detector {len(YOLOV8_MODULES)}")
    labels = getattr(module, "names", None)
    if isinstance(labels, dict):
        labels = [labels[i] for i in sorted(labels)]
    act = layers[9]._modules["cv1"]._modules.get("act")
    return module_state(module), labels, _short_name(act) == "SiLU"


def read_source(path):
    """Return (state, labels or None, sppf_activation or None) of a checkpoint or a state dict."""
    if path.endswith(".safetensors"):
        return read_safetensors(path)[0], None, None
    saved = read_checkpoint(path)
    if isinstance(saved, dict) and ("ema" in saved or "model" in saved):
        saved = saved.get("ema") or saved.get("model")      # the averaged weights come first
    if isinstance(saved, Opaque):
        return _inspect_module(saved)
    if isinstance(saved, dict) and is_state_dict(saved.get("state_dict")):
        saved = saved["state_dict"]
    if is_state_dict(saved):
        return saved, None, None
    raise ModelError(f"{path} holds neither a YOLOv8 model nor a state dict")


def _check_blocks(state):
    """Refuse fused models, other heads and other families by the name of a tensor."""
    known = re.compile(
        r"model\.(\d|1[2589]|16|21)\.((cv[12]|m\.\d+\.cv[12])\.)?(conv\.weight|bn\.(weight|bias|running_mean|running_var))$"
        r"|model\.22\.cv[23]\.[012]\.([01]\.(conv\.weight|bn\.(weight|bias|running_mean|running_var))|2\.(weight|bias))$")
    for name in state:
        if name.endswith("conv.bias"):
            raise ModelError(f"tensor '{name}': batch norms are already folded in; convert the unfused model")
        if not known.match(name):
            raise ModelError(f"tensor '{name}' is not part of a YOLOv8 detector")
    for i in range(3):
        name = f"model.22.cv2.{i}.2.weight"
        if name not in state:
            raise ModelError(f"tensor '{name}' is missing: not a YOLOv8 detector")
        if state[name].shape[0] != 64:
            raise ModelError(f"tensor '{name}' has {state[name].shape[0]} rows, expected 4·16")


def _choose_class(state, labels, choice):
    """Keep one row of the class branches, or all of them."""
    if choice == "all" or (choice is None and len(labels) == 1):
        return labels
    if choice is None:
        raise ModelError("the detector has several classes, choose one by --class NAME, a number or 'all': "
                         + ", ".join(labels[:10]) + (", ..." if len(labels) > 10 else ""))
    if choice in labels:
        index = labels.index(choice)
    elif choice.isdigit() and int(choice) < len(labels):
        index = int(choice)
    else:
        raise ModelError(f"--class {choice}: no such class; there are {', '.join(labels[:10])}")
    for i in range(3):
        for kind in ("weight", "bias"):
            name = f"model.22.cv3.{i}.2.{kind}"
            state[name] = state[name][index:index + 1]
    return [labels[index]]


def convert_yolov8(path, choice=None, sppf_activation=None, say=print):
    """Return (config, tensors). `sppf_activation` (or None) is for bare state dicts."""
    state, labels, found = read_source(path)
    if all(name.startswith("model.model.") for name in state):
        state = {name[len("model."):]: tensor for name, tensor in state.items()}
    dfl = state.get("model.22.dfl.conv.weight")
    if dfl is not None and not torch.equal(dfl.float().flatten(), torch.arange(16.0)):
        raise ModelError("tensor 'model.22.dfl.conv.weight' is not 0, 1, ..., 15")
    state = {name: tensor.float() for name, tensor in state.items() if not IGNORED.search(name)}
    _check_blocks(state)
    classes = len(state["model.22.cv3.0.2.bias"]) if "model.22.cv3.0.2.bias" in state else 0
    if labels is None:
        labels = ["heart"] if classes == 1 else [f"class {i}" for i in range(classes)]
    labels = [str(label) for label in labels]
    if len(labels) != classes:
        raise ModelError(f"{len(labels)} class names for {classes} classes")
    if found is None:
        found = True if sppf_activation is None else sppf_activation
        if sppf_activation is None:
            say("note: assuming SiLU after model.9.cv1; models trained with ultralytics 8.4.0 and shortly after "
                "have none: --sppf-activation none")
    elif sppf_activation is not None and sppf_activation != found:
        raise ModelError("--sppf-activation contradicts the checkpoint's model.9.cv1.act")
    labels = _choose_class(state, labels, choice)
    return {"input_side": 640, "sppf_activation": found, "labels": labels}, state
