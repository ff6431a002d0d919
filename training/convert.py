#!/usr/bin/env python3
"""Convert trained weights into a gst-cardiac model file.

xclip   IN: a Hugging Face XCLIPModel directory (safetensors, sharded or not, or pytorch_model.bin)
mreg    IN: our training checkpoint, or a state dict with our tensor names (with --config)
mmsa    IN: likewise
yolov8  IN: an Ultralytics best.pt, or a state dict as .pt or .safetensors
"""
import argparse
import os
import sys

import torch

from cardiac.checkpoint import CheckpointError, is_state_dict, read_checkpoint
from cardiac.from_huggingface import convert_xclip
from cardiac.from_ultralytics import convert_yolov8
from cardiac.modelfile import (ARCHITECTURES, DTYPES, MMSA_DEFAULTS, MREG_DEFAULTS, ModelError, load_array,
                               parse_config, write_model_file)
from cardiac.safetensors_io import SafetensorsError, read_safetensors


OWN_DEFAULTS = {"mreg": MREG_DEFAULTS, "mmsa": MMSA_DEFAULTS}


def say(text):
    print(f"convert.py: {text}", file=sys.stderr)


def read_own(arch, path):
    """Return (config, card, tensors) of {"config", "card", "state_dict"} or of a bare state dict."""
    saved = read_safetensors(path)[0] if path.endswith(".safetensors") else read_checkpoint(path)
    if is_state_dict(saved):
        saved = {"state_dict": saved}
    if not isinstance(saved, dict) or not is_state_dict(saved.get("state_dict")):
        raise ModelError(f"{path} holds no state dict")
    if saved.get("arch", arch) != arch:
        raise ModelError(f"{path} is a checkpoint of {saved['arch']}, not of {arch}")
    return dict(saved.get("config", {})), dict(saved.get("card", {})), saved["state_dict"]


def convert(args):
    """Return (config, card, tensors) of the chosen architecture."""
    if args.arch in OWN_DEFAULTS:
        config, card, tensors = read_own(args.arch, args.input)
        return {**OWN_DEFAULTS[args.arch], **config}, card, {n: t.float() for n, t in tensors.items()}
    if args.arch == "yolov8":
        activation = {None: None, "silu": True, "none": False}[args.sppf_activation]
        config, tensors = convert_yolov8(args.input, args.class_name, activation, say)
        return config, {}, tensors
    texts = {"prompts": args.prompts.split("|") if args.prompts else None,
             "input_ids": load_array(args.input_ids, 2, torch.int64) if args.input_ids else None,
             "text_embeds": load_array(args.text_embeds, 2, torch.float32) if args.text_embeds else None}
    config, tensors = convert_xclip(args.input, **texts, mit_heads=args.mit_heads,
                                    prompt_heads=args.prompt_heads, say=say)
    return config, {}, tensors


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arch", metavar="{xclip,mreg,yolov8,mmsa}")
    parser.add_argument("input", metavar="IN")
    parser.add_argument("out", metavar="OUT.safetensors")
    parser.add_argument("--config", default="{}", help="configuration keys to set: JSON or a file")
    parser.add_argument("--dtype", choices=DTYPES, default="f32", help="of matrices and convolutions")
    parser.add_argument("--licence", help="of the weights, for the model card")
    parser.add_argument("--training-data", help="a sentence for the model card")
    group = parser.add_argument_group("xclip: class prompts, one of")
    text = group.add_mutually_exclusive_group()
    text.add_argument("--prompts", metavar='"a|b|c"', help="for the checkpoint's own tokenizer")
    text.add_argument("--input-ids", metavar="IDS.npy", help="token numbers [C,L]")
    text.add_argument("--text-embeds", metavar="T.npy", help="text tower's output [C,E], not normalised")
    group = parser.add_argument_group("xclip: heads, where config.json is wrong")
    group.add_argument("--mit-heads", type=int)
    group.add_argument("--prompt-heads", type=int)
    group = parser.add_argument_group("yolov8")
    group.add_argument("--class", dest="class_name", metavar="NAME|N|all", help="which of several classes to keep")
    group.add_argument("--sppf-activation", choices=("silu", "none"), help="of a bare state dict (default silu)")
    args = parser.parse_args(arguments)
    if args.arch not in ARCHITECTURES:
        parser.error(f"unknown network '{args.arch}'")
    if args.arch == "xclip" and not (args.prompts or args.input_ids or args.text_embeds):
        parser.error("xclip needs class prompts: --prompts, --input-ids or --text-embeds")
    return args


def main(arguments=None):
    args = parse_arguments(arguments)
    try:
        config, card, tensors = convert(args)
        config.update(parse_config(args.config))
        card = {"name": os.path.basename(os.path.normpath(args.input)), "licence": args.licence or "unknown",
                "training_data": args.training_data or "unknown", "intended_use": "research",
                "trained": True, "synthetic": False, **card}
        write_model_file(args.out, args.arch, config, card, tensors, DTYPES[args.dtype])
    except (ModelError, CheckpointError, SafetensorsError, OSError) as error:
        sys.exit(f"convert.py: {error}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
