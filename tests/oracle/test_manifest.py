#!/usr/bin/env python3
"""Videos of a manifest: sampling by time, decoding by ffmpeg, refusals, and a run of training."""
import io
import json
import os
import shutil
import subprocess
import unittest

import oracle
import numpy as np

from cardiac.videofile import ManifestSource, VideoError, read_clips, read_dicom, read_ffmpeg, sample_instants
from train_mreg import main as train_main
from random_model import XCLIP_SIZES
try:
    import pydicom
    from PIL import Image
except ImportError:
    pydicom = None


def make_video(path, seconds, rate=25, colour="red"):
    """A video whose brightness rises with time."""
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i",
                    f"color=c={colour}:s=64x48:r={rate}:d={seconds},fade=t=in:st=0:d={seconds}",
                    "-c:v", "mjpeg", "-q:v", "2", path], check=True)


def write_dicom(path, frames, jpeg=False, frame_time="40", **attributes):
    """Frames [n,h,w,3] or [n,h,w] as a multi-frame ultrasound object, plain or as JPEG, which turns RGB into YBR."""
    data = pydicom.dataset.FileDataset(path, {}, file_meta=pydicom.dataset.FileMetaDataset(), preamble=b"\0" * 128)
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit if jpeg else pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.is_little_endian, data.is_implicit_VR = True, False
    data.NumberOfFrames, data.Rows, data.Columns = frames.shape[:3]
    data.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    data.PhotometricInterpretation = "MONOCHROME2" if frames.ndim == 3 else "YBR_FULL_422" if jpeg else "RGB"
    data.BitsAllocated = data.BitsStored = 8 * frames.itemsize
    data.HighBit, data.PixelRepresentation, data.PlanarConfiguration = data.BitsStored - 1, 0, 0
    if frame_time:
        data.FrameTime = frame_time
    if jpeg:
        files = []
        for frame in frames:
            file = io.BytesIO()
            Image.fromarray(frame).save(file, "JPEG", quality=95)
            files.append(file.getvalue())
        data.PixelData = pydicom.encaps.encapsulate(files)
        data["PixelData"].is_undefined_length = True
    else:
        data.PixelData = frames.tobytes()
    for name, value in attributes.items():
        setattr(data, name, value)
    data.save_as(path, write_like_original=False)
    return path


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


@unittest.skipUnless(pydicom, "pydicom or Pillow is not installed")
class Dicom(oracle.DirectoryTest):
    def flat(self, *colour):
        """40 frames of one colour, brighter with time."""
        rising = np.linspace(0.5, 1, 40)[:, None, None, None]
        return np.broadcast_to(rising * np.array(colour, float), (40, 32, 48, 3)).astype(np.uint8)

    def test_colours_are_the_same_plain_and_as_jpeg(self):
        frames = self.flat(220, 60, 30)
        for jpeg, allowed in ((False, 0), (True, 4)):
            found, times, last = read_dicom(write_dicom(self.path("a.dcm"), frames, jpeg))
            self.assertLessEqual(np.abs(found.astype(int) - frames).max(), allowed)
            self.assertTrue(np.allclose(times, np.arange(40) * 0.04) and abs(last - 0.04) < 1e-9)

    def test_grey_recordings_have_three_equal_channels(self):
        frames = self.flat(200, 200, 200)[..., 0].copy()
        found, _, _ = read_dicom(write_dicom(self.path("g.dcm"), frames))
        self.assertTrue((found == frames[..., None]).all())

    def test_a_dicom_file_in_a_manifest_is_sampled_by_time(self):
        write_dicom(self.path("a.dcm"), self.flat(220, 60, 30), frame_time="100")
        clips = read_clips(self.path("a.dcm"), None, 28, 6)
        expected = [[220 * (0.5 + 0.5 * int(10 * (k * 1.5 + (j + 0.5) / 6)) / 39) for j in range(6)] for k in range(3)]
        self.assertLess(np.abs(clips[:, :, 14, 14, 0] - np.array(expected)).max(), 2)

    def test_what_is_no_video_is_said(self):
        frames = self.flat(220, 60, 30)
        for text, arguments in (
                ("neither FrameTime", dict(frames=frames, frame_time=None)),
                ("16 bits, expected 8", dict(frames=frames[..., 0].astype(np.uint16))),
                ("one picture", dict(frames=frames[:1])),
                ("cannot decode", dict(frames=frames, NumberOfFrames=90))):
            path = write_dicom(self.path("b.dcm"), **arguments)
            with self.assertRaisesRegex(VideoError, text) as caught:
                read_dicom(path)
            self.assertIn(path, str(caught.exception))

    def test_real_recordings_look_alike_as_dicom_and_as_video(self):
        folder = os.path.join(oracle.DATA, "echo")
        if not os.path.isdir(folder) or not shutil.which("ffmpeg"):
            self.skipTest(f"no recordings at {folder}, or no ffmpeg")
        for dicom, video, mean in (("a4c_gray_65f_acuson_deid.dcm", "a4c_gray_65f_acuson_deid.avi", 0.2),
                                   ("plax_colour_mr_ar_loop50_jpeg422.dcm", "plax_colour_mr_ar_loop50.mp4", 2.5)):
            frames, _, _ = read_dicom(os.path.join(folder, dicom))
            for number, frame in read_ffmpeg(os.path.join(folder, video), [0, 7]).items():
                self.assertLess(np.abs(frames[number].astype(int) - frame).mean(), mean)


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
