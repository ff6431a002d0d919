"""YOLOv8 detector. Module names follow the public `model.N.…` scheme; widths come from tensors."""
import torch
from torch import nn
import torch.nn.functional as F

BATCH_NORM_EPS = 1e-3
BINS = 16                  # distances left, top, right, bottom are expectations over 16 bins
STRIDES = (8, 16, 32)
SCORE_THRESHOLD = 0.25
IOU_THRESHOLD = 0.7
MAX_DETECTIONS = 300


class Conv(nn.Module):
    """Convolution without bias, batch norm, SiLU."""

    def __init__(self, width_in, width_out, kernel=1, stride=1, activation=True):
        super().__init__()
        self.conv = nn.Conv2d(width_in, width_out, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(width_out, eps=BATCH_NORM_EPS)
        self.activation = activation

    def forward(self, x):
        x = self.bn(self.conv(x))
        return F.silu(x) if self.activation else x


class Bottleneck(nn.Module):
    """Two 3×3 Convs, with or without shortcut."""

    def __init__(self, width, shortcut):
        super().__init__()
        self.cv1 = Conv(width, width, 3)
        self.cv2 = Conv(width, width, 3)
        self.shortcut = shortcut

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C2f(nn.Module):
    """1×1, split in two, a chain of bottlenecks on the second, concat of everything, 1×1."""

    def __init__(self, width_in, hidden, width_out, repeats, shortcut):
        super().__init__()
        self.cv1 = Conv(width_in, 2 * hidden)
        self.cv2 = Conv((2 + repeats) * hidden, width_out)
        self.m = nn.ModuleList(Bottleneck(hidden, shortcut) for _ in range(repeats))

    def forward(self, x):
        parts = list(self.cv1(x).chunk(2, 1))
        for bottleneck in self.m:
            parts.append(bottleneck(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class SPPF(nn.Module):
    """1×1, three chained 5×5 max-pools, concat of four, 1×1."""

    def __init__(self, width_in, hidden, width_out, activation):
        super().__init__()
        self.cv1 = Conv(width_in, hidden, activation=activation)
        self.cv2 = Conv(4 * hidden, width_out)

    def forward(self, x):
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, 1, 2))
        return self.cv2(torch.cat(parts, 1))


class Detect(nn.Module):
    """Decoupled head: cv2 box distributions, cv3 class logits, one branch a stride."""

    def __init__(self, widths, box_widths, class_widths, classes):
        super().__init__()
        self.cv2 = nn.ModuleList(
            nn.Sequential(Conv(w, a, 3), Conv(a, b, 3), nn.Conv2d(b, 4 * BINS, 1))
            for w, (a, b) in zip(widths, box_widths))
        self.cv3 = nn.ModuleList(
            nn.Sequential(Conv(w, a, 3), Conv(a, b, 3), nn.Conv2d(b, classes, 1))
            for w, (a, b) in zip(widths, class_widths))

    def logits(self, features):
        """Three maps -> box logits [B,4·16,cells] and class logits [B,classes,cells]."""
        box = [branch(x).flatten(2) for x, branch in zip(features, self.cv2)]
        score = [branch(x).flatten(2) for x, branch in zip(features, self.cv3)]
        return torch.cat(box, 2), torch.cat(score, 2)

    def forward(self, features):
        """Three maps -> raw [B,4+classes,cells]: cx,cy,w,h in input pixels, sigmoid scores."""
        box, score = self.logits(features)
        left, top, right, bottom = distances(box).unbind(1)
        centres, strides = cells(features)
        xywh = [centres[:, 0] + (right - left) / 2, centres[:, 1] + (bottom - top) / 2,
                left + right, top + bottom]
        return torch.cat([torch.stack(xywh, 1) * strides, score.sigmoid()], 1)


def distances(box):
    """Box logits [B,4·16,cells] -> expected left, top, right, bottom [B,4,cells], in cells."""
    bins = torch.arange(BINS, dtype=box.dtype, device=box.device)
    return (box.unflatten(1, (4, BINS)).softmax(2) * bins[:, None]).sum(2)


def cells(features):
    """Centres [cells,2] (x, y, in cells) and strides [cells] of three maps, row by row."""
    centres, strides = [], []
    for x, stride in zip(features, STRIDES):
        rows, columns = x.shape[2:]
        y = (torch.arange(rows, dtype=x.dtype, device=x.device) + 0.5).repeat_interleave(columns)
        x = (torch.arange(columns, dtype=x.dtype, device=x.device) + 0.5).repeat(rows)
        centres.append(torch.stack([x, y], 1))
        strides.append(torch.full_like(x, stride))
    return torch.cat(centres), torch.cat(strides)


def upsample(x):
    """Nearest neighbour, twice as large."""
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


class YoloV8(nn.Module):
    """Backbone 0-9, PAN neck 10-21, head 22. `config` as in docs/model-format.md."""

    def __init__(self, config, tensors):
        """Widths and repeats are read from the shapes of `tensors` ({name: tensor})."""
        super().__init__()
        self.config = config

        def shape(name):
            return tensors[name].shape

        def conv(name, kernel, stride):
            out, width_in = shape(f"{name}.conv.weight")[:2]
            return Conv(width_in, out, kernel, stride)

        def c2f(name, shortcut):
            repeats = 0
            while f"{name}.m.{repeats}.cv1.conv.weight" in tensors:
                repeats += 1
            hidden2, width_in = shape(f"{name}.cv1.conv.weight")[:2]
            return C2f(width_in, hidden2 // 2, shape(f"{name}.cv2.conv.weight")[0], repeats, shortcut)

        def branch_widths(name):
            return [tuple(shape(f"{name}.{i}.{j}.conv.weight")[0] for j in range(2)) for i in range(3)]

        modules = {n: conv(f"model.{n}", 3, 2) for n in (0, 1, 3, 5, 7, 16, 19)}
        modules.update({n: c2f(f"model.{n}", shortcut=n <= 8) for n in (2, 4, 6, 8, 12, 15, 18, 21)})
        hidden, width = shape("model.9.cv1.conv.weight")[:2]
        modules[9] = SPPF(width, hidden, shape("model.9.cv2.conv.weight")[0], config["sppf_activation"])
        modules[22] = Detect([shape(f"model.22.cv2.{i}.0.conv.weight")[1] for i in range(3)],
                             branch_widths("model.22.cv2"), branch_widths("model.22.cv3"),
                             len(config["labels"]))
        self.model = nn.ModuleDict({str(n): module for n, module in sorted(modules.items())})

    def features(self, x):
        """x [B,3,h,w] in 0..1, h and w multiples of 32 -> the maps that the head looks at."""
        m = self.model
        stage = {}
        for n in range(10):
            stage[n] = x = m[str(n)](x)
        p4 = m["12"](torch.cat([upsample(stage[9]), stage[6]], 1))
        p3 = m["15"](torch.cat([upsample(p4), stage[4]], 1))
        p4 = m["18"](torch.cat([m["16"](p3), p4], 1))
        p5 = m["21"](torch.cat([m["19"](p4), stage[9]], 1))
        return [p3, p4, p5]

    def forward(self, x):
        """x [B,3,h,w] in 0..1, h and w multiples of 32 -> raw [B,4+classes,cells]."""
        return self.model["22"](self.features(x))


def corners(boxes):
    """[n,4] cx,cy,w,h -> x1,y1,x2,y2."""
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    return torch.cat([centre - half, centre + half], 1)


def iou(box, boxes):
    """Intersection over union of box [4] with boxes [n,4]."""
    overlap = (torch.minimum(box[2:], boxes[:, 2:]) - torch.maximum(box[:2], boxes[:, :2])).clamp(min=0)
    intersection = overlap.prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return intersection / (areas + (box[2:] - box[:2]).prod() - intersection)


def detections(raw):
    """Non-maximum suppression of raw [4+classes,cells] -> boxes [n,4] corners, scores, classes.

    A cell has the class of its highest score (lowest index on ties). Greedy by score, stable;
    score > 0.25, IoU > 0.7 with a better box of the same class suppresses; at most 300.
    """
    scores, classes = raw[4:].max(0)
    fired = torch.nonzero(scores > SCORE_THRESHOLD)[:, 0]
    order = fired[torch.argsort(scores[fired], descending=True, stable=True)]
    boxes, scores, classes = corners(raw[:4, order].T), scores[order], classes[order]
    alive = torch.ones(len(order), dtype=torch.bool)
    kept = []
    for i in range(len(order)):
        if not alive[i]:
            continue
        kept.append(i)
        if len(kept) == MAX_DETECTIONS:
            break
        alive &= ~((iou(boxes[i], boxes) > IOU_THRESHOLD) & (classes == classes[i]))
    return boxes[kept], scores[kept], classes[kept]
