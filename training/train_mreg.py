#!/usr/bin/env python3
"""Train MReg as a configuration file says: on phantoms, or on videos of a manifest.

The run's directory receives log.jsonl, last.pt, best.pt (best validation accuracy), a checkpoint a
stage, and mreg.safetensors. The same command with --resume goes on after an interruption.
"""
import argparse
import json
import os
import subprocess
import sys

import torch
import torch.distributed as dist

from cardiac.modelfile import ModelError
from cardiac.phantom import PhantomError, library
from cardiac.samples import PhantomSource
from cardiac.trainer import Trainer, check_config


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", metavar="CONFIG.json")
    parser.add_argument("directory", metavar="RUN", help="directory of the run, made when absent")
    parser.add_argument("--resume", action="store_true", help="go on from RUN/last.pt")
    parser.add_argument("--init", metavar="FILE", help="start from a converted X-CLIP or MReg model file where it fits")
    parser.add_argument("--start", metavar="CHECKPOINT",
                        help="start from another run's weights, as far as this variant has them")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=JSON",
                        help="replace a key of the configuration, e.g. stages.0.minutes=20")
    parser.add_argument("--processes", type=int, default=1, help="processes that average their gradients")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=29411, help="of the first of several processes")
    return parser.parse_args(arguments)


def configuration(args):
    """The file's object with --set applied and checked."""
    with open(args.config, encoding="utf-8") as file:
        config = json.load(file)
    for item in args.set:
        path, _, value = item.partition("=")
        *parents, last = path.split(".")
        place = config
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            pass
        place[int(last) if isinstance(place, list) else last] = value
    config.setdefault("name", os.path.splitext(os.path.basename(args.config))[0])
    return check_config(config, args.config)


def source_maker(config):
    """make_source(**keys) of the configured kind of data."""
    data = dict(config["data"])
    kind = data.pop("kind")
    if kind == "phantom":
        library()
        return lambda **keys: PhantomSource(**{**keys, **data})
    if kind == "manifest":
        from cardiac.videofile import ManifestSource
        return lambda **keys: ManifestSource(**{**data, **keys})
    raise ValueError(f"data.kind '{kind}' is neither phantom nor manifest")


def spawn(args, arguments):
    """The other processes of a run."""
    return [subprocess.Popen([sys.executable, os.path.abspath(__file__), *arguments, "--rank", str(rank)])
            for rank in range(1, args.processes)]


def train(args):
    """One process's part; returns the last validation's figures."""
    config = configuration(args)
    rank = args.rank or 0
    os.makedirs(args.directory, exist_ok=True)
    if args.processes > 1:
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{args.port}", rank=rank,
                                world_size=args.processes)
    trainer = Trainer(config, args.directory, source_maker(config), rank, args.processes, args.device, args.init,
                      say=lambda text: print(text, file=sys.stderr) if rank == 0 else None)
    if args.start:
        trainer.start_from(args.start)
    last = os.path.join(args.directory, "last.pt")
    if args.resume and os.path.exists(last):
        trainer.resume(last)
    elif rank == 0:
        for name in ("log.jsonl", "best.pt"):
            if os.path.exists(os.path.join(args.directory, name)):
                os.remove(os.path.join(args.directory, name))
        with open(os.path.join(args.directory, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)
    result = trainer.run()
    if args.processes > 1:
        dist.barrier()
        dist.destroy_process_group()
    return result


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parse_arguments(arguments)
    torch.set_num_threads(1)
    others = spawn(args, arguments) if args.processes > 1 and args.rank is None else []
    try:
        return train(args)
    except (ModelError, PhantomError, ValueError, OSError, KeyError) as error:
        sys.exit(f"train_mreg.py: {error}")
    finally:
        for process in others:
            if sys.exc_info()[0]:
                process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
