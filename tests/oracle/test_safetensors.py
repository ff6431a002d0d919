#!/usr/bin/env python3
"""The safetensors reader on good and bad files, and model files that do not fit."""
import json
import struct
import unittest

import oracle
import torch

from cardiac.modelfile import ModelError, build, read_model_file, write_model_file
from cardiac.run import load_model
from cardiac.safetensors_io import SafetensorsError, read_safetensors, read_sharded, write_safetensors
from random_model import random_model, untrained_card


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


class Reader(oracle.DirectoryTest):
    def write(self, header, data=b"\0" * 8):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        with open(self.path("x"), "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text + data)
        return self.path("x")

    def refuse(self, message, header, data=b"\0" * 8):
        with self.assertRaisesRegex(SafetensorsError, message):
            read_safetensors(self.write(header, data))

    def test_reads_what_it_wrote(self):
        tensors = {"a": torch.randn(3, 5), "b": torch.randn(7).half(), "c": torch.randn(2, 2).bfloat16(),
                   "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4), "ids": torch.arange(3)}
        write_safetensors(self.path("x"), tensors, {"key": "≥ value"})
        back, metadata = read_safetensors(self.path("x"))
        self.assertEqual(metadata, {"key": "≥ value"})
        self.assertEqual(set(back), set(tensors))
        for name in tensors:
            self.assertEqual(back[name].dtype, tensors[name].dtype)
            self.assertTrue(torch.equal(back[name], tensors[name]), name)

    def test_reads_unaligned_data(self):
        text = json.dumps({"a": entry()}).encode()
        while len(text) % 4 != 1:
            text += b" "
        values = torch.tensor([1.5, -2.0])
        back, _ = read_safetensors(self.write(text, values.numpy().tobytes()))
        self.assertTrue(torch.equal(back["a"], values))

    def test_reads_shards(self):
        write_safetensors(self.path("model-00001-of-00002.safetensors"), {"a": torch.ones(2)})
        write_safetensors(self.path("model-00002-of-00002.safetensors"), {"b": torch.zeros(3)})
        index = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
        with open(self.path("model.safetensors.index.json"), "w", encoding="utf-8") as file:
            json.dump({"weight_map": index}, file)
        self.assertEqual(set(read_sharded(self.directory)), {"a", "b"})

    def test_refuses_a_shard_outside_the_directory(self):
        with open(self.path("model.safetensors.index.json"), "w", encoding="utf-8") as file:
            json.dump({"weight_map": {"a": "../x.safetensors"}}, file)
        with self.assertRaisesRegex(SafetensorsError, "leaves the directory"):
            read_sharded(self.directory)

    def test_refuses_a_short_file(self):
        with open(self.path("x"), "wb") as file:
            file.write(b"\1\0")
        with self.assertRaisesRegex(SafetensorsError, "shorter"):
            read_safetensors(self.path("x"))

    def test_refuses_a_header_longer_than_the_file(self):
        with open(self.path("x"), "wb") as file:
            file.write(struct.pack("<Q", 1 << 62) + b"{}")
        with self.assertRaisesRegex(SafetensorsError, "does not fit"):
            read_safetensors(self.path("x"))

    def test_refuses_broken_headers(self):
        self.refuse("not JSON", b"{")
        self.refuse("not a JSON object", b"[]")
        self.refuse("duplicate key 'a'", b'{"a":1,"a":2}')
        self.refuse("strings only", {"__metadata__": {"k": 1}, "a": entry()})

    def test_refuses_broken_entries_by_name(self):
        self.refuse("'bad': malformed", {"bad": 3})
        self.refuse("'bad': dtype 'F8'", {"bad": entry("F8")})
        self.refuse("'bad': shape", {"bad": entry(shape=(-2,))})
        self.refuse("'bad': shape", {"bad": entry(shape=(2.0,))})
        self.refuse("'bad': 8 bytes do not hold", {"bad": entry(shape=(3,))})
        self.refuse("'bad': ends beyond", {"bad": entry(shape=(4,), offsets=(0, 16))})

    def test_refuses_overlaps_gaps_and_leftovers(self):
        self.refuse("'b': starts at 4", {"a": entry(), "b": entry(offsets=(4, 12))}, b"\0" * 12)
        self.refuse("'b': starts at 12", {"a": entry(), "b": entry(offsets=(12, 20))}, b"\0" * 20)
        self.refuse("4 bytes after", {"a": entry()}, b"\0" * 12)


class ModelFile(oracle.DirectoryTest):
    def setUp(self):
        super().setUp()
        self.config, self.tensors = random_model("mreg", "tiny")

    def refuse(self, message):
        with self.assertRaisesRegex(ModelError, message):
            build("mreg", self.config, self.tensors)

    def test_round_trip_keeps_everything(self):
        write_model_file(self.path("m"), "mreg", self.config, untrained_card("mreg", "tiny", 0), self.tensors)
        arch, config, card, tensors = read_model_file(self.path("m"))
        self.assertEqual((arch, config, card["trained"]), ("mreg", self.config, False))
        for name, tensor in self.tensors.items():
            self.assertTrue(torch.equal(tensors[name], tensor), name)
        load_model(self.path("m"))

    def test_names_missing_unexpected_and_misshaped_tensors(self):
        bias = self.tensors.pop("mit.layers.0.attn.q.bias")
        self.refuse("tensor 'mit.layers.0.attn.q.bias' is missing")
        self.tensors["mit.layers.0.attn.q.bias"] = bias[:-1]
        self.refuse("tensor 'mit.layers.0.attn.q.bias' is")
        self.tensors["mit.layers.0.attn.q.bias"] = bias
        self.tensors["extra"] = bias
        self.refuse("tensor 'extra' is unexpected")

    def test_names_wrong_configuration_keys(self):
        for key, value, message in (("vision_heads", 5, "vision_heads 5"), ("norm", "batch", "'norm' is 'batch'"),
                                    ("hidden_act", "gelu", "hidden_act 'gelu'"), ("colour", 1, "'colour' is unknown"),
                                    ("thresholds", [1.5, 0.5], "thresholds"), ("frames", 7, "mit.position_embedding"),
                                    ("input_side", 30, "input_side 30"), ("input_side", 35, "vision.position")):
            kept = dict(self.config)
            self.config[key] = value
            self.refuse(message)
            self.config = kept
        del self.config["beta"]
        self.refuse("'beta' is missing")

    def test_refuses_weights_that_are_not_finite(self):
        self.tensors["head.mix.weight"][1] = float("nan")
        self.refuse("tensor 'head.mix.weight' holds NaN")

    def test_refuses_values_beyond_half_precision(self):
        self.tensors["vision.projection.weight"][0, 0] = 1e6
        with self.assertRaisesRegex(ModelError, "'vision.projection.weight' does not fit"):
            write_model_file(self.path("m"), "mreg", self.config, untrained_card("mreg", "tiny", 0), self.tensors,
                             torch.float16)


if __name__ == "__main__":
    oracle.main()
