#!/usr/bin/env python3
"""compare.py BUILD [--runs N]: networks of the papers' sizes on the GPU, the engine and PyTorch side by side.

Outputs: the engine's in fp32, bf16 and fp16 against PyTorch's in fp32 (without TF32) on the same GPU, within the
tolerances of golden outputs. Times in bf16: a recorded run with its copies from and to the host, which a live pipeline
pays, and the network alone, its input on the device; each against torch.compile with, or without, the same copies. Exit 1
when an output is off.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "training"))
import numpy as np  # noqa: E402
import torch  # noqa: E402
from cardiac import load_model  # noqa: E402
from cardiac.run import INSIDE, to_numpy  # noqa: E402

PHASES = 20
# what it is, kind and size of the model file, shape of the input, options of cardiac-bench
NETWORKS = (
    ("X-CLIP B/16, a clip", "xclip", "b16", (16, 3, 224, 224), ()),
    ("X-CLIP B/32, a clip", "xclip", "b32", (16, 3, 224, 224), ()),
    ("YOLOv8n, 640 x 640", "yolov8", "n", (3, 640, 640), ("--side=640",)),
    ("MMSA, 20 phases", "mmsa", "paper", (PHASES, 80, 512), (f"--phases={PHASES}",)),
)


def make_model(folder, arch, size):
    path = os.path.join(folder, f"{arch}-{size}", "model.safetensors")
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run([sys.executable, os.path.join(ROOT, "training", "random_model.py"), arch, "--size", size, path],
                       check=True)
    return path


def make_input(arch, shape):
    values = np.random.default_rng(1).random(shape, np.float32)
    return values if arch in ("yolov8", "mmsa") else 4 * values - 2     # pictures, or normalised pictures


@torch.no_grad()
def write_golden(path, arch, values):
    """PyTorch's outputs beside the model, for test-golden."""
    folder = os.path.dirname(path)
    np.save(os.path.join(folder, "input.npy"), values)
    out = load_model(path).float().cuda()(torch.from_numpy(values)[None].cuda())
    if arch == "yolov8":
        outputs = to_numpy({"raw": out[0].cpu()})
    else:
        outputs = to_numpy({name: value[0].cpu() for name, value in out.items() if name not in INSIDE})
    for name, value in outputs.items():
        np.save(os.path.join(folder, f"{name}.npy"), value)
    return folder


def outputs_agree(build, folder):
    good = True
    for precision in ("fp32", "bf16", "fp16"):
        run = subprocess.run([os.path.join(build, "tests", "engine", "test-golden"),
                              os.path.join(build, "engine", "cardiac-infer"), folder, "--device=cuda",
                              f"--precision={precision}"], text=True, stdout=subprocess.PIPE)
        print(f"  {precision}: {'as PyTorch' if run.returncode == 0 else 'NOT as PyTorch'}")
        print("    " + run.stdout.strip().replace("\n", "\n    "), flush=True)
        good = good and run.returncode == 0
    return good


def engine_ms(build, path, options, runs):
    """(with copies, without)."""
    text = subprocess.run([os.path.join(build, "engine", "cardiac-bench"), "--device=cuda", "--precision=bf16", "--json",
                           f"--runs={runs}", *options, path], check=True, text=True, stdout=subprocess.PIPE).stdout
    out = json.loads(text)
    return out["network"]["median_ms"], out["alone"]["median_ms"]


def median_ms(function, runs):
    times = []
    for _ in range(runs):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        function()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return statistics.median(times)


@torch.no_grad()
def torch_ms(path, values, runs):
    """(with copies, without) of torch.compile in bf16."""
    model = torch.compile(load_model(path).bfloat16().cuda(), mode="max-autotune")
    host = torch.from_numpy(values)[None].pin_memory()
    device = host.cuda().bfloat16()
    for _ in range(5):
        model(device)
    torch.cuda.synchronize()

    def with_copies():
        out = model(host.cuda(non_blocking=True).bfloat16())
        for value in out.values() if isinstance(out, dict) else [out]:
            value.to("cpu", non_blocking=True)

    return median_ms(with_copies, runs), median_ms(lambda: model(device), runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=50)
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    folder = os.path.join(args.build, "gpu-models")
    good, rows = True, []
    for name, arch, size, shape, options in NETWORKS:
        path, values = make_model(folder, arch, size), make_input(arch, shape)
        print(name)
        good = outputs_agree(args.build, write_golden(path, arch, values)) and good
        ours = engine_ms(args.build, path, options, args.runs)
        try:
            with_copies, without = torch_ms(path, values, args.runs)
        except Exception as error:                      # a compiler that gives up is no fault of ours
            print(f"  torch.compile: {error}")
            with_copies = without = float("nan")
        rows.append((name, *ours, with_copies, without))
    print(f"\n{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, bf16, median of {args.runs} runs\n")
    print("| network | ours with copies, ms | torch.compile | ours / torch | ours alone, ms | torch.compile | ours / torch |")
    print("|---|---|---|---|---|---|---|")
    for name, ours, alone, with_copies, without in rows:
        print(f"| {name} | {ours:.3f} | {with_copies:.3f} | {ours / with_copies:.2f} | "
              f"{alone:.3f} | {without:.3f} | {alone / without:.2f} |")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
