"""Pre-training on the phantom's own truth: where jet and left atrium are, and how large the jet is.

The paper starts from Kinetics weights; from random weights a grade a video teaches nothing for hours.
These heads are thrown away afterwards.
"""
import math

import torch
from torch import nn
import torch.nn.functional as F

JET, ATRIUM = 0, 1
WEIGHTS = {"jet": 15.0, "atrium": 1.0, "area": 4.0, "graded": 0.5}


class DenseHeads(nn.Module):
    """Masks of `cells`×`cells` cells from patch features, area from frame features.

    A patch feature predicts the cells that the patch covers. Biases start at the masks' priors: else
    the first thousands of clips teach nothing but a bias.
    """

    def __init__(self, width, patches_a_side, cells):
        super().__init__()
        if cells % patches_a_side:
            raise ValueError(f"mask_cells {cells} is no multiple of the {patches_a_side} patches a side")
        self.side, self.inner = patches_a_side, cells // patches_a_side
        self.masks = nn.Linear(width, 2 * self.inner ** 2)
        self.area = nn.Linear(width, 1)
        with torch.no_grad():
            self.masks.bias.view(2, -1)[JET] = -4.5
            self.masks.bias.view(2, -1)[ATRIUM] = -2.5

    def forward(self, z, p):
        """z [B,T,E], p [B,T,N,E] -> mask logits [2,B,T,cells,cells], sqrt of the area ratio [B,T]."""
        side, inner = self.side, self.inner
        x = self.masks(p).reshape(*p.shape[:2], side, side, 2, inner, inner)
        x = x.permute(4, 0, 1, 2, 5, 3, 6).reshape(2, *p.shape[:2], side * inner, side * inner)
        return x, self.area(z)[..., 0]


def continuous_grade(severity, mild=0.05, moderate=0.20, most=2.0):
    """A phantom's severity on the scale of grades: 0.5 and 1.5 at the borders, linear in log s between.

    A grade alone says nothing about which of its cases lie near a border.
    """
    slope = 1 / math.log(moderate / mild)
    return (0.5 + slope * torch.log(severity.clamp(min=1e-6) / mild)).clamp(0, most)


def dense_losses(heads, z, p, truth):
    """{name: (weight, loss)}; truth: jet, atrium [B,T,cells,cells] in 0..1, area [B,T]."""
    logits, root_area = heads(z, p)
    return {
        "jet": (WEIGHTS["jet"], F.binary_cross_entropy_with_logits(logits[JET], truth["jet"])),
        "atrium": (WEIGHTS["atrium"], F.binary_cross_entropy_with_logits(logits[ATRIUM], truth["atrium"])),
        "area": (WEIGHTS["area"], ((root_area - truth["area"].clamp(min=0).sqrt()) ** 2).mean()),
    }


def map_loss(activation, grade, jet, least=0.02):
    """Draws the map of the true grade's expert to the jets, in frames that show one.

    activation e [B,I,T,N,K], grade [B], jet [B,I,T,cells,cells] in 0..1. Cross-entropy over the N patches of
    softmax_n e[..., grade] against the jets' share of each patch; frames with less than `least` of a patch and
    videos of grade 0 do not count.
    """
    side = math.isqrt(activation.shape[3])
    share = F.adaptive_avg_pool2d(jet.flatten(0, 2)[:, None], side).reshape(*jet.shape[:3], -1)      # [B,I,T,N]
    index = grade[:, None, None, None, None].expand(*activation.shape[:4], 1)
    logs = activation.gather(-1, index)[..., 0].log_softmax(-1)
    total = share.sum(-1)
    counts = (total > least) & (grade[:, None, None] > 0)
    target = share / total.clamp(min=1e-6)[..., None]
    return -((target * logs).sum(-1) * counts).sum() / counts.sum().clamp(min=1)
