"""Losses and training-time outputs of MReg (docs/networks.md, "Losses").

B videos, I instances, T frames, K grades. Every loss is a mean over the videos.
"""
import torch
import torch.nn.functional as F

SMOOTH_WEIGHT, SPARSITY_WEIGHT = 0.01, 0.001


def focal(logits, target, gamma=2.0):
    """-(1-p)^gamma·log p, p the softmax probability of `target`. logits [B,C], target [B] -> mean."""
    log_p = F.log_softmax(logits, -1).gather(-1, target[:, None])[:, 0]
    return (-(1 - log_p.exp()) ** gamma * log_p).mean()


def smoothness(curve):
    """Lsmooth = Σ_t (r[t+1]-r[t])². curve [B,T]."""
    return ((curve[:, 1:] - curve[:, :-1]) ** 2).sum(-1).mean()


def sparsity(curve):
    """Lsparsity = mean_t |r[t]|. curve [B,T]."""
    return curve.abs().mean()


def mreg_losses(outputs, grade, target=None):
    """{name: (weight, loss)} of videos with the grades [B]; r is drawn to `target` [B], by default the grade.

    `outputs` is what run_videos() returns: of the selected instance s2 [B,2], experts [B,K],
    curve [B,T], regression [B]; keys that a variant lacks have no loss.
    """
    losses = {}
    if "s2" in outputs:
        losses["presence"] = 1.0, focal(outputs["s2"], (grade > 0).long())
    if "regression" in outputs:
        losses["regression"] = 1.0, ((outputs["regression"] - (grade if target is None else target)) ** 2).mean()
    if "experts" in outputs:
        losses["expert"] = 1.0, focal(outputs["experts"], grade)
    if "classes" in outputs:
        losses["class"] = 1.0, focal(outputs["classes"], grade)
    losses["smooth"] = SMOOTH_WEIGHT, smoothness(outputs["curve"])
    losses["sparsity"] = SPARSITY_WEIGHT, sparsity(outputs["curve"])
    return losses


def total(losses):
    """Weighted sum of {name: (weight, loss)}."""
    return sum(weight * loss for weight, loss in losses.values())
