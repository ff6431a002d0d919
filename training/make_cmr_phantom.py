"""Write one phantom subject as a 4-D NIfTI with landmarks and truth, as if it came from a scanner.

OUT/sax_4d.nii.gz    ten short-axis slices, base first, over one cycle
OUT/landmarks.json   side file for cmrcinesrc and pipelines/cine-mr.sh
OUT/truth.json       scores of the 16 segments, excursion, thickening
"""
import argparse
import gzip
import json
import struct
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cardiac import cmr_phantom                                  # noqa: E402

LEVELS = ("basal", "mid", "apical")
# Patient directions (DICOM axes) of growing column, growing row and from base to apex: a usual short axis.
ROW, COLUMN = np.array([0.7071, 0.7071, 0]), np.array([-0.375, 0.375, -0.8478])
TO_APEX = np.array([0.5995, -0.5995, -0.5303])


def affine(settings):
    """Voxel (x, y, slice) to mm in NIfTI's axes (right, anterior, up), [3,4]."""
    pixel = settings.spacing_mm
    columns = np.stack([ROW * pixel, COLUMN * pixel, TO_APEX * settings.slice_spacing_mm], 1)
    origin = -columns @ np.array([settings.width / 2, settings.height / 2, 0])
    matrix = np.concatenate([columns, origin[:, None]], 1)
    matrix[:2] *= -1
    return matrix


def nifti(stack, settings):
    """Bytes of a NIfTI-1 file: stack uint16 [t,slices,height,width]."""
    phases, slices, height, width = stack.shape
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 4, width, height, slices, phases, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 512, 16)                 # uint16
    struct.pack_into("<8f", header, 76, 1, settings.spacing_mm, settings.spacing_mm, settings.slice_spacing_mm,
                     settings.cycle_ms / 1000 / phases, 1, 1, 1)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    header[123] = 2 | 8                                          # mm, s
    header[148:148 + 20] = b"cine-MR phantom".ljust(20, b"\0")
    struct.pack_into("<hh", header, 252, 0, 1)                   # sform alone: scanner's axes
    struct.pack_into("<12f", header, 280, *affine(settings).ravel())
    header[344:348] = b"n+1\0"
    return bytes(header) + b"\0\0\0\0" + stack.astype("<u2").tobytes()


def side_files(phantom):
    truth = phantom.truth()
    levels = {}
    for level, name in enumerate(LEVELS):
        marks = phantom.landmarks(level).tolist()
        levels[name] = {"slice": phantom.level_slice(level), "lv_centre_xy": marks[0],
                        "rv_insertion_anterior_xy": marks[1], "rv_insertion_inferior_xy": marks[2]}
    known = {"schema": "gst-cardiac-cmr-truth/1", "seed": phantom.settings.seed, "scores": truth.score[:],
             "index": truth.index, "excursion": truth.excursion[:], "thickening": truth.thickening[:], "levels": levels}
    return {"levels": levels}, known


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, help="draw a subject by chance; default: a normal heart")
    parser.add_argument("--scores", help="scores of the 16 segments, 1,1,2,...: each with its usual motion")
    args = parser.parse_args()
    settings = cmr_phantom.default_settings() if args.seed is None else cmr_phantom.draw_settings(args.seed)
    if args.scores:
        scores = [int(x) for x in args.scores.split(",")]
        if len(scores) != 16 or not all(1 <= x <= 4 for x in scores):
            parser.error(f"--scores {args.scores}: expected 16 numbers from 1 to 4")
        for segment, score in enumerate(scores):
            cmr_phantom.set_score(settings, segment + 1, score)
    phantom = cmr_phantom.Phantom(settings)
    args.out.mkdir(parents=True, exist_ok=True)
    landmarks, truth = side_files(phantom)
    with gzip.GzipFile(args.out / "sax_4d.nii.gz", "wb", compresslevel=3, mtime=0) as out:
        out.write(nifti(phantom.stack(), phantom.settings))
    (args.out / "landmarks.json").write_text(json.dumps(landmarks, indent=1) + "\n", encoding="utf-8")
    (args.out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    print(f"{args.out}: scores {' '.join(str(x) for x in truth['scores'])}")


if __name__ == "__main__":
    main()
