#!/usr/bin/env python3
"""Videos of a manifest: sampling by time, decoding by ffmpeg, refusals, and a run of training."""
import os
import shutil
import subprocess
import unittest

import oracle
import numpy as np

from cardiac.videofile import ManifestSource, VideoError, read_clips, sample_instants
from train_mreg import main as train_main
from random_model import XCLIP_SIZES
import json


def make_video(path, seconds, rate=25, colour="red"):
    """A video whose brightness rises with time."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                    f"color=c={colour}:s=64x48:r={rate}:d={seconds},fade=t=in:st=0:d={seconds}",
                    "-c:v", "mjpeg", "-q:v", "2", path], check=True)


class Sampling(unittest.TestCase):
    def test_instants_do_not_depend_on_the_frame_rate(self):
        for rate in (25, 30, 60):
            times = np.arange(int(4 * rate)) / rate
            chosen = sample_instants(times, 1 / rate, 3, 16, 1.0)
            expected = np.array([[k * 1.5 + (j + 0.5) / 16 for j in range(16)] for k in range(3)])
            shown = times[chosen]
            self.assertTrue((shown <= expected + 1e-5).all() and (expected - shown < 1 / rate + 1e-5).all())

    def test_slow_videos_lengthen_the_clip_to_distinct_frames(self):
        times = np.arange(60) / 10.0
        chosen = sample_instants(times, 0.1, 3, 16, 1.0)
        self.assertEqual(chosen[0].tolist(), list(range(16)))
        self.assertEqual(chosen[2].tolist(), list(range(44, 60)))

    def test_short_videos_are_refused(self):
        with self.assertRaisesRegex(VideoError, "too short for 3 clips"):
            sample_instants(np.arange(60) / 25, 0.04, 3, 16, 1.0)


@unittest.skipUnless(shutil.which("ffmpeg") and shutil.which("ffprobe"), "ffmpeg is not installed")
class Files(oracle.DirectoryTest):
    def write_manifest(self, rows):
        with open(self.path("m.csv"), "w", encoding="utf-8") as file:
            file.write("path,label,split,roi_x,roi_y,roi_w,roi_h\n" + "\n".join(rows) + "\n")
        return self.path("m.csv")

    def test_frames_are_those_shown_at_their_times(self):
        make_video(self.path("a.avi"), 4)
        clips = read_clips(self.path("a.avi"), None, 28, 6)
        red = clips[:, :, 14, 14, 0].astype(float)
        expected = [[(k * 1.5 + (j + 0.5) / 6) / 4 * 254 for j in range(6)] for k in range(3)]
        self.assertLess(np.abs(red - expected).max(), 12)
        self.assertEqual(clips[0, 5, 1, 14].tolist(), [0, 0, 0])           # black above a wide picture

    def test_the_roi_is_cut_out_as_a_square(self):
        make_video(self.path("a.avi"), 4)
        clips = read_clips(self.path("a.avi"), (20, 10, 20, 10), 28, 6)
        self.assertGreater(int(clips[2, 5, 1, 14, 0]), 200)

    def test_what_cannot_be_graded_is_left_out_and_said(self):
        make_video(self.path("good.avi"), 4)
        make_video(self.path("short.avi"), 1)
        with open(self.path("text.avi"), "w", encoding="utf-8") as file:
            file.write("no video")
        said = []
        source = ManifestSource(self.write_manifest([f"{n}.avi,1,train,,,," for n in ("good", "short", "text")]),
                                28, 6, say=said.append)
        self.assertEqual(source.train(0)["number"], 0)
        self.assertEqual(len(said), 2)
        self.assertIn("too short", said[0])
        self.assertIn("text.avi", said[1])

    def test_bad_rows_are_refused_by_number(self):
        with self.assertRaisesRegex(ValueError, "row 1: label '3'"):
            ManifestSource(self.write_manifest(["a.avi,3,train,,,,"]), 28, 6)
        with self.assertRaisesRegex(ValueError, "row 1: split 'dev'"):
            ManifestSource(self.write_manifest(["a.avi,1,dev,,,,"]), 28, 6)

    def test_a_run_on_a_manifest_leaves_a_model_file_that_is_not_synthetic(self):
        for name, colour in (("a", "red"), ("b", "blue")):
            make_video(self.path(f"{name}.avi"), 4, colour=colour)
        manifest = self.write_manifest(["a.avi,0,train,,,,", "b.avi,2,train,,,,", "b.avi,2,validation,,,,"])
        config = {"size": XCLIP_SIZES["tiny"], "mask_cells": 8, "data": {"kind": "manifest", "manifest": manifest},
                  "precision": "fp32", "export_dtype": "f32", "stages": [{"batch": 2, "steps": 2}]}
        with open(self.path("c.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        result = train_main([self.path("c.json"), self.path("run"), "--device", "cpu"])
        self.assertIn("accuracy", result)
        from cardiac import read_model_file
        self.assertFalse(read_model_file(self.path("run/mreg.safetensors"))[2]["synthetic"])
        self.assertTrue(os.path.exists(self.path("run/log.jsonl")))


if __name__ == "__main__":
    oracle.main()
