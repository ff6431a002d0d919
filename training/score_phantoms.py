#!/usr/bin/env python3
"""Score drawn subjects through the whole pipeline, cmrtestsrc ! cmrpolar ! mmsascore, beside their truth.

Writes the CSV that evaluate_mmsa.py --csv reads (subject,segment,truth,predicted). What is already there stays: a run
that was cut off goes on. The elements are those of $GST_PLUGIN_PATH, or of the build folder.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cardiac import cmr_phantom, mmsa_data, mmsa_metrics         # noqa: E402

LEVELS = ("basal", "mid", "apical")


def score(seed, model, folder):
    """(true scores, scores) of the subject with this seed, lists of 16."""
    truth, results = Path(folder) / "truth.json", Path(folder) / "results.jsonl"
    results.unlink(missing_ok=True)
    words = ["gst-launch-1.0", "-q", "cmrtestsrc", "name=s", f"phantom-seed={seed}", f"truth-location={truth}",
             "mmsascore", "name=m", f"model={model}", f"results-location={results}", "!", "fakesink"]
    for level in LEVELS:
        words += [f"s.{level}", "!", "cmrpolar", "!", f"m.{level}"]
    environment = dict(os.environ)
    environment.setdefault("GST_PLUGIN_PATH", str(cmr_phantom.build_path("gst")))
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    if done.returncode or "ERROR" in done.stderr:
        raise RuntimeError(f"seed {seed}: {done.stderr.strip() or done.stdout.strip()}")
    lines = results.read_text(encoding="utf-8").splitlines()
    record = json.loads(lines[-1]) if lines else {"state": "nothing"}
    if len(lines) != 1 or record["state"] != "RESULT":
        raise RuntimeError(f"seed {seed}: expected one RESULT, found {len(lines)} records, the last is {record['state']}")
    return json.loads(truth.read_text(encoding="utf-8"))["scores"], record["scores"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path, metavar="OUT.csv")
    parser.add_argument("--set", choices=mmsa_data.FIRST_SEED, required=True, help="which seeds")
    parser.add_argument("--subjects", type=int, required=True)
    args = parser.parse_args()
    names, truths, scores = [], [], []
    if args.out.exists():
        truths, scores, names = (list(part) for part in mmsa_metrics.read_csv(args.out))
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(mmsa_data.FIRST_SEED[args.set], mmsa_data.FIRST_SEED[args.set] + args.subjects):
            name = mmsa_data.phantom_name(seed)
            if name in names:
                continue
            truth, found = score(seed, args.model, folder)
            for part, value in ((names, name), (truths, truth), (scores, found)):
                part.append(value)
            mmsa_metrics.write_csv(args.out, names, truths, scores)
    right = sum(int(t == s) for truth, found in zip(truths, scores) for t, s in zip(truth, found))
    print(f"{len(names)} subjects, {100 * right / (16 * len(names)):.1f} % of segments right")


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, OSError, ValueError) as error:
        sys.exit(f"score_phantoms.py: {error}")
