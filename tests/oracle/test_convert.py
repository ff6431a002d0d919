#!/usr/bin/env python3
"""convert.py on checkpoints made here: names, layouts, refusals, and a hostile pickle."""
import collections
import contextlib
import io
import json
import os
import pickle
import unittest
import zipfile

import oracle
import numpy as np
import torch

import convert
from cardiac import load_model, read_model_file
from cardiac.checkpoint import Opaque, read_checkpoint
from cardiac.clip_tokenizer import ClipTokenizer
from cardiac.from_huggingface import rename
from cardiac.modelfile import ModelError
from cardiac.safetensors_io import write_safetensors
from random_model import main as random_main
from random_model import random_model


class ConvertTest(oracle.DirectoryTest):
    def convert(self, *arguments):
        """Run convert.py; returns (model, what it said)."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            convert.main([*arguments[:2], self.path("out.safetensors"), *arguments[2:]])
        return load_model(self.path("out.safetensors")), said.getvalue()

    def refuse(self, message, *arguments):
        with self.assertRaises(SystemExit) as caught, contextlib.redirect_stderr(io.StringIO()) as said:
            convert.main([*arguments[:2], self.path("out.safetensors"), *arguments[2:]])
        self.assertRegex(f"{caught.exception.code} {said.getvalue()}", message)
        self.assertFalse(os.path.exists(self.path("out.safetensors")))


class YoloV8(ConvertTest):
    def setUp(self):
        super().setUp()
        self.config, self.tensors = random_model("yolov8", "tiny", 1)

    def save(self, name="state.pt", **extra):
        torch.save({**self.tensors, **extra}, self.path(name))
        return self.path(name)

    def test_keeps_a_state_dict_of_torch(self):
        extra = {"model.0.bn.num_batches_tracked": torch.tensor(3),
                 "model.22.dfl.conv.weight": torch.arange(16.0).reshape(1, 16, 1, 1)}
        model, said = self.convert("yolov8", self.save(**extra), "--class", "all")
        self.assertIn("assuming SiLU", said)
        self.assertTrue(model.config["sppf_activation"])
        _, _, _, tensors = read_model_file(self.path("out.safetensors"))
        self.assertEqual(set(tensors), set(self.tensors))
        for name, tensor in tensors.items():
            self.assertTrue(torch.equal(tensor, self.tensors[name]), name)

    def test_keeps_a_safetensors_state_dict_with_a_longer_prefix(self):
        write_safetensors(self.path("s.safetensors"), {"model." + n: t.half() for n, t in self.tensors.items()})
        model, _ = self.convert("yolov8", self.path("s.safetensors"), "--class", "all", "--sppf-activation", "none")
        self.assertFalse(model.config["sppf_activation"])
        weight = model.state_dict()["model.2.cv1.conv.weight"]
        self.assertTrue(torch.equal(weight.float(), self.tensors["model.2.cv1.conv.weight"].half().float()))

    def test_keeps_one_class(self):
        model, _ = self.convert("yolov8", self.save(), "--class", "1", "--config", '{"labels": ["heart"], "input_side": 96}')
        self.assertEqual((model.config["labels"], model.config["input_side"]), (["heart"], 96))
        for i in range(3):
            name = f"model.22.cv3.{i}.2.bias"
            self.assertEqual(model.state_dict()[name].float().tolist(), self.tensors[name][1:2].tolist())

    def test_refuses_by_name(self):
        self.refuse("several classes", "yolov8", self.save())
        self.refuse("--class heart: no such class", "yolov8", self.save(), "--class", "heart")
        self.refuse("'model.10.m.0.attn.qkv.conv.weight' is not part", "yolov8",
                    self.save(**{"model.10.m.0.attn.qkv.conv.weight": torch.zeros(1)}))
        self.refuse("'model.0.conv.bias': batch norms", "yolov8", self.save(**{"model.0.conv.bias": torch.zeros(6)}))
        self.refuse("not 0, 1", "yolov8", self.save(**{"model.22.dfl.conv.weight": torch.zeros(1, 16, 1, 1)}))
        self.refuse("'colour' is unknown", "yolov8", self.save(), "--class", "all", "--config", '{"colour": 1}')
        del self.tensors["model.9.cv2.bn.running_var"]
        self.refuse("'model.9.cv2.bn.running_var' is missing", "yolov8", self.save(), "--class", "all")


class HostileCheckpoint(ConvertTest):
    def write(self, payload):
        with zipfile.ZipFile(self.path("best.pt"), "w") as archive:
            archive.writestr("best/data.pkl", payload)
        return self.path("best.pt")

    def test_runs_nothing(self):
        mark = self.path("mark")

        class Attack:
            def __reduce__(self):
                return os.mkdir, (mark,)

        saved = read_checkpoint(self.write(pickle.dumps({"model": Attack()}, 2)))
        self.assertFalse(os.path.exists(mark))
        self.assertIsInstance(saved["model"], Opaque)
        self.assertEqual(saved["model"].class_name, "posix.mkdir")
        self.refuse("modules", "yolov8", self.path("best.pt"))

    def test_refuses_what_is_no_checkpoint(self):
        self.refuse("cannot be opened safely", "yolov8", self.write(b"\x80\x02garbage"))
        with open(self.path("old.pt"), "wb") as file:
            file.write(pickle.dumps({}))
        self.refuse("zip archive", "yolov8", self.path("old.pt"))

    def test_refuses_a_tensor_beyond_its_storage(self):
        class Storage:
            pass

        class Pickler(pickle.Pickler):
            def persistent_id(self, value):
                return ("storage", torch.FloatStorage, "0", "cpu", 4) if isinstance(value, Storage) else None

        class Tensor:
            def __reduce__(self):
                return torch._utils._rebuild_tensor_v2, (Storage(), 0, (1000,), (1,), False, collections.OrderedDict())

        payload = io.BytesIO()
        Pickler(payload, 2).dump({"a": Tensor()})
        path = self.write(payload.getvalue())
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("best/data/0", b"\0" * 16)
        self.refuse("cannot be opened safely.*out of bounds", "yolov8", path)


class MReg(ConvertTest):
    def test_keeps_our_training_checkpoint(self):
        config, tensors = random_model("mreg", "tiny", 2, {"beta": 1.5})
        torch.save({"arch": "mreg", "config": config, "card": {"synthetic": True}, "state_dict": tensors},
                   self.path("run.pt"))
        model, _ = self.convert("mreg", self.path("run.pt"), "--config", '{"select": "probability"}')
        self.assertEqual((model.config["beta"], model.config["select"]), (1.5, "probability"))
        self.assertTrue(model.card["synthetic"] and model.card["trained"])
        for name, tensor in read_model_file(self.path("out.safetensors"))[3].items():
            self.assertTrue(torch.equal(tensor, tensors[name]), name)

    def test_names_what_a_bare_state_dict_lacks(self):
        torch.save(random_model("mreg", "tiny")[1], self.path("state.pt"))
        self.refuse("'input_side' is missing", "mreg", self.path("state.pt"))


class Tokenizer(oracle.DirectoryTest):
    def test_joins_pairs_by_rank(self):
        merges = ["h e", "l l", "he ll", "hell o</w>", "! !</w>"]
        words = ["<|startoftext|>", "hello</w>", "!!</w>", "2</w>", "_</w>", "<|endoftext|>"]
        with open(self.path("vocab.json"), "w", encoding="utf-8") as file:
            json.dump({word: n for n, word in enumerate(words)}, file)
        with open(self.path("merges.txt"), "w", encoding="utf-8") as file:
            file.write("#version: 0.2\n" + "\n".join(merges) + "\n")
        self.assertEqual(ClipTokenizer(self.directory)("  Hello!!\n22 _ "), [0, 1, 2, 3, 3, 4, 5])


class Names(unittest.TestCase):
    def test_hugging_face_names_become_ours(self):
        for theirs, ours in (
                ("vision_model.encoder.layers.11.self_attn.out_proj.bias", "vision.layers.11.attn.out.bias"),
                ("vision_model.encoder.layers.0.message_attn.k_proj.weight", "vision.layers.0.message_attn.k.weight"),
                ("mit.encoder.layers.0.layer_norm2.weight", "mit.layers.0.ln2.weight"),
                ("prompts_generator.decoder.1.cross_attn.proj.bias", "prompt.layers.1.attn.out.bias"),
                ("prompts_generator.decoder.1.mlp.3.weight", "prompt.layers.1.mlp.fc2.weight"),
                ("prompts_generator.decoder.0.mlp.1.weight", None), ("text_projection.weight", None)):
            self.assertEqual(rename(theirs), ours)


class RandomModel(oracle.DirectoryTest):
    def test_the_seed_decides_the_file(self):
        files = []
        for seed in "1", "1", "2":
            random_main(["xclip", "--size", "tiny", self.path("m"), "--seed", seed])
            with open(self.path("m"), "rb") as file:
                files.append(file.read())
        self.assertEqual(files[0], files[1])
        self.assertNotEqual(files[0], files[2])

    def test_an_unknown_network_is_refused(self):
        for main in (lambda: random_main(["resnet", "--size", "tiny", self.path("m")]),
                     lambda: convert.main(["resnet", "a", "b"])):
            with self.assertRaises(SystemExit) as caught, contextlib.redirect_stderr(io.StringIO()) as said:
                main()
            self.assertEqual(caught.exception.code, 2)
            self.assertIn("unknown network 'resnet'", said.getvalue())


class Mmsa(oracle.DirectoryTest):
    def checkpoint(self, arch="mmsa", **changes):
        """A training checkpoint of a tiny random model, with tensors replaced -> its tensors."""
        config, tensors = random_model("mmsa", "tiny", 5)
        state = {**tensors, **changes}
        torch.save({"arch": arch, "config": {"flow_step": 5}, "card": {"synthetic": True}, "state_dict": state},
                   self.path("run.pt"))
        return tensors

    def test_a_checkpoint_keeps_its_tensors_configuration_and_card(self):
        tensors = self.checkpoint()
        convert.main(["mmsa", self.path("run.pt"), self.path("m"), "--config", '{"tse_scale": "C"}'])
        arch, config, card, stored = read_model_file(self.path("m"))
        self.assertEqual((arch, config["flow_step"], config["tse_scale"], config["attention"], card["synthetic"]),
                         ("mmsa", 5, "C", "msa", True))
        self.assertEqual(set(stored), set(tensors))
        for name, value in tensors.items():
            self.assertTrue(torch.equal(stored[name], value), name)

    def test_what_does_not_fit_is_named(self):
        for arguments, words in (({"arch": "mreg"}, "checkpoint of mreg"),
                                 ({"nl.phi.weight": torch.zeros(7, 11)}, "nl.phi.weight"),
                                 ({"surplus": torch.zeros(1)}, "surplus")):
            self.checkpoint(**arguments)
            with self.assertRaises(SystemExit) as caught:
                convert.main(["mmsa", self.path("run.pt"), self.path("m")])
            self.assertIn(words, str(caught.exception.code))


if __name__ == "__main__":
    oracle.main()
