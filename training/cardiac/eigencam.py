"""EigenCAM (Muhammad & Yeasin 2020) on patch features."""
import torch

UNDEFINED_GAP = 0.01  # relative distance of the two largest singular values


def eigencam(p, mixed):
    """First principal component of the patches of each frame.

    p [T,N,E] patch features, mixed [T,N] the head's mixed activation -> [T,√N,√N].

    p[t] is centred over the N patches and projected on its first right singular vector. The
    sign makes Σ_n (cam - mean cam)·(mixed - mean mixed) >= 0. Frames where σ1 - σ2 < 0.01·σ1
    are NaN: there the vector is any of a plane.
    """
    centred = p - p.mean(1, keepdim=True)
    u, sigma, _ = torch.linalg.svd(centred, full_matrices=False)
    cam = u[..., 0] * sigma[..., :1]                       # = centred · v1, [T,N]
    agreement = ((cam - cam.mean(1, keepdim=True)) * (mixed - mixed.mean(1, keepdim=True))).sum(1)
    cam = torch.where(agreement[:, None] < 0, -cam, cam)
    undefined = sigma[:, 0] - sigma[:, 1] < UNDEFINED_GAP * sigma[:, 0]
    cam[undefined | (sigma[:, 0] == 0)] = float("nan")
    side = round(p.shape[1] ** 0.5)
    return cam.reshape(-1, side, side)
