"""Hugging Face XCLIPModel directories -> (configuration, tensors) of an xclip file.

The text tower runs here, once; only its output, one embedding a class prompt, is stored.
"""
import json
import os
import re

import torch
import torch.nn.functional as F

from .checkpoint import is_state_dict, read_checkpoint
from .clip_tokenizer import ClipTokenizer
from .modelfile import IMAGENET, ModelError
from .safetensors_io import read_sharded
from .xclip import attend, quick_gelu

IGNORED = re.compile(r"position_ids$|num_batches_tracked$")
# what XCLIPConfig assumes when a key is absent
VISION_DEFAULTS = {"hidden_size": 768, "num_attention_heads": 12, "image_size": 224, "hidden_act": "quick_gelu",
                   "layer_norm_eps": 1e-5, "mit_hidden_size": 512, "mit_num_attention_heads": 8}
TEXT_DEFAULTS = {"num_attention_heads": 8, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}
MODEL_DEFAULTS = {"prompt_hidden_act": "quick_gelu", "prompt_num_attention_heads": 8}

RENAMES = [(re.compile(pattern), name) for pattern, name in (
    (r"vision_model\.embeddings\.class_embedding", r"vision.class_embedding"),
    (r"vision_model\.embeddings\.patch_embedding\.weight", r"vision.patch_embedding.weight"),
    (r"vision_model\.embeddings\.position_embedding\.weight", r"vision.position_embedding"),
    (r"vision_model\.pre_layernorm\.(\w+)", r"vision.ln_pre.\1"),
    (r"vision_model\.post_layernorm\.(\w+)", r"vision.ln_post.\1"),
    (r"vision_model\.encoder\.layers\.(\d+)\.message_(fc|ln)\.(\w+)", r"vision.layers.\1.message_\2.\3"),
    (r"vision_model\.encoder\.layers\.(\d+)\.message_attn\.(q|k|v|out)_proj\.(\w+)",
     r"vision.layers.\1.message_attn.\2.\3"),
    (r"vision_model\.encoder\.layers\.(\d+)\.(.+)", r"vision.layers.\1.\2"),
    (r"visual_projection\.weight", r"vision.projection.weight"),
    (r"prompts_visual_layernorm\.(\w+)", r"prompt.ln_visual.\1"),
    (r"prompts_visual_projection", r"prompt.visual_projection.weight"),
    (r"mit\.position_embedding", r"mit.position_embedding"),
    (r"mit\.encoder\.layers\.(\d+)\.(.+)", r"mit.layers.\1.\2"),
    (r"prompts_generator\.layernorm\.(\w+)", r"prompt.ln.\1"),
    (r"prompts_generator\.decoder\.(\d+)\.cross_attn\.(q|k|v)_proj\.weight", r"prompt.layers.\1.attn.\2.weight"),
    (r"prompts_generator\.decoder\.(\d+)\.cross_attn\.proj\.(\w+)", r"prompt.layers.\1.attn.out.\2"),
    (r"prompts_generator\.decoder\.(\d+)\.norm(1|3)\.(\w+)", r"prompt.layers.\1.ln\2.\3"),
    (r"prompts_generator\.decoder\.(\d+)\.mlp\.0\.(\w+)", r"prompt.layers.\1.mlp.fc1.\2"),
    (r"prompts_generator\.decoder\.(\d+)\.mlp\.3\.(\w+)", r"prompt.layers.\1.mlp.fc2.\2"),
    (r"prompts_generator\.alpha", r"prompt.alpha"),
    (r"logit_scale", r"logit_scale"),
)]
LAYER_RENAMES = [(re.compile(r"self_attn\.(q|k|v|out)_proj\."), r"attn.\1."),
                 (re.compile(r"layer_norm([12])\."), r"ln\1.")]


def rename(name):
    """Our name of a Hugging Face tensor outside the text tower, or None."""
    for pattern, ours in RENAMES:
        if pattern.fullmatch(name):
            name = pattern.sub(ours, name)
            for inner, replacement in LAYER_RENAMES:
                name = inner.sub(replacement, name)
            return name
    return None


def text_embedding(state, ids, heads, eps):
    """CLIP's text transformer: pre-norm, causal, pooled at the largest token number (the end mark).

    state {Hugging Face name: tensor}, ids [L] -> text_projection(final_layer_norm(x)[argmax ids]) [E].
    """
    def linear(x, name):
        return F.linear(x, state[f"{name}.weight"], state.get(f"{name}.bias"))

    def norm(x, name):
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps)

    root = "text_model.embeddings."
    if len(ids) > len(state[root + "position_embedding.weight"]):
        raise ModelError(f"a prompt of {len(ids)} tokens is too long")
    if ids.min() < 0 or ids.max() >= len(state[root + "token_embedding.weight"]):
        raise ModelError("a token number lies outside the vocabulary")
    x = state[root + "token_embedding.weight"][ids] + state[root + "position_embedding.weight"][:len(ids)]
    x = x[None]
    causal = torch.full((len(ids), len(ids)), float("-inf"), dtype=x.dtype).triu(1)
    layer = 0
    while f"text_model.encoder.layers.{layer}.layer_norm1.weight" in state:
        root = f"text_model.encoder.layers.{layer}."
        y = norm(x, root + "layer_norm1")
        q, k, v = (linear(y, f"{root}self_attn.{name}_proj") for name in "qkv")
        x = x + linear(attend(q, k, v, heads, causal), root + "self_attn.out_proj")
        y = linear(norm(x, root + "layer_norm2"), root + "mlp.fc1")
        x = x + linear(quick_gelu(y), root + "mlp.fc2")
        layer += 1
    return linear(norm(x, "text_model.final_layer_norm")[0, ids.argmax()], "text_projection")


def read_json(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_weights(directory):
    """{name: tensor} of model.safetensors, its shards, or pytorch_model.bin."""
    binary = os.path.join(directory, "pytorch_model.bin")
    if os.path.exists(binary) and not any(name.startswith("model.safetensors") for name in os.listdir(directory)):
        state = read_checkpoint(binary)
        if not is_state_dict(state):
            raise ModelError(f"{binary} holds no state dict")
        return state
    return read_sharded(directory)


def read_config(directory, say, mit_heads=None, prompt_heads=None):
    """Return (our configuration without frames and labels, the text tower's heads)."""
    model = {**MODEL_DEFAULTS, **read_json(directory, "config.json")}
    if model.get("model_type", "xclip") != "xclip":
        raise ModelError(f"config.json: model_type is '{model['model_type']}', expected 'xclip'")
    vision = {**VISION_DEFAULTS, **(model.get("vision_config") or {})}
    text = {**TEXT_DEFAULTS, **(model.get("text_config") or {})}
    for key, value in (("vision_config.hidden_act", vision["hidden_act"]),
                       ("text_config.hidden_act", text["hidden_act"]),
                       ("prompt_hidden_act", model["prompt_hidden_act"])):
        if value != "quick_gelu":
            raise ModelError(f"config.json: {key} is '{value}', only quick_gelu is supported")
    if text["layer_norm_eps"] != vision["layer_norm_eps"]:
        raise ModelError(f"config.json: layer_norm_eps differs between text ({text['layer_norm_eps']}) and "
                         f"vision ({vision['layer_norm_eps']})")
    heads = {"mit_heads": vision["mit_num_attention_heads"], "prompt_heads": model["prompt_num_attention_heads"]}
    for key, wanted in (("mit_heads", mit_heads), ("prompt_heads", prompt_heads)):
        if wanted is None and heads[key] * 64 != vision["mit_hidden_size"]:
            say(f"note: config.json says {heads[key]} {key} of {vision['mit_hidden_size'] / heads[key]:g} channels; "
                f"the authors of X-CLIP train with heads of 64. To use another number: --{key.replace('_', '-')}")
        heads[key] = wanted or heads[key]
    images = read_json(directory, "preprocessor_config.json")
    return {"input_side": vision["image_size"], "vision_heads": vision["num_attention_heads"], **heads,
            "hidden_act": "quick_gelu", "layer_norm_eps": vision["layer_norm_eps"],
            "image_mean": images.get("image_mean", IMAGENET["image_mean"]),
            "image_std": images.get("image_std", IMAGENET["image_std"])}, text["num_attention_heads"]


@torch.no_grad()
def convert_xclip(directory, prompts=None, input_ids=None, text_embeds=None, mit_heads=None,
                  prompt_heads=None, say=print):
    """Return (config, tensors). One of prompts (strings), input_ids [C,L], text_embeds [C,E]."""
    config, text_heads = read_config(directory, say, mit_heads, prompt_heads)
    state = {name: tensor.float() for name, tensor in read_weights(directory).items()
             if not IGNORED.search(name)}
    tensors = {}
    for name, tensor in state.items():
        ours = rename(name)
        if ours is not None:
            tensors[ours] = tensor
        elif not name.startswith("text_model.") and name != "text_projection.weight":
            raise ModelError(f"tensor '{name}' is not part of an XCLIPModel")
    try:
        # this one alone is stored [in,out]
        tensors["prompt.visual_projection.weight"] = tensors["prompt.visual_projection.weight"].T.contiguous()
        tensors["mit.position_embedding"] = tensors["mit.position_embedding"][0]
        if prompts is not None:
            tokenizer = ClipTokenizer(directory)
            input_ids = [torch.tensor(tokenizer(prompt)) for prompt in prompts]
        if input_ids is not None:
            tower = {name: tensor.double() for name, tensor in state.items() if name.startswith("text_")}
            text_embeds = torch.stack([text_embedding(tower, ids, text_heads, config["layer_norm_eps"])
                                       for ids in input_ids])
    except KeyError as error:
        raise ModelError(f"tensor {error} is missing") from None
    tensors["text.embeddings"] = text_embeds.float()
    config["frames"] = len(tensors["mit.position_embedding"])
    config["labels"] = prompts or [f"class {i}" for i in range(len(text_embeds))]
    return config, tensors
