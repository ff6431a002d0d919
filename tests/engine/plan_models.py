#!/usr/bin/env python3
"""plan_models.py FOLDER: model files of the paper sizes B/16, B/32 and L/14 with one vision layer each (all layers have
the same operators) and YOLOv8n and MMSA, for the test that plans them. Exits 77 without PyTorch."""
import os
import subprocess
import sys

TRAINING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "training")

try:
    import torch  # noqa: F401
except ImportError:
    print("skipped: no PyTorch")
    sys.exit(77)

sys.path.insert(0, TRAINING)
import random_model  # noqa: E402

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
for size in ("b16", "b32", "l14"):
    path = os.path.join(folder, f"mreg-{size}.safetensors")
    if os.path.exists(path):
        continue
    side, patch, frames, vision, embed, mit, prompt = random_model.XCLIP_SIZES[size]
    random_model.XCLIP_SIZES[size] = (side, patch, frames, (vision[0], 1, *vision[2:]), embed, mit, prompt)
    sys.argv = ["random_model.py", "mreg", "--size", size, path]
    random_model.main()
for arch, size, name in (("yolov8", "n", "yolov8n"), ("mmsa", "demo", "mmsa-demo"), ("mmsa", "paper", "mmsa-paper")):
    path = os.path.join(folder, f"{name}.safetensors")
    if not os.path.exists(path):
        subprocess.run([sys.executable, os.path.join(TRAINING, "random_model.py"), arch, "--size", size, path], check=True)
