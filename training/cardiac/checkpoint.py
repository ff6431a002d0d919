"""Open a PyTorch checkpoint (.pt, .pth, .bin) without running anything that it holds.

A checkpoint is a pickle in a zip archive. Tensors, numbers, strings and containers are rebuilt; every
other class becomes an inert `Opaque` that only remembers its name and attributes. So a pickled
module, e.g. Ultralytics' best.pt, can be looked at, though none of its code is imported.
"""
import collections
import pickle
import zipfile

import numpy as np
import torch

STORAGE_DTYPES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class CheckpointError(ValueError):
    """The file is not a checkpoint that we can open."""


class Opaque:
    """Stands for an object of a class that is not imported; `class_name` is module.name."""

    class_name = "?"

    def __new__(cls, *_, **__):
        return object.__new__(cls)

    def __init__(self, *_, **__):
        pass

    def __setstate__(self, state):
        if isinstance(state, tuple) and state and isinstance(state[0], dict):
            state = state[0]
        if isinstance(state, dict):
            self.__dict__.update((key, value) for key, value in state.items() if isinstance(key, str))

    def _ignore(self, *_, **__):
        pass

    __setitem__ = append = extend = add = update = _ignore


def _rebuild_tensor(storage, offset, size, stride, *_):
    """as_strided checks that the tensor lies within its storage."""
    return storage.as_strided(tuple(size), tuple(stride), offset)


def _rebuild_parameter(tensor, *_):
    return tensor


ALLOWED = {
    "collections.OrderedDict": collections.OrderedDict,
    "torch.Size": tuple,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive, prefix):
        super().__init__(archive.open(prefix + "data.pkl"), encoding="utf-8")
        self.archive, self.prefix, self.storages = archive, prefix, {}

    def find_class(self, module, name):
        full = f"{module}.{name}"
        if full in ALLOWED:
            return ALLOWED[full]
        if module == "torch" and name in STORAGE_DTYPES:
            return STORAGE_DTYPES[name]
        return type("Opaque", (Opaque,), {"class_name": full})

    def persistent_load(self, saved_id):
        kind, dtype, key, _, count = saved_id
        if kind != "storage" or not isinstance(dtype, torch.dtype):
            raise CheckpointError(f"unknown storage {saved_id!r}")
        if key not in self.storages:
            raw = torch.from_numpy(np.frombuffer(self.archive.read(f"{self.prefix}data/{key}"), np.uint8).copy())
            storage = raw.view(dtype) if len(raw) else torch.empty(0, dtype=dtype)
            if len(storage) < count:
                raise CheckpointError(f"storage {key} is shorter than {count} elements")
            self.storages[key] = storage
        return self.storages[key]


def read_checkpoint(path):
    """The object saved by torch.save (zip format), foreign classes as Opaque."""
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            if len(pickles) != 1:
                raise CheckpointError(f"{path}: no data.pkl in the archive")
            return _Unpickler(archive, pickles[0][:-len("data.pkl")]).load()
    except zipfile.BadZipFile:
        raise CheckpointError(f"{path}: not a checkpoint of torch >= 1.6 (a zip archive)") from None
    except CheckpointError:
        raise
    except Exception as error:  # a hostile pickle can raise anything
        raise CheckpointError(f"{path}: cannot be opened safely: {error}") from None


def is_state_dict(value):
    """Whether value is {name: tensor}."""
    return isinstance(value, dict) and bool(value) and all(
        isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in value.items())


def module_state(module, prefix=""):
    """{name: tensor} of an Opaque nn.Module: parameters, persistent buffers, submodules."""
    state = {}
    transient = getattr(module, "_non_persistent_buffers_set", None)
    transient = transient if isinstance(transient, (set, frozenset, list, tuple)) else ()
    for kind in ("_parameters", "_buffers"):
        for name, value in (getattr(module, kind, None) or {}).items():
            if isinstance(value, torch.Tensor) and name not in transient:
                state[prefix + name] = value
    for name, child in (getattr(module, "_modules", None) or {}).items():
        if isinstance(child, Opaque):
            state.update(module_state(child, f"{prefix}{name}."))
    return state
