"""Write sets of phantom subjects for training and testing MMSA; a second run adds what is missing."""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cardiac import mmsa_data                                    # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", choices=mmsa_data.FIRST_SEED, required=True, help="which seeds: they never meet")
    parser.add_argument("--subjects", type=int, required=True)
    parser.add_argument("--first", type=int, default=0, help="skip so many subjects of the set")
    parser.add_argument("--jitter-px", type=float, default=0, help="error of the landmarks, uniform (default 0)")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    first = mmsa_data.FIRST_SEED[args.set] + args.first
    for seed in range(first, first + args.subjects):
        mmsa_data.write_phantom(args.folder, seed, args.jitter_px)
    print(f"{args.folder}: {args.subjects} subjects")


if __name__ == "__main__":
    main()
