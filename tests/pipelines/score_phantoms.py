#!/usr/bin/env python3
"""score_phantoms.py BUILD CARDIAC_INFER: drawn subjects through cmrtestsrc ! cmrpolar ! mmsascore have the scores that
the engine gives of pictures cut and made polar in Python, and mostly the true ones. Exit status 77 without numpy."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))
try:
    import numpy as np
except ImportError:
    print("skipped: no numpy")
    sys.exit(77)
from cardiac import mmsa_data                                    # noqa: E402
from score_phantoms import score                                 # noqa: E402

MODEL = ROOT / "models" / "mmsa-demo.safetensors"
SEEDS = range(3_000_000, 3_000_004)          # of no set


def apart(seed, infer, folder):
    """(true scores, scores) without the pipeline."""
    subject = mmsa_data.Subject(mmsa_data.write_phantom(folder, seed, 0))
    np.save(folder / "input.npy", subject.patient())
    subprocess.run([infer, str(MODEL), str(folder / "input.npy"), str(folder / "out")], check=True,
                   stderr=subprocess.DEVNULL)
    return subject.scores.tolist(), np.load(folder / "out" / "scores.npy").tolist()


def main():
    build, infer = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.environ.update(GST_PLUGIN_PATH=os.path.join(build, "gst"), GST_CARDIAC_BUILD=build,
                      CARDIAC_BACKEND_PATH=os.path.join(build, "engine/backends/cpu"))
    same = right = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            truth, found = score(seed, MODEL, folder)
            expected_truth, expected = apart(seed, infer, Path(folder))
            assert truth == expected_truth, f"seed {seed}: truth {truth}, expected {expected_truth}"
            same += sum(a == b for a, b in zip(found, expected))
            right += sum(a == b for a, b in zip(found, truth))
    total = 16 * len(SEEDS)
    print(f"of {total} segments {same} have the score found without the pipeline, {right} the true one")
    assert same >= total - 1 and right >= 0.65 * total


main()
