#!/usr/bin/env python3
"""Converted checkpoints give the numbers of the libraries that made them.

Needs transformers, and ultralytics: CARDIAC_ORACLE_PYTHON names a Python that has them (a virtual
environment); where a library is absent its tests are skipped.
"""
import os
import sys

wanted = os.environ.get("CARDIAC_ORACLE_PYTHON")
if wanted and os.path.abspath(wanted) != os.path.abspath(sys.executable):
    os.execv(wanted, [wanted, *sys.argv])

import contextlib  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402
import types  # noqa: E402
import unittest  # noqa: E402

import oracle  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

import convert  # noqa: E402
from cardiac import load_model, run_xclip, run_yolov8  # noqa: E402
from cardiac.clip_tokenizer import ClipTokenizer, byte_letters  # noqa: E402
from cardiac.yolov8 import cells  # noqa: E402
from cardiac.yolov8_losses import detection_loss  # noqa: E402

try:
    import transformers
    transformers.logging.set_verbosity_error()
except ImportError:
    transformers = None
try:
    import ultralytics
    from ultralytics.nn.tasks import DetectionModel, SegmentationModel
    from ultralytics.utils.loss import v8DetectionLoss
    from ultralytics.utils.ops import non_max_suppression
except ImportError:
    ultralytics = None


def torchvision_has_nms():
    from torchvision.extension import _has_ops
    return _has_ops()


class LibraryTest(oracle.DirectoryTest):
    def setUp(self):
        super().setUp()
        torch.manual_seed(5)

    def convert(self, *arguments):
        with contextlib.redirect_stderr(io.StringIO()) as self.said:
            convert.main([*arguments[:2], self.path("out.safetensors"), *arguments[2:]])
        return load_model(self.path("out.safetensors"))


@unittest.skipIf(transformers is None, "transformers is absent (CARDIAC_ORACLE_PYTHON)")
class XClip(LibraryTest):
    """All widths differ but where a test makes them equal."""

    VISION = {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 3,
              "image_size": 32, "patch_size": 8, "num_frames": 5, "mit_hidden_size": 40, "mit_intermediate_size": 56,
              "mit_num_hidden_layers": 2, "mit_num_attention_heads": 4}
    TEXT = {"hidden_size": 36, "intermediate_size": 60, "num_hidden_layers": 2, "num_attention_heads": 6,
            "vocab_size": 99, "max_position_embeddings": 12, "eos_token_id": 98, "bos_token_id": 97, "pad_token_id": 98}

    def library_model(self, vision=None, **keys):
        vision = {**self.VISION, **(vision or {})}
        config = transformers.XCLIPConfig(
            text_config=self.TEXT, vision_config=vision,
            **{"projection_dim": vision["mit_hidden_size"], "prompt_num_attention_heads": 5, **keys})
        model = transformers.XCLIPModel(config).eval()
        with torch.no_grad():    # far from the initial values, so that no tensor may be left out or mixed up
            for parameter in model.parameters():
                if parameter.dim() == 1:
                    parameter += 0.2 * torch.randn_like(parameter)
                elif parameter.dim() > 1:
                    parameter.normal_(0, 1.5 / parameter[0].numel() ** 0.5)
        return model

    def inputs(self, model):
        config = model.config.vision_config
        clip = torch.randn(1, config.num_frames, 3, config.image_size, config.image_size)
        ids = torch.tensor([[97, 5, 98, 98, 98, 98], [97, 7, 8, 9, 10, 98], [97, 11, 12, 98, 98, 98]])
        np.save(self.path("ids.npy"), ids.numpy())
        return clip, ids

    def compare(self, model, tolerance=2e-5, **save):
        clip, ids = self.inputs(model)
        model.save_pretrained(self.directory, safe_serialization=True, **save)
        ours = run_xclip(self.convert("xclip", self.directory, "--input-ids", self.path("ids.npy")), clip[0])
        with torch.no_grad():
            theirs = model.float()(input_ids=ids, pixel_values=clip, return_dict=True)
        logits = theirs.logits_per_video[0].numpy()
        error = np.abs(ours["logits"] - logits).max() / np.abs(logits).max()
        self.assertLess(error, tolerance)
        # the library normalises t' and the pooled video
        text = ours["prompted_text"] / np.linalg.norm(ours["prompted_text"], axis=-1, keepdims=True)
        np.testing.assert_allclose(text, theirs.text_embeds[0].numpy(), atol=10 * tolerance)
        video = ours["video_features"].mean(0)
        np.testing.assert_allclose(video / np.linalg.norm(video), theirs.video_embeds[0].numpy(), atol=10 * tolerance)
        self.assertGreater(np.ptp(ours["logits"]), 0.05)
        return error

    def test_gives_the_librarys_logits(self):
        print(f"XCLIPModel logits: relative error {self.compare(self.library_model()):.1e}")

    def test_heads_of_96_channels(self):
        model = self.library_model({"mit_hidden_size": 192, "mit_num_attention_heads": 2}, prompt_num_attention_heads=2)
        self.compare(model)
        self.assertIn("2 mit_heads of 96 channels", self.said.getvalue())

    def test_equal_widths_of_vision_and_joint_space(self):
        self.compare(self.library_model({"mit_hidden_size": 48, "mit_num_attention_heads": 2}, prompt_num_attention_heads=3))

    def test_sharded_checkpoint(self):
        self.compare(self.library_model(), max_shard_size="40KB")
        self.assertTrue(os.path.exists(self.path("model.safetensors.index.json")))

    def test_half_precision_checkpoint(self):
        self.compare(self.library_model().half())

    def test_other_layer_norm_eps(self):
        model = self.library_model({"layer_norm_eps": 0.05})
        model.config.text_config.layer_norm_eps = 0.05
        text_eps = transformers.XCLIPModel(model.config)
        text_eps.load_state_dict(model.state_dict())
        self.compare(text_eps.eval())

    def test_refuses_another_activation_by_name(self):
        self.library_model({"hidden_act": "gelu"}).save_pretrained(self.directory)
        with self.assertRaisesRegex(SystemExit, "vision_config.hidden_act is 'gelu'"):
            self.convert("xclip", self.directory, "--prompts", "a|b")

    def test_tokenizes_as_the_library_does(self):
        merges = ["h e", "l l", "o</w> x", "he ll", "hell o</w>", "c a", "ca t</w>", "1 2", "! !</w>"]
        letters = list(byte_letters().values())
        words = [*letters, *(letter + "</w>" for letter in letters), *("".join(m.split()) for m in merges),
                 "<|startoftext|>", "<|endoftext|>"]
        with open(self.path("vocab.json"), "w", encoding="utf-8") as file:
            json.dump({word: n for n, word in enumerate(words)}, file)
        with open(self.path("merges.txt"), "w", encoding="utf-8") as file:
            file.write("#version: 0.2\n" + "\n".join(merges) + "\n")
        theirs = transformers.CLIPTokenizer(self.path("vocab.json"), self.path("merges.txt"))
        ours = ClipTokenizer(self.directory)
        for text in ("hello cat", "  Hello,   CAT's!!\t12a", "mitral_regurgitation (≥ moderate)", "déjà-vu 2½"):
            self.assertEqual(ours(text), theirs(text)["input_ids"], text)


@unittest.skipIf(ultralytics is None, "ultralytics is absent (CARDIAC_ORACLE_PYTHON)")
class YoloV8(LibraryTest):
    def library_model(self, classes=3, cfg="yolov8n.yaml", kind=None):
        model = (kind or DetectionModel)(cfg, ch=3, nc=classes, verbose=False).eval()
        with torch.no_grad():
            for module in model.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.weight.normal_(1, 0.2)
                    module.bias.normal_(0, 0.2)
                    module.momentum = 1.0
            for branch in (*model.model[-1].cv3, *model.model[-1].cv2):
                branch[-1].weight *= 2
                branch[-1].bias.normal_(-1.0, 0.5)
            model.train()(torch.rand(4, 3, 128, 128))
        return model.eval()

    def compare(self, model, path, *arguments):
        ours = self.convert("yolov8", path, "--class", "all", *arguments).float()
        x = torch.rand(1, 3, 96, 160)
        with torch.no_grad():
            theirs = model.float()(x)[0]
        outputs = run_yolov8(ours, x[0])
        error = np.abs(outputs["raw"] - theirs[0].numpy()).max(1) / np.abs(theirs[0].numpy()).max(1)
        self.assertLess(error.max(), 2e-5)
        return outputs, theirs, error.max()

    def test_gives_the_librarys_raw_output(self):
        model = self.library_model()
        torch.save(model.state_dict(), self.path("state.pt"))
        _, _, error = self.compare(model, self.path("state.pt"))
        print(f"DetectionModel: relative error {error:.1e}")

    def test_gives_the_librarys_boxes(self):
        model = self.library_model()
        torch.save(model.state_dict(), self.path("state.pt"))
        outputs, theirs, _ = self.compare(model, self.path("state.pt"))
        if not torchvision_has_nms():
            self.skipTest("torchvision's operators do not fit this torch")
        boxes = non_max_suppression(theirs, conf_thres=0.25, iou_thres=0.7, max_det=300)[0].numpy()
        self.assertGreater(len(boxes), 5)
        self.assertLess(len(boxes), (theirs[0, 4:].amax(0) > 0.25).sum())
        self.assertEqual(outputs["classes"].tolist(), boxes[:, 5].astype(int).tolist())
        np.testing.assert_allclose(outputs["scores"], boxes[:, 4], atol=2e-5)
        clipped = boxes[:, :4].clip(0, [160, 96, 160, 96])
        np.testing.assert_allclose(outputs["boxes"], clipped, atol=0.01)
        print(f"DetectionModel: {len(boxes)} boxes agree")

    def test_pickled_checkpoint_averaged_weights_first_in_half_precision(self):
        model = self.library_model(2)
        model.names = {0: "atria", 1: "ventricles"}
        saved = {"epoch": -1, "ema": model.half(), "model": self.library_model(2).half(), "train_args": {}}
        torch.save(saved, self.path("best.pt"))
        self.compare(model, self.path("best.pt"))
        self.assertEqual(self.said.getvalue(), "")
        one = self.convert("yolov8", self.path("best.pt"), "--class", "ventricles")
        self.assertEqual(one.config["labels"], ["ventricles"])

    def test_sppf_activation_is_read_from_a_pickle_and_told_for_a_state_dict(self):
        model = self.library_model()
        model.model[9].cv1.act = torch.nn.Identity()
        torch.save({"model": model, "ema": None}, self.path("best.pt"))
        torch.save(model.state_dict(), self.path("state.pt"))
        self.compare(model, self.path("best.pt"))
        self.compare(model, self.path("state.pt"), "--sppf-activation", "none")

    def test_refuses_other_heads_and_families_by_name(self):
        for cfg, kind, message in (("yolov8n-seg.yaml", SegmentationModel, "model.22 is a Segment"),
                                   ("yolov10n.yaml", DetectionModel, "model.[0-9]+ is a ")):
            model = kind(cfg, ch=3, nc=2, verbose=False)
            torch.save({"model": model}, self.path("best.pt"))
            with self.assertRaisesRegex(SystemExit, message):
                self.convert("yolov8", self.path("best.pt"))
            torch.save(model.state_dict(), self.path("state.pt"))
            with self.assertRaisesRegex(SystemExit, "is not part of a YOLOv8"):
                self.convert("yolov8", self.path("state.pt"))


@unittest.skipIf(ultralytics is None, "ultralytics is absent (CARDIAC_ORACLE_PYTHON)")
class Yolov8Loss(unittest.TestCase):
    """Two classes on a picture of 128 px; three pictures with no, one and two boxes."""

    def reference(self, maps, boxes):
        """The library's loss on maps [B,66,rows,columns]; boxes (picture, class, x1, y1, x2, y2)."""
        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.parameter = torch.nn.Parameter(torch.zeros(1))
                self.args = types.SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)
                self.model = [types.SimpleNamespace(stride=torch.tensor([8.0, 16, 32]), nc=2, reg_max=16, no=66)]

        corners = boxes[:, 2:] / 128
        centred = torch.cat([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1)
        return v8DetectionLoss(Model())(maps, {"batch_idx": boxes[:, 0], "cls": boxes[:, 1:2], "bboxes": centred})

    def test_values_and_gradients_are_the_libraries(self):
        for seed in range(6):
            torch.manual_seed(seed)
            boxes = torch.tensor([[1, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0, 0.0]])
            boxes[:, 2:4] = torch.rand(3, 2) * 60
            boxes[:, 4:] = boxes[:, 2:4] + 20 + torch.rand(3, 2) * 45
            theirs = [torch.randn(3, 66, side, side).mul(1.5 if seed % 2 else 0.5).requires_grad_() for side in (16, 8, 4)]
            ours = [x.detach().clone().requires_grad_() for x in theirs]
            total, parts = self.reference(theirs, boxes)
            total.backward()

            true, classes = torch.zeros(3, 2, 4), torch.zeros(3, 2, dtype=torch.long)
            valid = torch.tensor([[False, False], [True, False], [True, True]])
            true[valid], classes[valid] = boxes[:, 2:], boxes[:, 1].long()
            flat = torch.cat([x.flatten(2) for x in ours], 2)
            loss = detection_loss((flat[:, :64], flat[:, 64:]), cells(ours), true, classes, valid)
            (3 * loss.total).backward()
            torch.testing.assert_close(torch.stack([loss.box, loss.classes, loss.dfl]), parts, rtol=1e-4, atol=1e-5)
            for a, b in zip(theirs, ours):
                torch.testing.assert_close(b.grad, a.grad, rtol=1e-3, atol=1e-5)


if __name__ == "__main__":
    oracle.main()
