"""X-CLIP (Ni et al., ECCV 2022): cross-frame vision transformer, MIT and video-specific prompts.

Symbols as in docs/model-format.md: T frames, N patches a frame, D vision width, E joint
embedding width, C class prompts, B clips. Module names are the tensor names of the model file.
"""
import math

import torch
from torch import nn
import torch.nn.functional as F


QUICK_GELU = 1.702  # QGELU(x) = x·sigmoid(1.702·x) = silu(1.702·x) / 1.702


def quick_gelu(x):
    """x·sigmoid(1.702·x)."""
    return x * torch.sigmoid(QUICK_GELU * x)


def split_heads(x, heads):
    """[B,n,width] -> [B·heads,n,width/heads]."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2).flatten(0, 1)


def attend(q, k, v, heads, mask=None):
    """softmax(q·kᵀ/√d + mask)·v in `heads` heads. q [B,n,width], k and v [B,m,width] -> [B,n,width]."""
    q = q / math.sqrt(q.shape[-1] // heads)
    return mix_heads(*(split_heads(x, heads) for x in (q, k, v)), heads, mask)


def mix_heads(q, k, v, heads, mask=None):
    """softmax(q·kᵀ + mask)·v. q [B·heads,n,d], k and v [B·heads,m,d] -> [B,n,heads·d]."""
    weights = q @ k.transpose(-1, -2)
    if mask is not None:
        weights = weights + mask
    mixed = weights.softmax(-1) @ v
    return mixed.unflatten(0, (-1, heads)).transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Multi-head self-attention with biases on all four projections."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        """x [B,n,width] -> [B,n,width]."""
        scale = (x.shape[-1] // self.heads) ** -0.5
        weight = torch.cat([self.q.weight * scale, self.k.weight, self.v.weight])
        bias = torch.cat([self.q.bias * scale, self.k.bias, self.v.bias])
        qkv = F.linear(x, weight, bias).reshape(*x.shape[:2], 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).flatten(1, 2)        # one copy for all three
        return self.out(mix_heads(q, k, v, self.heads))


class Mlp(nn.Module):
    """fc2(QGELU(fc1(x))), with QGELU's factors moved into the weights: one pass over the hidden layer."""

    def __init__(self, width, hidden):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x):
        hidden = F.silu(F.linear(x, QUICK_GELU * self.fc1.weight, QUICK_GELU * self.fc1.bias))
        return F.linear(hidden, self.fc2.weight / QUICK_GELU, self.fc2.bias)


class CrossFrameLayer(nn.Module):
    """One vision layer: a message token a frame, exchanged between frames, read within a frame."""

    def __init__(self, width, heads, hidden, eps):
        super().__init__()
        self.message_fc = nn.Linear(width, width)
        self.message_ln = nn.LayerNorm(width, eps)
        self.message_attn = Attention(width, heads)
        self.ln1 = nn.LayerNorm(width, eps)
        self.attn = Attention(width, heads)
        self.ln2 = nn.LayerNorm(width, eps)
        self.mlp = Mlp(width, hidden)

    def forward(self, x):
        """x [B,T,N+1,D] -> [B,T,N+1,D]."""
        tokens = x.shape[2]
        msg = self.message_fc(x[:, :, 0])                           # [B,T,D]
        msg = msg + self.message_attn(self.message_ln(msg))         # over the T axis
        y = torch.cat([x, msg[:, :, None]], dim=2).flatten(0, 1)    # [B·T,N+2,D]
        y = y + self.attn(self.ln1(y))                              # within a frame
        x = y[:, :tokens].reshape(x.shape)                          # drop the message token
        return x + self.mlp(self.ln2(x))


class VisionTower(nn.Module):
    """Patch embedding and L cross-frame layers."""

    def __init__(self, side, patch, width, layers, heads, hidden, embed, eps):
        super().__init__()
        self.patch_embedding = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.position_embedding = nn.Parameter(torch.zeros((side // patch) ** 2 + 1, width))
        self.ln_pre = nn.LayerNorm(width, eps)
        self.layers = nn.ModuleList(CrossFrameLayer(width, heads, hidden, eps) for _ in range(layers))
        self.ln_post = nn.LayerNorm(width, eps)
        self.projection = nn.Linear(width, embed, bias=False)

    def embed_patches(self, pictures):
        """The convolution as one product over patches, faster than conv2d. [M,3,S,S] -> [M,N,D]."""
        side = self.patch_embedding.kernel_size[0]
        x = pictures.unflatten(3, (-1, side)).unflatten(2, (-1, side)).permute(0, 2, 4, 1, 3, 5)
        return F.linear(x.flatten(3).flatten(1, 2), self.patch_embedding.weight.flatten(1))

    def forward(self, clips):
        """clips [B,T,3,S,S] -> frame features c [B,T,E], patch tokens [B,T,N,D]."""
        x = self.embed_patches(clips.flatten(0, 1))                               # [B·T,N,D]
        cls = self.class_embedding.expand(x.shape[0], 1, -1)
        x = self.ln_pre(torch.cat([cls, x], dim=1) + self.position_embedding)
        x = x.reshape(*clips.shape[:2], *x.shape[1:])                             # [B,T,N+1,D]
        for layer in self.layers:
            x = layer(x)
        return self.projection(self.ln_post(x[:, :, 0])), x[:, :, 1:]


class TransformerLayer(nn.Module):
    """A pre-norm block of the MIT."""

    def __init__(self, width, heads, hidden, eps):
        super().__init__()
        self.ln1 = nn.LayerNorm(width, eps)
        self.attn = Attention(width, heads)
        self.ln2 = nn.LayerNorm(width, eps)
        self.mlp = Mlp(width, hidden)

    def forward(self, x):
        x = x + self.attn(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class MultiframeIntegration(nn.Module):
    """MIT: z = blocks(c + pos) + c, unpooled."""

    def __init__(self, frames, width, layers, heads, hidden, eps):
        super().__init__()
        self.position_embedding = nn.Parameter(torch.zeros(frames, width))
        self.layers = nn.ModuleList(TransformerLayer(width, heads, hidden, eps) for _ in range(layers))

    def forward(self, c):
        """c [B,T,E] -> z [B,T,E]. Fewer frames, as in pre-training, are spread over the clip's positions."""
        frames, positions = c.shape[1], self.position_embedding
        if frames < len(positions):
            step = len(positions) // frames
            positions = positions[step // 2::step][:frames]
        x = c + positions
        for layer in self.layers:
            x = layer(x)
        return x + c


class CrossAttention(nn.Module):
    """Text attends to the video; q, k, v without bias."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(self, t, v):
        """t [B,C,E], v [B,N,E] -> [B,C,E]."""
        return self.out(attend(self.q(t), self.k(v), self.v(v), self.heads))


class PromptLayer(nn.Module):
    """t += attn(LN1 t, v); t += mlp(LN3 t)."""

    def __init__(self, width, heads, hidden, eps):
        super().__init__()
        self.ln1 = nn.LayerNorm(width, eps)
        self.attn = CrossAttention(width, heads)
        self.ln3 = nn.LayerNorm(width, eps)
        self.mlp = Mlp(width, hidden)

    def forward(self, t, v):
        t = t + self.attn(self.ln1(t), v)
        return t + self.mlp(self.ln3(t))


class PromptGenerator(nn.Module):
    """Video-specific prompts: t' = t + alpha ⊙ layers(t, LN(mean_t p))."""

    def __init__(self, vision_width, width, layers, heads, hidden, eps):
        super().__init__()
        self.ln_visual = nn.LayerNorm(vision_width, eps)
        self.visual_projection = nn.Linear(vision_width, width, bias=False)
        self.ln = nn.LayerNorm(width, eps)
        self.layers = nn.ModuleList(PromptLayer(width, heads, hidden, eps) for _ in range(layers))
        self.alpha = nn.Parameter(torch.full((width,), 0.1))

    def project_patches(self, tokens):
        """Patch tokens [B,T,N,D] -> patch features p [B,T,N,E]."""
        return self.visual_projection(self.ln_visual(tokens))

    def forward(self, text, p):
        """text [C,E], p [B,T,N,E] -> t' [B,C,E]."""
        v = self.ln(p.mean(1))
        text = text.expand(p.shape[0], *text.shape)
        t = text
        for layer in self.layers:
            t = layer(t, v)
        return text + self.alpha * t  # t is the whole stream, text included




class XClipBackbone(nn.Module):
    """The part that `xclip` and `mreg` files share. `sizes` as returned by backbone_sizes."""

    def __init__(self, config, sizes):
        super().__init__()
        eps = config["layer_norm_eps"]
        width, embed = sizes["vision_width"], sizes["embed_width"]
        self.config, self.sizes = config, sizes
        self.vision = VisionTower(config["input_side"], sizes["patch_side"], width, sizes["vision_layers"],
                                  config["vision_heads"], sizes["vision_mlp"], embed, eps)
        self.mit = MultiframeIntegration(config["frames"], embed, sizes["mit_layers"],
                                         config["mit_heads"], sizes["mit_mlp"], eps)
        self.prompt = PromptGenerator(width, embed, sizes["prompt_layers"], config["prompt_heads"],
                                      sizes["prompt_mlp"], eps)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.text = nn.Module()

    def encode(self, clips):
        """clips [B,T,3,S,S] -> c [B,T,E], p [B,T,N,E], z [B,T,E]."""
        c, tokens = self.vision(clips)
        return c, self.prompt.project_patches(tokens), self.mit(c)

    def logits(self, z, prompted):
        """exp(logit_scale)·cos(mean_t z, t'_c). z [B,T,E], prompted [B,C,E] -> [B,C]."""
        return self.logit_scale.exp() * F.cosine_similarity(z.mean(1)[:, None], prompted, dim=-1)


class XClip(XClipBackbone):
    """The backbone with one set of C class prompts: a zero-shot video classifier."""

    def __init__(self, config, sizes):
        super().__init__(config, sizes)
        self.text.embeddings = nn.Parameter(torch.zeros(len(config["labels"]), sizes["embed_width"]))

    def forward(self, clips):
        """clips [B,T,3,S,S], normalised -> outputs by name, each with a leading B."""
        c, p, z = self.encode(clips)
        prompted = self.prompt(self.text.embeddings, p)
        return {"frame_features": c, "patch_features": p, "video_features": z,
                "prompted_text": prompted, "logits": self.logits(z, prompted)}


def _count(tensors, prefix):
    """Number of layers prefix.0, prefix.1, ..."""
    return len({name[len(prefix):].split(".")[0] for name in tensors if name.startswith(prefix)})


def backbone_sizes(tensors):
    """Read every size that shapes tell from {name: tensor}."""
    embed, width = tensors["vision.projection.weight"].shape
    return {
        "patch_side": tensors["vision.patch_embedding.weight"].shape[-1],
        "vision_width": width, "embed_width": embed,
        "vision_layers": _count(tensors, "vision.layers."),
        "vision_mlp": tensors["vision.layers.0.mlp.fc1.weight"].shape[0],
        "mit_layers": _count(tensors, "mit.layers."),
        "mit_mlp": tensors["mit.layers.0.mlp.fc1.weight"].shape[0],
        "prompt_layers": _count(tensors, "prompt.layers."),
        "prompt_mlp": tensors["prompt.layers.0.mlp.fc1.weight"].shape[0],
    }


def check_backbone_config(config, sizes):
    """Refuse a configuration that the sizes contradict, with the key's name."""
    if config["hidden_act"] != "quick_gelu":
        raise ValueError(f"hidden_act '{config['hidden_act']}' is not supported, only quick_gelu")
    if config["input_side"] % sizes["patch_side"]:
        raise ValueError(f"input_side {config['input_side']} is no multiple of the patch side "
                         f"{sizes['patch_side']}")
    for key, width in (("vision_heads", "vision_width"), ("mit_heads", "embed_width"),
                       ("prompt_heads", "embed_width")):
        if config[key] < 1 or sizes[width] % config[key]:
            raise ValueError(f"{key} {config[key]} does not divide the width {sizes[width]}")
