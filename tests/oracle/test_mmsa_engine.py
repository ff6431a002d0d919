#!/usr/bin/env python3
"""The demonstration MMSA in the C engine and in PyTorch: the same scores of phantoms never trained on, whose truth the
network mostly tells. Arguments: cardiac-infer, and how many subjects (default 3)."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import oracle
import numpy as np
import torch

from cardiac import cmr_phantom, mmsa_data
from evaluate_mmsa import load

FIRST_SEED = 3_000_000                       # of no set


def engine_scores(program, model, patient, folder):
    np.save(folder / "input.npy", patient)
    subprocess.run([program, str(model), str(folder / "input.npy"), str(folder / "out"), "--precision=fp32",
                    "--threads=1"], check=True, stderr=subprocess.DEVNULL)
    return np.load(folder / "out" / "scores.npy"), np.load(folder / "out" / "probabilities.npy")


def main():
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    path = Path(oracle.ROOT) / "models" / "mmsa-demo.safetensors"
    if not cmr_phantom.library_path().exists():
        print("skipped: libcardiac-phantoms.so is not built")
        return oracle.SKIP
    model, card = load(path)
    assert card["synthetic"] is True and card["trained"] is True
    same = right = 0
    with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            subject = mmsa_data.Subject(mmsa_data.write_phantom(temporary, seed, 0))
            patient = subject.patient()
            output = model(torch.from_numpy(patient)[None])
            scores, probabilities = engine_scores(program, path, patient, Path(temporary))
            difference = np.abs(output["probabilities"][0].numpy() - probabilities).max()
            assert difference < 5e-3, f"seed {seed}: probabilities differ by {difference:.1e}"
            same += int((scores == output["scores"][0].numpy()).sum())
            right += int((scores == subject.scores).sum())
    total = 16 * count
    print(f"{same} of {total} segments have the same score in C and PyTorch, {right} the true one")
    assert same >= 0.995 * total - 1 and right >= 0.6 * total
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
