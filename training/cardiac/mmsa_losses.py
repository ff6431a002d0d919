"""Losses of MMSA: unsupervised optical flow (Eq. 6-9) and scores."""
import torch
import torch.nn.functional as F

from .mmsa import SCALES, frame_pairs

SOBEL = ((1., 2., 1.), (0., 0., 0.), (-1., -2., -1.))      # gradient downwards; transposed: to the right


def warp(q, u):
    """warp(Q,u)(y,x) = Q(y + u_v, x + u_h), bilinear, clamped at the border. Q [B,C,h,w], u [B,2,h,w] in pixels."""
    height, width = q.shape[2:]
    y = torch.arange(height, dtype=q.dtype, device=q.device)[:, None] + u[:, 0]
    x = torch.arange(width, dtype=q.dtype, device=q.device) + u[:, 1]
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
    return F.grid_sample(q, grid, mode="bilinear", padding_mode="border", align_corners=False)


def consistency(picture, moved, u):
    """||P - warp(TS(P,d), u)||², mean over pixels (Eq. 6); pictures [B,1,h,w], u [B,2,h,w]."""
    return (picture - warp(moved, u)).square().mean()


def smoothness(u):
    """||Sobel u_v||² + ||Sobel u_h||², mean over inner pixels (Eq. 7); Sobel as printed, 8 times a slope."""
    kernel = torch.tensor(SOBEL, dtype=u.dtype, device=u.device)
    kernels = torch.stack([kernel, kernel.T])[:, None]
    gradient = F.conv2d(u.flatten(0, 1)[:, None], kernels)
    return 2 * gradient.square().sum(1).mean()              # the mean is over both components


def pair_loss(pairs, flows, lambda1=1.0, lambda2=0.1):
    """Lopt of one direction, summed over the scales: pairs [B,2,h,w], flows u1, u2, u4 of the network for them.

    lambda1/2 Lcon + lambda2/2 Lsmo: both directions together give Eq. 8.
    """
    loss = 0
    for scale, u in zip(SCALES, flows):
        picture, moved = (F.avg_pool2d(p, scale) if scale > 1 else p for p in (pairs[:, :1], pairs[:, 1:]))
        loss = loss + lambda1 / 2 * consistency(picture, moved, u) + lambda2 / 2 * smoothness(u)
    return loss


def optical_loss(model, p, lambda1=1.0, lambda2=0.1):
    """Loptical (Eq. 9) of whole cycles P [S,t,h,w]: pairs (P_j, P_{j+d}) and (P_j, P_{j-d}).

    Both directions are smoothed alike; Eq. 8's Lsmo is their mean.
    """
    step = model.config["flow_step"]
    return sum(pair_loss(pairs, model.flow(pairs), lambda1, lambda2)
               for pairs in (frame_pairs(p, step), frame_pairs(p, -step)))


def score_loss(logits, scores):
    """Cross-entropy (Eq. 20), mean over segments: logits [S,16,4], scores int64 [S,16], 1..4; 0 is not scored."""
    return F.cross_entropy(logits.flatten(0, 1), scores.flatten() - 1, ignore_index=-1)
