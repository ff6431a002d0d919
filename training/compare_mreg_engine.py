#!/usr/bin/env python3
"""Compare the C engine's grades with PyTorch's: build/engine/cardiac-infer against this folder's networks, on the
same pictures of phantom recordings. Exit 0 where at least --share of the recordings have the same grade."""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch

from cardiac import load_model, run_mreg
from cardiac.phantom import ROOT
from cardiac.samples import PhantomSource


def engine(args, clips, folder):
    """(grade, value of the selected instance) of the C engine."""
    given, out = os.path.join(folder, "clips.npy"), os.path.join(folder, "out")
    np.save(given, clips)
    subprocess.run([args.program, args.model, given, out, *args.options], check=True, stdout=subprocess.DEVNULL)
    selected = int(np.load(os.path.join(out, "selected.npy")))
    return int(np.load(os.path.join(out, "grade.npy"))), float(np.load(os.path.join(out, "regression.npy"))[selected])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--share", type=float, default=0.995)
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "engine", "cardiac-infer"))
    parser.add_argument("--options", nargs="*", default=["--precision=fp32", "--threads=1"], help="of cardiac-infer")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = load_model(args.model).float()
    source = PhantomSource(model.config["input_side"], model.config["frames"])
    same = total = 0
    largest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for sample in source.fixed(args.split, limit=args.limit):
            expected = run_mreg(model, sample["clips"])
            grade, value = engine(args, sample["clips"], folder)
            same += grade == int(expected["grade"])
            total += 1
            largest = max(largest, abs(value - float(expected["regression"][int(expected["selected"])])))
    print(f"same grade: {same} of {total} recordings, {100 * same / total:.2f} %; largest difference of a value "
          f"{largest:.1e}")
    return 0 if same >= args.share * total else 1


if __name__ == "__main__":
    sys.exit(main())
