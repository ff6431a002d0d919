#!/usr/bin/env python3
"""demo_models.py CARDIAC-INFER TEST-GOLDEN HOST-DEVICE: the demonstration models on phantoms give on device=cuda what
they give on the host, within the tolerances of golden outputs. Exits 77 without PyTorch (the phantoms' readers)."""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "training"))
try:
    import numpy as np
    from cardiac import cmr_phantom, mmsa_data, screens
    from cardiac.samples import PhantomSource
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


def echo_clips(folder):
    """Three clips of the first test recording, as mreg-demo wants them."""
    return next(iter(PhantomSource(112, 16).fixed("test", limit=1)))["clips"]


def echo_screen(folder):
    return screens.plain_screen(7)[0]


def cine_patient(folder):
    return mmsa_data.Subject(mmsa_data.write_phantom(folder, 3_000_000, 0)).patient()[:8]


def make_golden(infer, device, model, picture, folder):
    """A folder of the model, its input and the host's outputs in fp32."""
    shutil.copy(os.path.join(ROOT, "models", model + ".safetensors"), os.path.join(folder, "model.safetensors"))
    np.save(os.path.join(folder, "input.npy"), np.ascontiguousarray(picture))
    out = os.path.join(folder, "out")
    subprocess.run([infer, os.path.join(folder, "model.safetensors"), os.path.join(folder, "input.npy"), out,
                    f"--device={device}", "--precision=fp32"], check=True)
    for name in os.listdir(out):
        os.rename(os.path.join(out, name), os.path.join(folder, name))
    os.rmdir(out)


def main():
    infer, test_golden, device = sys.argv[1:]
    failures = 0
    for model, make_input in (("mreg-demo", echo_clips), ("roi-demo", echo_screen), ("mmsa-demo", cine_patient)):
        with tempfile.TemporaryDirectory() as folder:
            make_golden(infer, device, model, make_input(folder), folder)
            for precision in ("fp32", "bf16"):
                print(f"{model} {precision}", flush=True)
                failures += subprocess.run([test_golden, infer, folder, "--device=cuda",
                                            f"--precision={precision}"]).returncode != 0
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
