"""MMSA: motion scores of 16 segments from polar cine MR (Xue et al.).

Written beside the paper and docs/networks.md. A patient is P_pat [t,80,512]: t pictures of exactly one cardiac
cycle, 16 segments of 32 columns. A leading S (subjects) is carried through; the scoring branch sees S*16 segments.
Scales are named by their reduction: 1, 2, 4. u is (vertical = radial, horizontal = angular), in pixels of its scale.
"""
from dataclasses import dataclass

import torch
from torch import nn
import torch.nn.functional as F

SEGMENTS = 16
ROWS, COLUMNS = 80, 512                     # of P_pat
MIN_PHASES, MAX_PHASES = 8, 64
SCALES = (1, 2, 4)
SLOPE = 0.2                                 # of LeakyReLU, everywhere
CELLS = (ROWS // 16) * (COLUMNS // SEGMENTS // 16)   # positions after four poolings

ATTENTION = ("msa", "concatenation")
ATTENTION_SCALES = {"all": (1, 2, 4), "1": (1,), "1/2": (2,), "1/4": (4,)}
ATTENTION_ACTIVATION = ("none", "leaky_relu")
ATTENTION_GAIN = ("1", "area")
ENHANCEMENT = ("tse", "conv")
TSE_SCALE = ("1", "C")


@dataclass
class Sizes:
    """Everything that is read from a model file's shapes."""
    flow: tuple = (8, 16, 32, 32)           # at scales 1, 1/2, 1/4 and the bottleneck
    cnn: tuple = (32, 64, 128, 128)         # C1..C4
    attention: int = 16                     # Q
    squeezed: int = 32                      # TSE's hidden width, C4 / 4
    embedded: int = 64                      # width of the non-local block, C4 / 2
    hidden: int = 256                       # of the two fully connected layers
    scores: int = 4
    taps: int = 20                          # T0 of KIConv


def sizes_from(tensors, config):
    """Sizes of a model with these tensors ({name: tensor}); KeyError names a missing one."""
    def rows(name):
        return tensors[name].shape[0]

    blocks = ("encoder1", "encoder2", "encoder4", "bottleneck")
    sizes = Sizes(flow=tuple(rows(f"flow.{name}.conv1.weight") for name in blocks),
                  cnn=tuple(rows(f"cnn.block{i}.conv1.weight") for i in (1, 2, 3, 4)),
                  hidden=rows("fc1.weight"), scores=rows("fc2.weight"),
                  taps=tensors["cnn.block1.conv1.weight"].shape[1])
    if config["attention"] == "msa":
        sizes.attention = rows(f"msa.scale{ATTENTION_SCALES[config['attention_scales']][0]}.flow.weight")
    if config["enhancement"] == "tse":
        sizes.squeezed = rows("tse.fc1.weight")
    if config["non_local"]:
        sizes.embedded = rows("nl.phi.weight")
    return sizes


def resample_taps(weight, phases, axis):
    """KIConv's kernel for t phases: w_t[j] = (T0/t) w(j T0/t), linear between taps, cyclic."""
    taps = weight.shape[axis]
    position = torch.arange(phases) * taps
    first = torch.div(position, phases, rounding_mode="floor")
    share = ((position % phases).to(weight.dtype) / phases).to(weight.device)
    share = share.reshape([-1] + [1] * (weight.dim() - axis - 1))
    first = first.to(weight.device)
    low, high = weight.index_select(axis, first), weight.index_select(axis, (first + 1) % taps)
    return (low * (1 - share) + high * share) * (taps / phases)


def split_segments(x):
    """[S,t,...,h,16w] -> [S*16,t,...,h,w], segment 1 first."""
    x = x.unflatten(-1, (SEGMENTS, -1)).movedim(-2, 1)
    return x.flatten(0, 1)


def frame_pairs(p, step):
    """P [S,t,h,w] -> pairs (P_j, P_{j+d mod t}) [S*t,2,h,w]; a negative step looks back."""
    return torch.stack([p, p.roll(-step, 1)], 2).flatten(0, 1)


def upsample(x):
    """Bilinear, twice as large, half-pixel centres."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ConvBlock(nn.Module):
    """Two 3×3 convolutions, LeakyReLU after each."""

    def __init__(self, width_in, width_out):
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)

    def forward(self, x):
        return F.leaky_relu(self.conv2(F.leaky_relu(self.conv1(x), SLOPE)), SLOPE)


class Flow(nn.Module):
    """Optical flow between two pictures, coarse to fine."""

    def __init__(self, widths, residual):
        super().__init__()
        w1, w2, w4, w8 = widths
        self.residual = residual
        self.encoder1, self.encoder2, self.encoder4 = ConvBlock(2, w1), ConvBlock(w1, w2), ConvBlock(w2, w4)
        self.bottleneck = ConvBlock(w4, w8)
        self.decoder4 = ConvBlock(w4 + w8, w4)
        self.decoder2 = ConvBlock(w2 + w4 + 2, w2)
        self.decoder1 = ConvBlock(w1 + w2 + 2, w1)
        self.output4, self.output2, self.output1 = (nn.Conv2d(w, 2, 3, padding=1) for w in (w4, w2, w1))

    def forward(self, pairs):
        """pairs [B,2,h,w], h and w multiples of 8 -> u1, u2, u4 [B,2,h/s,w/s]."""
        skip1 = self.encoder1(pairs)
        skip2 = self.encoder2(F.max_pool2d(skip1, 2))
        skip4 = self.encoder4(F.max_pool2d(skip2, 2))
        e = self.bottleneck(F.max_pool2d(skip4, 2))
        e = self.decoder4(torch.cat([skip4, upsample(e)], 1))
        u4 = self.output4(e)
        up = 2 * upsample(u4)                # in pixels of the finer scale
        e = self.decoder2(torch.cat([skip2, upsample(e), up], 1))
        u2 = self.output2(e) + up if self.residual else self.output2(e)
        up = 2 * upsample(u2)
        e = self.decoder1(torch.cat([skip1, upsample(e), up], 1))
        u1 = self.output1(e) + up if self.residual else self.output1(e)
        return u1, u2, u4


class CnnBlock(nn.Module):
    """One block of the scoring branch. Block 1's first convolution is a KIConv over the phases; with
    `flow_taps` (concatenation instead of MSA) the first convolution also takes the flow, 2 components a phase."""

    def __init__(self, width_in, width_out, flow_taps=0, kernel_interpolation=False):
        super().__init__()
        self.kernel_interpolation = kernel_interpolation
        self.conv1 = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)
        if flow_taps:
            self.flow = nn.Module()
            self.flow.weight = nn.Parameter(torch.empty(width_out, 2, flow_taps, 3, 3))

    def forward(self, x, m=None):
        """x [B,C,h,w] (block 1: [B,t,h,w]), m [B,t,2,h,w] or None."""
        weight = self.conv1.weight
        if self.kernel_interpolation:
            weight = resample_taps(weight, x.shape[1], 1)
        if m is not None:
            x = torch.cat([x, m.flatten(1, 2)], 1)
            flow = resample_taps(self.flow.weight, m.shape[1], 2).transpose(1, 2).flatten(1, 2)
            weight = torch.cat([weight, flow], 1)
        x = F.leaky_relu(F.conv2d(x, weight, self.conv1.bias, padding=1), SLOPE)
        return F.leaky_relu(self.conv2(x), SLOPE)


class MSA(nn.Module):
    """Motion-based spatial attention at one scale (Eq. 11-13)."""

    def __init__(self, width, attention, taps, activation, gain):
        super().__init__()
        self.activation, self.gain = activation, gain
        self.magnitude, self.direction, self.flow, self.map = (nn.Module() for _ in range(4))
        self.magnitude.weight = nn.Parameter(torch.empty(attention, 1, taps))
        self.direction.weight = nn.Parameter(torch.empty(attention, 2, taps))
        self.feature = nn.Linear(width, attention)            # 1×1; its bias is A1's
        self.flow.weight = nn.Parameter(torch.empty(attention, 2, taps))
        self.flow.bias = nn.Parameter(torch.zeros(attention))
        self.map.weight = nn.Parameter(torch.empty(1, 2 * attention))   # a bias would vanish in the softmax

    def forward(self, x, m):
        """x [B,C,h,w], m [B,t,2,h,w] -> z [B,C,h,w], A [B,h,w]."""
        phases = m.shape[1]

        def over_time(weight):               # [Q,c,T0] -> 1×1 kernel on channels j*c + component
            return resample_taps(weight, phases, 2).transpose(1, 2).flatten(1)[:, :, None, None]

        # Not vector_norm: ten times slower over a middle axis. The clamp keeps the gradient finite where nothing moves.
        length = m.square().sum(2).clamp_min(1e-24).sqrt()
        magnitude = F.max_pool2d(length, 3, 1, 1)
        m = m.flatten(1, 2)
        direction = F.avg_pool2d(m, 3, 1, 1)                  # padding counts as zero
        weight = torch.cat([over_time(self.magnitude.weight), over_time(self.direction.weight),
                            self.feature.weight[:, :, None, None]], 1)
        a1 = F.conv2d(torch.cat([magnitude, direction, x], 1), weight, self.feature.bias)
        b1 = F.conv2d(m, over_time(self.flow.weight), self.flow.bias)
        encoded = torch.cat([a1, b1], 1)
        if self.activation == "leaky_relu":
            encoded = F.leaky_relu(encoded, SLOPE)
        logits = F.conv2d(encoded, self.map.weight[:, :, None, None])
        attention = logits.flatten(1).softmax(1).reshape(logits.shape)
        gain = logits.shape[2] * logits.shape[3] if self.gain == "area" else 1
        return x + (gain * attention) * x, attention[:, 0]


class TSE(nn.Module):
    """Temporal squeeze and excitation on the channels (Eq. 14-16)."""

    def __init__(self, width, squeezed, scale):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, squeezed), nn.Linear(squeezed, width)
        self.scale = width if scale == "C" else 1

    def forward(self, x):
        s1 = x.mean((2, 3))
        s2 = self.fc2(F.leaky_relu(self.fc1(s1), SLOPE)).softmax(1)
        return (self.scale * s2)[:, :, None, None] * x


class NonLocal(nn.Module):
    """Spatial non-local block, embedded Gaussian (Eq. 17-19)."""

    def __init__(self, width, embedded):
        super().__init__()
        self.phi, self.psi, self.g = (nn.Linear(width, embedded) for _ in range(3))
        self.theta = nn.Linear(embedded, width)

    def forward(self, x):
        y = x.flatten(2).transpose(1, 2)                      # [B,h*w,C]
        near = torch.matmul(self.phi(y), self.psi(y).transpose(1, 2)).softmax(2)
        y = y + self.theta(torch.matmul(near, self.g(y)))
        return y.transpose(1, 2).reshape(x.shape)


class MMSA(nn.Module):
    """Both branches. `config` as in docs/model-format.md, MMSA_DEFAULTS of modelfile.py to start with."""

    def __init__(self, config, sizes=Sizes()):
        super().__init__()
        self.config, self.sizes = config, sizes
        c, taps = sizes.cnn, sizes.taps
        self.flow = Flow(sizes.flow, config["flow_residual"])
        self.attended = ATTENTION_SCALES[config["attention_scales"]]
        concatenated = self.attended if config["attention"] == "concatenation" else ()
        self.cnn = nn.Module()
        self.cnn.block1 = CnnBlock(taps, c[0], kernel_interpolation=True)
        for i, scale in enumerate(SCALES):
            block = CnnBlock(c[i], c[i + 1], taps if scale in concatenated else 0)
            self.cnn.add_module(f"block{i + 2}", block)
        if config["attention"] == "msa":
            self.msa = nn.ModuleDict({
                f"scale{s}": MSA(c[SCALES.index(s)], sizes.attention, taps, config["attention_activation"],
                                 config["attention_gain"]) for s in self.attended})
        self.tse = (TSE(c[3], sizes.squeezed, config["tse_scale"]) if config["enhancement"] == "tse"
                    else ConvBlock(c[3], c[3]))
        if config["non_local"]:
            self.nl = NonLocal(c[3], sizes.embedded)
        self.fc1 = nn.Linear(c[3] * CELLS, sizes.hidden)
        self.fc2 = nn.Linear(sizes.hidden, sizes.scores)
        self.reset_parameters()

    def reset_parameters(self):
        """He's initialisation; a flow near zero and a non-local block that changes nothing to start with."""
        for name, value in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(value)
            else:
                fan_in = value[0].numel()
                nn.init.normal_(value, std=(2 / (1 + SLOPE ** 2) / fan_in) ** 0.5)
        for output in (self.flow.output1, self.flow.output2, self.flow.output4):
            nn.init.normal_(output.weight, std=1e-3)
        if self.config["non_local"]:
            nn.init.zeros_(self.nl.theta.weight)

    def flows(self, p, step=None):
        """u from phase j to j + d, P [S,t,80,512] -> (u1, u2, u4), each [S,t,2,h,w]. d = flow_step unless given."""
        pairs = frame_pairs(p, self.config["flow_step"] if step is None else step)
        return tuple(u.unflatten(0, p.shape[:2]) for u in self.flow(pairs))

    def score_segments(self, p, flows):
        """The scoring branch alone: P [S,t,80,512], flows as flows() gives them (or cached ones).

        Outputs have [S*16]; see forward().
        """
        outputs = {}
        x = split_segments(p)
        m = None
        for i in range(4):
            x = getattr(self.cnn, f"block{i + 1}")(x, m)
            m = None
            if i < 3:
                outputs[f"feature{i + 1}"] = x
                if SCALES[i] in self.attended:
                    m = split_segments(flows[i])
                    if self.config["attention"] == "msa":
                        x, outputs[f"attention{i + 1}"] = self.msa[f"scale{SCALES[i]}"](x, m)
                        m = None
                    else:
                        m = F.max_pool2d(m.flatten(1, 2), 2).unflatten(1, (-1, 2))
            x = F.max_pool2d(x, 2)
        x = self.tse(x)
        outputs["features"] = x = self.nl(x) if self.config["non_local"] else x
        x = F.leaky_relu(self.fc1(x.flatten(1)), SLOPE)
        outputs["logits"] = self.fc2(x)
        return outputs

    def forward(self, p, flows=None):
        """P [S,t,80,512] in 0..1, t = 8..64 phases of one cycle; `flows` replaces the flow branch (e.g. cached).

        Returns logits, probabilities [S,16,4], scores [S,16] (1..4), index [S], flow1, flow2, flow4 [S,t,2,h,w],
        attention1..3 [S,16,h,w] (where there is MSA), feature1..3 x [S,16,C,h,w] before it, features [S,16,C4,5,2].
        """
        flows = self.flows(p) if flows is None else flows
        outputs = {name: value.unflatten(0, (-1, SEGMENTS)) for name, value in self.score_segments(p, flows).items()}
        outputs["probabilities"] = outputs["logits"].softmax(-1)
        outputs["scores"] = outputs["logits"].argmax(-1) + 1
        outputs["index"] = outputs["scores"].to(p.dtype).mean(-1)
        outputs.update({f"flow{s}": u for s, u in zip(SCALES, flows)})
        return outputs
