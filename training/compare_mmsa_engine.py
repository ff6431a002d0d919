"""Compare the C engine's scores with PyTorch's over a folder of subjects: build/engine/cardiac-infer against this
folder's networks. Exit 0 where at least --share of the segments have the same score."""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cardiac import cmr_phantom, mmsa_data, mmsa_metrics         # noqa: E402
from evaluate_mmsa import load                                   # noqa: E402


def engine(program, model, patient, folder, options):
    """Scores [16] and probabilities [16,4] of the C engine."""
    np.save(folder / "input.npy", patient)
    subprocess.run([str(program), str(model), str(folder / "input.npy"), str(folder / "out"), *options], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return np.load(folder / "out" / "scores.npy"), np.load(folder / "out" / "probabilities.npy")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("set", type=Path)
    parser.add_argument("--program", type=Path, default=cmr_phantom.build_path("engine", "cardiac-infer"))
    parser.add_argument("--limit", type=int)
    parser.add_argument("--share", type=float, default=0.995)
    parser.add_argument("--predictions", type=Path, help="predictions.csv of evaluate_mmsa.py: PyTorch does not run")
    parser.add_argument("--save", type=Path, help="CSV that receives the engine's scores as predicted ones")
    parser.add_argument("--options", nargs="*", default=["--precision=fp32", "--threads=1"], help="of cardiac-infer")
    args = parser.parse_args()
    torch.set_num_threads(1)
    subjects = mmsa_data.read_set(args.set, args.limit)
    known = None
    if args.predictions:
        _, scores, names = mmsa_metrics.read_csv(args.predictions)
        known = dict(zip(names, scores))
    model = None if known else load(args.model)[0]
    same, total, largest, told = 0, 0, 0.0, []
    with tempfile.TemporaryDirectory() as temporary, torch.no_grad():
        for subject in subjects:
            patient = subject.patient()
            scores, probabilities = engine(args.program, args.model, patient, Path(temporary), args.options)
            told.append(scores)
            if known:
                expected = known[subject.name]
            else:
                output = model(torch.from_numpy(patient)[None])
                expected = output["scores"][0].numpy()
                largest = max(largest, np.abs(output["probabilities"][0].numpy() - probabilities).max())
            same, total = same + int((scores == expected).sum()), total + 16
    if args.save:
        mmsa_metrics.write_csv(args.save, [s.name for s in subjects], [s.scores for s in subjects], told)
    print(f"same score: {same} of {total} segments, {100 * same / total:.2f} %"
          + ("" if known else f"; largest difference of a probability {largest:.1e}"))
    return 0 if same >= args.share * total else 1


if __name__ == "__main__":
    sys.exit(main())
