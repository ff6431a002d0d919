"""Train MMSA on folders of subjects (make_mmsa_set.py writes phantoms).

The flow branch is trained first and alone, then frozen; the scoring branch is trained on its cached flow; with
`joint.epochs` in the configuration both go on together. A run that was cut off goes on when started again.

Writes into --out: flow.state, score.state, model.safetensors, log.txt, and of the subjects held back (--validation, or
the fold) predictions.csv and metrics.json.
"""
import argparse
import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
import evaluate_mmsa                                             # noqa: E402
from cardiac import mmsa_data, mmsa_metrics, mmsa_train          # noqa: E402
from cardiac.modelfile import ModelError, write_model_file       # noqa: E402


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="training/configs/mmsa/*.json")
    parser.add_argument("--train", type=Path, required=True, help="folder of subjects")
    parser.add_argument("--validation", type=Path, help="folder of subjects to look at after each epoch")
    parser.add_argument("--fold", metavar="I/N", help="train on all but fold I of N of the training folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, help="use so many training subjects")
    parser.add_argument("--epochs", type=int, help="of the scoring branch, instead of the configuration's")
    parser.add_argument("--flow", type=Path, help="flow.state of another run with the same flow_step and widths")
    parser.add_argument("--start", type=Path, help="score.state of another run with the same flow: a second cosine")
    parser.add_argument("--stop-after-flow", action="store_true")
    parser.add_argument("--validate-every-epoch", action="store_true")
    parser.add_argument("--cached-flow", action="store_true", help="measure with the flow as cached, in 16 bits")
    parser.add_argument("--measure-flow", type=int, default=0, metavar="N", help="of N held back phantoms")
    parser.add_argument("--card", default="{}", help="JSON object or file: keys of the model card")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args(argv)


def choose_subjects(args, read_set):
    """(training subjects, held back ones)."""
    subjects = read_set(args.train, args.limit)
    if not args.fold:
        return subjects, read_set(args.validation) if args.validation else []
    try:
        number, count = (int(x) for x in args.fold.split("/"))
        assert 1 <= number <= count
    except (ValueError, AssertionError):
        raise SystemExit(f"--fold {args.fold}: expected I/N with 1 <= I <= N, e.g. 1/3") from None
    held = set(mmsa_data.folds(subjects, count, seed=0)[number - 1])
    return ([s for i, s in enumerate(subjects) if i not in held], [s for i, s in enumerate(subjects) if i in held])


def flow_branch(model, subjects, config, args, log):
    """Trains the flow branch, goes on with it after the stage at which it was cut off, or takes a trained one."""
    own = args.out / "flow.state"
    source = args.flow or (own if own.exists() else None)
    made_for = [model.config["flow_step"], list(model.sizes.flow), model.config["flow_residual"]]
    first_stage, minutes = 0, 0.0
    if source:
        state = torch.load(source, map_location="cpu")
        if state["made_for"] != made_for:
            raise ModelError(f"{source}: its flow has step, widths, residual {state['made_for']}, the configuration "
                             f"asks for {made_for}; train a flow for it")
        model.flow.load_state_dict(state["flow"])
        first_stage, minutes = state["stages"], state["minutes"]
        log(f"flow branch taken from {source}, {first_stage} stages done")
    for stage in range(first_stage, len(config["flow"]["steps"])):
        minutes += mmsa_train.train_flow(model, subjects, config, args.seed, stage, log)
        torch.save({"flow": model.flow.state_dict(), "minutes": minutes, "stages": stage + 1, "made_for": made_for},
                   own)
    return minutes


def card_of(config, args, subjects, minutes):
    card = {
        "name": f"mmsa {config['name']}",
        "licence": "LGPL-2.1-or-later",
        "training_data": f"{len(subjects)} subjects of {args.train.name}",
        "intended_use": "research use only",
        "trained": True,
        "synthetic": all(s.seed is not None for s in subjects),
        "training": f"flow alone, then scores on frozen flow; seed {args.seed}; {minutes:.0f} CPU-min",
    }
    text = args.card
    card.update(json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")))
    return card


def brief(metrics):
    recalls = " ".join(f"{100 * r:.0f}" for r in metrics["recall"])
    return (f"{100 * metrics['accuracy']:.1f} % (recalls {recalls}), abnormal "
            f"{100 * metrics['abnormal_accuracy']:.1f} %, kappa {metrics['kappa']:.3f}, rho {metrics['rho']:.3f}")


def write_results(folder, subjects, predicted, extra):
    truth = [s.scores for s in subjects]
    mmsa_metrics.write_csv(folder / "predictions.csv", [s.name for s in subjects], truth, predicted)
    metrics = {**mmsa_metrics.all_metrics(truth, predicted), **extra}
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    return metrics


def main(argv=None, read_set=mmsa_data.read_set):
    """One run; `read_set` may hand out subjects of an earlier run, whose cached flows are used again."""
    args = arguments(argv)
    torch.set_num_threads(args.threads)
    config = mmsa_train.load_config(args.config)
    config["score"]["epochs"] = args.epochs or config["score"]["epochs"]
    args.out.mkdir(parents=True, exist_ok=True)
    with open(args.out / "log.txt", "a", encoding="utf-8") as log_file:
        def log(text):
            print(text, flush=True)
            print(text, file=log_file, flush=True)

        subjects, held = choose_subjects(args, read_set)
        log(f"{config['name']}, seed {args.seed}, fold {args.fold}: {len(subjects)} subjects, {len(held)} held back")
        model = mmsa_train.make_model(config, args.seed)
        flow_minutes = flow_branch(model, subjects, config, args, log)
        if args.stop_after_flow:
            return
        if args.start:
            model.load_state_dict(torch.load(args.start, map_location="cpu")["model"])
            log(f"starts from {args.start}")
        if not mmsa_train.finished(args.out, config):
            mmsa_train.cache_flows(model, subjects + (held if args.validate_every_epoch else []), config)

        def validate(trained):
            return brief(mmsa_metrics.all_metrics([s.scores for s in held],
                                                  mmsa_train.predict(trained, held)))
        minutes = mmsa_train.train_scores(model, subjects, config, args.seed, args.out, log,
                                          validate if held and args.validate_every_epoch else None)
        if config["joint"]["epochs"]:
            minutes += mmsa_train.train_scores(model, subjects, config, args.seed, args.out, log, joint=True)
        model_file = args.out / "model.safetensors"
        write_model_file(model_file, "mmsa", model.config, card_of(config, args, subjects, flow_minutes + minutes),
                         model.state_dict(), torch.float16)
        log(f"wrote {model_file}, {model_file.stat().st_size / 1e6:.2f} MB")
        if held:
            # What was written is measured, with its own flow, not what was trained on a cached one, unless asked for.
            if args.cached_flow or config["score"]["zero_flow"]:
                mmsa_train.cache_flows(model, held, config)
                predicted, flow = mmsa_train.predict(model, held), None
            else:
                predicted, flow = evaluate_mmsa.run(evaluate_mmsa.load(model_file)[0], held, args.measure_flow)
            metrics = write_results(args.out, held, predicted, {
                "config": config, "seed": args.seed, "fold": args.fold, "training_subjects": len(subjects),
                "flow_minutes": flow_minutes, "score_minutes": minutes, "flow": flow})
            log("held back: " + brief(metrics))


if __name__ == "__main__":
    main()
