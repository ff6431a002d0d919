"""Read and write safetensors files (F32, F16, BF16, and I64 for reading), also sharded ones.

Layout: u64 header length, JSON header, data; see docs/model-format.md.
"""
import json
import math
import os
import struct

import numpy as np
import torch

MAX_HEADER_BYTES = 100_000_000
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
          "F64": torch.float64, "I64": torch.int64, "I32": torch.int32}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
ITEM_SIZE = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2}


class SafetensorsError(ValueError):
    """The file is not a sound safetensors file; the message names the tensor."""


def _unique_keys(pairs):
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise SafetensorsError(f"duplicate key '{key}' in the header")
    return dict(pairs)


def _parse_header(data):
    if len(data) < 8:
        raise SafetensorsError("file is shorter than 8 bytes")
    (length,) = struct.unpack("<Q", data[:8])
    if length > MAX_HEADER_BYTES or 8 + length > len(data):
        raise SafetensorsError(f"header of {length} bytes does not fit a file of {len(data)} bytes")
    try:
        header = json.loads(bytes(data[8:8 + length]).decode("utf-8"), object_pairs_hook=_unique_keys)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise SafetensorsError(f"header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise SafetensorsError("header is not a JSON object")
    return header, 8 + length


def _check_entry(name, entry):
    """Return (dtype name, shape, begin, end) of a header entry or raise."""
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise SafetensorsError(f"tensor '{name}': malformed header entry") from None
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise SafetensorsError(f"tensor '{name}': dtype {dtype!r} is not supported")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape + [begin, end]):
        raise SafetensorsError(f"tensor '{name}': shape and offsets must be non-negative integers")
    if end - begin != math.prod(shape) * ITEM_SIZE[dtype]:
        raise SafetensorsError(f"tensor '{name}': {end - begin} bytes do not hold {dtype} {shape}")
    return dtype, shape, begin, end


def read_safetensors(path):
    """Return ({name: tensor}, {metadata key: string}) of one file; tensors keep their dtype."""
    data = np.fromfile(path, dtype=np.uint8)
    header, start = _parse_header(data)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise SafetensorsError("__metadata__ must hold strings only")
    entries = sorted(((*_check_entry(name, entry), name) for name, entry in header.items()),
                     key=lambda e: (e[2], e[3]))
    tensors, expected = {}, 0
    for dtype, shape, begin, end, name in entries:
        if begin != expected:
            raise SafetensorsError(f"tensor '{name}': starts at {begin}, expected {expected}")
        expected = end
        if start + end > len(data):
            raise SafetensorsError(f"tensor '{name}': ends beyond the file")
        if begin == end:
            tensors[name] = torch.empty(shape, dtype=DTYPES[dtype])
        else:  # copying also aligns
            raw = torch.from_numpy(data[start + begin:start + end].copy())
            tensors[name] = raw.view(DTYPES[dtype]).reshape(shape)
    if start + expected != len(data):
        raise SafetensorsError(f"{len(data) - start - expected} bytes after the last tensor")
    return tensors, metadata


def read_sharded(directory, stem="model"):
    """Read DIRECTORY/model.safetensors, or every shard named by model.safetensors.index.json."""
    single = os.path.join(directory, f"{stem}.safetensors")
    if os.path.exists(single):
        return read_safetensors(single)[0]
    with open(single + ".index.json", encoding="utf-8") as file:
        weight_map = json.load(file)["weight_map"]
    tensors = {}
    for shard in sorted(set(weight_map.values())):
        if os.path.basename(shard) != shard:
            raise SafetensorsError(f"shard name '{shard}' leaves the directory")
        tensors.update(read_safetensors(os.path.join(directory, shard))[0])
    for name in weight_map:
        if name not in tensors:
            raise SafetensorsError(f"tensor '{name}' is in no shard")
    return {name: tensors[name] for name in weight_map}


def write_safetensors(path, tensors, metadata=None):
    """Write tensors ({name: tensor}) with their own dtypes; larger items first keeps data aligned."""
    def order(name):
        return (-ITEM_SIZE[NAMES[tensors[name].dtype]], name)

    header = {"__metadata__": metadata} if metadata else {}
    chunks, offset = [], 0
    for name in sorted(tensors, key=order):
        tensor = tensors[name].detach().contiguous().cpu()
        chunk = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(chunk)]}
        chunks.append(chunk)
        offset += len(chunk)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(chunks)
