"""Measure MMSA: the paper's Table II, confusion, scatter and Bland-Altman plots of a set of subjects.

    evaluate_mmsa.py --model MODEL.safetensors --set FOLDER OUT    run the network (PyTorch, fp32) over a folder
    evaluate_mmsa.py --csv PREDICTIONS.csv OUT       predictions of any origin: subject,segment,truth,predicted

Writes OUT/predictions.csv, metrics.json, table.md, scatter.svg, bland-altman.svg, confusion.svg; with --flow also the
error of the flow, which phantoms know.
"""
import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cardiac import mmsa_data, mmsa_metrics, svg                 # noqa: E402
from cardiac.modelfile import ModelError, build, read_model_file  # noqa: E402


def load(path):
    arch, config, card, tensors = read_model_file(path)
    if arch != "mmsa":
        raise ModelError(f"{path}: holds a network of arch {arch}, expected mmsa")
    return build("mmsa", config, {name: tensor.float() for name, tensor in tensors.items()}), card


@torch.no_grad()
def run(model, subjects, flows):
    """Scores [n,16], and the flow's metrics over the first `flows` phantoms (None where no truth is known)."""
    scores, pieces = [], []
    for i, subject in enumerate(subjects):
        output = model(torch.from_numpy(subject.patient())[None])
        scores.append(output["scores"][0].numpy())
        if i < flows and subject.seed is not None:
            pieces.append(flow_pieces(output["flow1"][0].permute(0, 2, 3, 1).numpy(), subject,
                                      model.config["flow_step"]))
    if not pieces:
        return np.stack(scores), None
    flow, truth = (np.concatenate(x) for x in zip(*pieces))
    metrics = mmsa_metrics.flow_metrics(flow, truth, np.ones(len(flow), bool))
    return np.stack(scores), {"subjects": len(pieces), **metrics}


def flow_pieces(flow, subject, step):
    """Flow and true flow where the LV wall lies, [n,2] each."""
    from cardiac import cmr_phantom
    truth, wall = mmsa_data.true_flow(cmr_phantom.Phantom(subject.seed), step, subject.jitter)
    return flow[wall], truth[wall]


def table(metrics, name):
    """Table II as Markdown."""
    def percent(x):
        return f"{100 * x:.1f}"
    lines = [f"| {name} | accuracy % | recall % | precision % |", "|---|---|---|---|",
             f"| 4-way, {metrics['segments']} segments | {percent(metrics['accuracy'])} | | |"]
    for score, recall, precision in zip(mmsa_metrics.SCORES, metrics["recall"], metrics["precision"]):
        lines.append(f"| {score} | | {percent(recall)} | {percent(precision)} |")
    index = (f"Motion score index of {metrics['subjects']} subjects: ρ {metrics['rho']:.3f}, bias "
             f"{metrics['bias']:+.3f}, limits of agreement {metrics['limits'][0]:+.3f} to {metrics['limits'][1]:+.3f}.")
    lines += [f"| abnormal, κ {metrics['kappa']:.3f} | {percent(metrics['abnormal_accuracy'])} | "
              f"{percent(metrics['abnormal_recall'])} | {percent(metrics['abnormal_precision'])} |", "", index]
    if "flow" in metrics:
        f = metrics["flow"]
        lines += ["", f"Flow in the LV wall of {f['subjects']} subjects: end-point error {f['end_point_error']:.3f} px "
                  f"(no flow: {f['zero_end_point_error']:.3f}), radial error {f['radial_error']:.3f} px (no flow: "
                  f"{f['zero_radial_error']:.3f}), radial correlation {f['radial_correlation']:.3f}, angular "
                  f"{f['angular_correlation']:.3f}."]
    return "\n".join(lines) + "\n"


def figures(folder, truth, predicted, metrics):
    true, told = np.mean(truth, 1).tolist(), np.mean(predicted, 1).tolist()
    svg.scatter(folder / "scatter.svg", true, told, metrics["rho"])
    svg.bland_altman(folder / "bland-altman.svg", true, told, metrics["bias"], metrics["limits"])
    svg.confusion(folder / "confusion.svg", metrics["confusion"], mmsa_metrics.SCORES)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--set", type=Path, help="folder of subjects")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--flow", type=int, default=0, metavar="N", help="measure the flow of N phantoms, too")
    parser.add_argument("--name", default="MMSA")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    flow = None
    if args.csv:
        truth, predicted, names = mmsa_metrics.read_csv(args.csv)
    elif args.model and args.set:
        subjects = mmsa_data.read_set(args.set, args.limit)
        model, _ = load(args.model)
        predicted, flow = run(model, subjects, args.flow)
        truth, names = np.stack([s.scores for s in subjects]), [s.name for s in subjects]
    else:
        parser.error("give --model and --set, or --csv")
    args.out.mkdir(parents=True, exist_ok=True)
    metrics = mmsa_metrics.all_metrics(truth, predicted)
    if flow:
        metrics["flow"] = flow
    mmsa_metrics.write_csv(args.out / "predictions.csv", names, truth, predicted)
    (args.out / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    (args.out / "table.md").write_text(table(metrics, args.name), encoding="utf-8")
    figures(args.out, truth, predicted, metrics)
    print(table(metrics, args.name), end="")


if __name__ == "__main__":
    main()
