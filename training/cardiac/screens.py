"""Screens to train a detector on: phantoms of any place and size, and pictures without a heart.

A screen is uint8 RGB [h,w,3]; a box is x1, y1, x2, y2 in its pixels. Everything follows from the
numpy generator that is handed in.
"""
import functools

import numpy as np
import torch
import torch.nn.functional as F

from . import phantom, seeds

ASPECTS = (4 / 3, 4 / 3, 4 / 3, 5 / 4, 16 / 9, 16 / 10, 1.0, 3 / 4)
LEAST_VISIBLE = 0.85       # share of the heart's box that a screen shows, else there is none


def screen_size(rng):
    """(width, height) of a screen: the shapes of scanners, grabbers and clinics' files."""
    aspect, longer = rng.choice(ASPECTS), rng.uniform(260, 660)
    return (int(longer), int(longer / aspect)) if aspect >= 1 else (int(longer * aspect), int(longer))


# ---- noise, the stuff of speckle and backgrounds -------------------------------------------------

def field(rng, height, width, cell):
    """Smooth noise [height,width] of unit deviation, with lumps of `cell` (y, x) pixels."""
    rows, columns = (max(2, int(np.ceil(n / c)) + 1) for n, c in zip((height, width), cell))
    coarse = torch.from_numpy(rng.standard_normal((1, 1, rows, columns), np.float32))
    return F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True)[0, 0].numpy()


def octaves(rng, height, width):
    """Noise of several sizes at once, 0..1."""
    largest = max(height, width) / 2
    total = sum(2.0 ** -k * field(rng, height, width, (largest / 2 ** k,) * 2) for k in range(int(rng.integers(1, 6))))
    total -= total.min()
    return total / max(total.max(), 1e-6)


def speckle(rng, height, width):
    """Brightness 0..1 that looks like tissue: layers and lumps times speckle."""
    lumps = octaves(rng, height, width) ** rng.uniform(0.7, 3)
    if rng.random() < 0.6:                                      # layers along y
        lumps *= 0.3 + 0.7 * octaves(rng, height, 2).mean(1, keepdims=True)
    grain = np.abs(field(rng, height, width, (rng.uniform(1, 3), rng.uniform(1, 6))))
    return np.clip(lumps * (0.3 + grain * rng.uniform(0.2, 0.7)) * rng.uniform(0.3, 1.5), 0, 1)


def as_rgb(grey):
    """Brightness 0..1 [h,w] -> uint8 RGB."""
    return np.repeat((np.clip(grey, 0, 1) * 255).astype(np.uint8)[:, :, None], 3, 2)


# ---- furniture -----------------------------------------------------------------------------------

def paint_text(rng, picture, x, y, size, length):
    """A line of something like letters, up to the picture's edge."""
    glyphs = rng.random((7, 6 * length)) < 0.5
    glyphs[:, 5::6] = False
    glyphs = np.kron(glyphs, np.ones((size, size), bool))
    part = picture[y:y + glyphs.shape[0], x:x + glyphs.shape[1]]
    colour = rng.choice(((255, 255, 255), (200, 200, 200), (255, 220, 80), (90, 200, 255), (120, 255, 120)))
    part[glyphs[:part.shape[0], :part.shape[1]]] = colour


def paint_trace(rng, picture, x, y, width):
    """An ECG."""
    period, height = rng.uniform(25, 90), rng.uniform(8, 30)
    phase = np.arange(width) / period % 1
    value = np.exp(-((phase - 0.3) / 0.02) ** 2) - 0.25 * np.exp(-((phase - 0.34) / 0.02) ** 2)
    value += 0.2 * np.exp(-((phase - 0.6) / 0.06) ** 2)
    colour = rng.choice(((90, 255, 120), (255, 255, 255), (90, 220, 240), (255, 220, 60)))
    for i, v in enumerate((y - height * value).astype(int)):
        if 0 <= v < picture.shape[0] - 1 and 0 <= x + i < picture.shape[1]:
            picture[v:v + 2, x + i] = colour


def paint_bar(rng, picture, x, y):
    """A wedge of grey or colour, as scanners show their maps."""
    width, height = int(rng.integers(5, 20)), int(rng.integers(30, 130))
    part = picture[y:y + height, x:x + width]
    ramp = np.linspace(255, 0, height)[:len(part), None, None]
    if rng.random() < 0.5:
        part[:] = ramp
    else:
        part[:] = np.concatenate([ramp, np.abs(2 * ramp - 255) / 2, 255 - ramp], 2)


def furnish(rng, picture, keep=None):
    """Texts, bars, traces; no text covers the box `keep`."""
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(0, 9))):
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        size, length = int(rng.integers(1, 3)), int(rng.integers(3, 14))
        if keep is not None and keep[0] - 6 * length * size < x < keep[2] and keep[1] - 7 * size < y < keep[3]:
            continue
        paint_text(rng, picture, x, y, size, length)
    for _ in range(int(rng.integers(0, 3))):
        x = int(rng.choice((rng.uniform(0, 0.08), rng.uniform(0.88, 0.98))) * width)
        paint_bar(rng, picture, x, int(rng.uniform(0, 0.6) * height))
    if rng.random() < 0.4:
        bottom = max(keep[3] if keep is not None else 0, 0.82 * height)
        paint_trace(rng, picture, int(rng.uniform(0, 0.3) * width), int(rng.uniform(bottom, height)),
                    int(rng.uniform(0.2, 0.8) * width))


# ---- the heart -----------------------------------------------------------------------------------

def vary(rng, settings):
    """More than a recording varies: other depths and gains, mostly grey pictures."""
    settings.colour = bool(rng.random() < 0.6)
    settings.grey_gain = rng.uniform(0.5, 1.5)
    settings.grey_noise = rng.uniform(0, 1) ** 2
    settings.depth_gain = rng.uniform(0, 1) ** 1.5
    settings.layout = int(rng.integers(0, 3))


def place_view(rng, roi, screen):
    """A view (x, y, w, h) of the phantom's screen that shows `roi` (x, y, w, h) somewhere on `screen`."""
    width, height = screen
    share = rng.uniform(0.28, 0.92)                             # of the screen, in its tighter direction
    scale = share * min(width / roi[2], height / roi[3])        # pixels of screen in one of the phantom
    stretch = np.exp(rng.uniform(-0.07, 0.07))
    across, along = width / (scale * stretch), height / (scale / stretch)

    def begin(room, at, size, natural):
        """Mostly as the scanner places it, else anywhere; a little may lie outside."""
        slack = room - size
        where = rng.uniform(-0.08, 1.08) if rng.random() < 0.6 else natural
        return at - np.clip(where * slack, -0.1 * size, slack + 0.1 * size)

    return (begin(across, roi[0], roi[2], 0.5), begin(along, roi[1], roi[3], 0.4), across, along)


def visible_box(box, width, height):
    """The part of a box on the screen, or None where too little of it is to be seen."""
    x1, y1, x2, y2 = box
    clipped = np.array([max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)], np.float32)
    size = np.maximum(clipped[2:] - clipped[:2], 0)
    return clipped if size.prod() >= LEAST_VISIBLE * (x2 - x1) * (y2 - y1) else None


@functools.lru_cache(maxsize=1)
def train_split():
    return seeds.read_seeds()["splits"]["train"]


def train_seed(rng):
    """The seed of a recording that is there to train on."""
    return train_split()["first"] + int(rng.integers(train_split()["count"]))


def chambers(echo):
    """The rectangle (x, y, w, h) that covers all chambers, in pixels of the phantom's screen."""
    roi = echo.roi()
    return roi.x, roi.y, roi.width, roi.height


def place_heart(rng, roi):
    """(view, width, height, box) of a screen of any size with the heart anywhere on it."""
    while True:
        width, height = screen_size(rng)
        view = place_view(rng, roi, (width, height))
        sx, sy = width / view[2], height / view[3]
        box = visible_box(((roi[0] - view[0]) * sx, (roi[1] - view[1]) * sy,
                           (roi[0] + roi[2] - view[0]) * sx, (roi[1] + roi[3] - view[1]) * sy), width, height)
        if box is not None:
            return phantom.EchoView(*view), width, height, box


class Heart:
    """A phantom somewhere on a screen of any size; `whole`: on the scanner's screen, as it was drawn."""

    def __init__(self, rng, seed, whole=False):
        settings = phantom.draw(seed)
        if not whole:
            vary(rng, settings)
        self.echo = phantom.EchoPhantom(settings)
        if whole:
            x, y, w, h = chambers(self.echo)
            self.view, self.width, self.height = None, phantom.SCREEN_WIDTH, phantom.SCREEN_HEIGHT
            self.box = np.array([x, y, x + w, y + h], np.float32)
        else:
            self.view, self.width, self.height, self.box = place_heart(rng, chambers(self.echo))

    def picture(self, rng):
        """(picture, boxes [1,4]) at a moment, with furniture, by chance."""
        time = rng.uniform(0, self.echo.settings.duration)
        picture = self.echo.screen(time, self.view, self.width, self.height)
        if rng.random() < 0.5:
            furnish(rng, picture, self.box)
        return picture, self.box[None]


def heart_screen(rng, seed):
    """(picture, boxes [1,4]) of a phantom somewhere on a screen of any size."""
    return Heart(rng, seed).picture(rng)


def plain_screen(seed):
    """(picture, boxes [1,4]): the phantom's whole screen, untouched, for evaluation."""
    rng = np.random.default_rng(seed)
    heart = Heart(rng, seed, whole=True)
    return heart.echo.screen(rng.uniform(0, heart.echo.settings.duration)), heart.box[None]


# ---- no heart ------------------------------------------------------------------------------------

def flat(rng, width, height):
    """One colour, or a ramp."""
    ends = rng.uniform(0, 255, (2, 3)) * (rng.random() < 0.6)
    ramp = np.linspace(0, 1, width)[None, :, None] if rng.random() < 0.5 else np.linspace(0, 1, height)[:, None, None]
    return np.broadcast_to(ends[0] + (ends[1] - ends[0]) * ramp, (height, width, 3)).astype(np.uint8)


def noise(rng, width, height):
    """Snow, or clouds, grey or coloured."""
    if rng.random() < 0.5:
        return rng.integers(0, 256, (height, width, rng.choice((1, 3))), np.uint8).repeat(3, 2)[:, :, :3]
    channels = [octaves(rng, height, width) for _ in range(3)]
    if rng.random() < 0.5:
        channels = channels[:1] * 3
    return (np.stack(channels, 2) * 255).astype(np.uint8)


def bars(rng, width, height):
    """Test cards: stripes, checks, rings."""
    y, x = np.mgrid[:height, :width]
    kind, period = rng.integers(0, 4), rng.uniform(0.04, 0.4) * width
    if kind == 3:
        centre = rng.uniform(0, width), rng.uniform(0, height)
        index = np.hypot(x - centre[0], y - centre[1]) / period
    else:
        index = (x // period, y // period, x // period + y // period)[kind]
    palette = rng.integers(0, 256, (9, 3), np.uint8)
    return palette[index.astype(int) % 9]


def shapes(rng, width, height):
    """Discs and rectangles before clouds: windows, photographs, desktops."""
    picture = noise(rng, width, height)
    y, x = np.mgrid[:height, :width]
    for _ in range(int(rng.integers(2, 12))):
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        rx, ry = rng.uniform(0.03, 0.35, 2) * min(width, height)
        dx, dy = np.abs(x - cx) / rx, np.abs(y - cy) / ry
        inside = dx ** 2 + dy ** 2 < 1 if rng.random() < 0.5 else np.maximum(dx, dy) < 1
        picture[inside] = rng.integers(0, 256, 3)
    return picture


def seen_from(apex, width, height):
    """(distance, angle) of all pixels from an apex (x, y); angles from straight down."""
    y, x = np.mgrid[:height, :width]
    return np.hypot(x - apex[0], y - apex[1]), np.arctan2(x - apex[0], y - apex[1])


def scanned(rng, width, height, radius, angle, depth, apex, texture):
    """A sector with the given texture [R,A] by distance and angle on black."""
    r, a = seen_from(apex, width, height)
    inside = (r < depth) & (r > radius) & (np.abs(a) < angle)
    rows, columns = texture.shape
    i = np.clip(r / depth * rows, 0, rows - 1).astype(int)
    j = np.clip((a / angle + 1) / 2 * columns, 0, columns - 1).astype(int)
    return np.where(inside, texture[i, j], 0)


def empty_sector(rng, width, height):
    """A sector scan of tissue without chambers, now and then with a cyst or a shadow."""
    rows, columns = int(rng.integers(100, 260)), int(rng.integers(60, 200))
    texture = speckle(rng, rows, columns)
    i, j = np.mgrid[:rows, :columns]
    for _ in range(int(rng.integers(0, 3))):
        ci, cj = rng.uniform(0.1, 1) * rows, rng.uniform(0, 1) * columns
        dark, (ri, rj) = rng.uniform(0.5, 1), rng.uniform(5, 25, 2)
        texture *= 1 - dark * (((i - ci) / ri) ** 2 + ((j - cj) / rj) ** 2 < 1)
    if rng.random() < 0.3:
        begin = int(rng.integers(0, columns))
        texture[:, begin:begin + int(rng.integers(3, 30))] *= rng.uniform(0, 0.5)
    depth = rng.uniform(0.6, 1.0) * height
    apex = rng.uniform(0.3, 0.7) * width, rng.uniform(-0.05, 0.15) * height
    return as_rgb(scanned(rng, width, height, rng.choice((0, rng.uniform(0, 0.3))) * depth,
                          rng.uniform(0.3, 0.85), depth, apex, texture))


def dark_chambers(rng, texture):
    """One to three elongated cavities with bright rims in tissue [R,A]: the heart from another window, a vessel."""
    rows, columns = texture.shape
    i, j = np.mgrid[:rows, :columns]
    for _ in range(int(rng.integers(1, 4))):
        ci, cj, turn = rng.uniform(0.25, 0.95) * rows, rng.uniform(0.1, 0.9) * columns, rng.uniform(0, np.pi)
        along, across = rng.uniform(0.12, 0.4) * rows, rng.uniform(0.06, 0.2) * columns
        di, dj = i - ci, (j - cj) * rows / columns
        distance = np.hypot((di * np.cos(turn) + dj * np.sin(turn)) / along,
                            (dj * np.cos(turn) - di * np.sin(turn)) / (across * rows / columns))
        texture = np.where(distance < 1, texture * rng.uniform(0, 0.3), texture)
        texture = np.where(np.abs(distance - 1) < 0.12, np.clip(2 * texture + 0.1, 0, 1), texture)
    return texture


def paint_flow(rng, picture, inside):
    """A colour box on the pixels `inside` [h,w], with its outline by chance: lumps of flow to and from the probe,
    by chance a mosaic."""
    height, width = inside.shape
    lump = rng.uniform(0.03, 0.15) * width
    flows = inside & (field(rng, height, width, (lump, lump)) > rng.uniform(-0.8, 0.8))
    grain = rng.uniform(1.5, 5)
    speed = np.tanh(field(rng, height, width, (lump, lump)) + rng.uniform(-0.7, 0.7)
                    + rng.choice((0, rng.uniform(0.3, 2))) * field(rng, height, width, (grain, grain)))
    strength, bright = np.abs(speed), np.clip(2 * np.abs(speed) - 1, 0, 1)
    low = np.zeros_like(speed)
    towards = np.stack([80 + 175 * strength, 255 * bright, low], 2)
    away = np.stack([low, 255 * bright, 80 + 175 * strength], 2)
    picture[flows] = np.where(speed[:, :, None] > 0, towards, away)[flows].astype(np.uint8)
    if rng.random() < 0.7:
        inner = inside.copy()
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            inner &= np.roll(inside, step, axis)
        picture[inside & ~inner] = rng.choice(((255, 255, 255), (90, 170, 255), (255, 220, 80), (120, 255, 120)))


def other_view(rng, width, height):
    """A sector scan of something else than four chambers, mostly with a colour box: flow alone is no apical view."""
    texture = dark_chambers(rng, speckle(rng, int(rng.integers(100, 260)), int(rng.integers(60, 200))))
    depth, angle = rng.uniform(0.6, 1.0) * height, rng.uniform(0.3, 0.85)
    apex = rng.uniform(0.3, 0.7) * width, rng.uniform(-0.05, 0.15) * height
    picture = as_rgb(scanned(rng, width, height, 0, angle, depth, apex, texture))
    if rng.random() < 0.8:
        r, a = seen_from(apex, width, height)
        near, left = rng.uniform(0.1, 0.5) * depth, rng.uniform(-1, 0.3) * angle
        paint_flow(rng, picture, (r > near) & (r < near + rng.uniform(0.25, 0.6) * depth)
                   & (a > left) & (a < left + rng.uniform(0.4, 1.2) * angle) & (r < depth) & (a < angle))
    return picture


def small_sector(rng, width, height):
    """What scanners show above a scroll: a small sector, with a heart or without."""
    if rng.random() < 0.5:
        return empty_sector(rng, width, height)
    settings = phantom.draw(train_seed(rng))
    vary(rng, settings)
    view = phantom.EchoView(0, 0, phantom.SCREEN_HEIGHT * width / height, phantom.SCREEN_HEIGHT)
    return phantom.EchoPhantom(settings).screen(rng.uniform(0, settings.duration), view, width, height)


def heart_scroll(rng, rows, width):
    """Brightness of one beam through a phantom against time: true M-mode."""
    settings = phantom.draw(train_seed(rng))
    vary(rng, settings)
    settings.colour = False
    echo = phantom.EchoPhantom(settings)
    x, y, w, h = chambers(echo)
    beam = phantom.EchoView(x + w * rng.uniform(0.1, 0.9), y - 0.2 * h, 2, 1.4 * h)
    period = 60 / settings.heart_rate
    beat = np.stack([echo.screen(period * k / 16, beam, 2, rows)[:, 0, 0] for k in range(17)], 1) / 255.0
    place = np.arange(width) / rng.uniform(30, 150) % 1 * 16
    early, share = place.astype(int), place % 1
    return beat[:, early] * (1 - share) + beat[:, np.minimum(early + 1, 16)] * share


def motion_mode(rng, width, height):
    """M-mode or a spectrum: a small sector over a scroll of wavy lines, which may be cut like a sector and
    half written. No region is looked for on such a screen, whatever its sector shows."""
    begin = int(rng.uniform(0.25, 0.55) * height)
    rows = height - begin
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:begin] = small_sector(rng, width, begin)
    beat = np.sin(np.arange(width) * 2 * np.pi / rng.uniform(30, 150) + rng.uniform(0, 6))
    texture = speckle(rng, rows, 8)[:, 4]
    depth = np.arange(rows)[:, None] + beat[None] * field(rng, rows, 1, (rows / 3, 1)) * rng.uniform(0, 12)
    scroll = texture[np.clip(depth, 0, rows - 1).astype(int)] * (0.6 + 0.3 * np.abs(field(rng, rows, width, (2, 2))))
    if rng.random() < 0.6:
        scroll = heart_scroll(rng, rows, width)
    y, x = np.mgrid[:rows, :width]
    if rng.random() < 0.6:                                      # wider with depth, round below
        cut = np.abs(x - width / 2) > width * (rng.uniform(0.2, 0.4) + rng.uniform(0, 0.3) * y / rows)
        scroll[cut | (np.hypot(x - width / 2, y) > rng.uniform(0.9, 1.2) * rows)] = 0
    if rng.random() < 0.4:
        scroll[x > rng.uniform(0.3, 0.9) * width] = 0
    scroll = scroll ** rng.uniform(0.4, 1)
    picture[begin:] = as_rgb(scroll / max(np.quantile(scroll, 0.95), 0.02) * rng.uniform(0.5, 1.3))
    return picture


def linear_scan(rng, width, height):
    """A linear probe's rectangle of layers, now and then with a large cyst: a vessel, an eye."""
    texture = speckle(rng, height, width)
    y, x = np.mgrid[:height, :width]
    for _ in range(int(rng.integers(0, 3))):
        cx, cy = rng.uniform(0.2, 0.8) * width, rng.uniform(0.1, 0.9) * height
        rx, ry = rng.uniform(0.05, 0.35, 2) * min(width, height)
        texture *= 1 - rng.uniform(0.7, 1) * (((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1)
    left, top = rng.uniform(0, 0.3) * width, rng.uniform(0, 0.15) * height
    texture[(x < left) | (x > width - rng.uniform(0, 0.3) * width) | (y < top)] = 0
    return as_rgb(texture)


def lost_heart(rng, width, height):
    """A phantom whose heart is out of view, or whose parts are in no order."""
    settings = phantom.draw(train_seed(rng))
    vary(rng, settings)
    echo, time = phantom.EchoPhantom(settings), rng.uniform(0, settings.duration)
    x, y, w, h = chambers(echo)
    if rng.random() < 0.4:                                      # beside the heart, at most a sixth of it
        side = rng.uniform(0.5, 1) * w
        left = rng.choice((x - side + w * rng.uniform(-0.3, 0.15), x + w * rng.uniform(0.85, 1.2)))
        view = phantom.EchoView(left, y - rng.uniform(0, 60), side, side * height / width)
        return echo.screen(time, view, width, height)
    view = None if rng.random() < 0.5 else phantom.EchoView(x - 20, y - 20, w + 40, h + 40)
    picture = echo.screen(time, view, width, height)
    rows, columns = int(rng.integers(3, 7)), int(rng.integers(3, 7))
    tile_h, tile_w = height // rows, width // columns
    tiles = [picture[r * tile_h:(r + 1) * tile_h, c * tile_w:(c + 1) * tile_w].copy()
             for r in range(rows) for c in range(columns)]
    for k, source in enumerate(rng.permutation(len(tiles))):
        r, c = divmod(k, columns)
        picture[r * tile_h:(r + 1) * tile_h, c * tile_w:(c + 1) * tile_w] = tiles[source]
    return picture


EMPTY = (flat, noise, bars, shapes, empty_sector, empty_sector, *[motion_mode] * 6, *[other_view] * 6, linear_scan,
         linear_scan, lost_heart, lost_heart, lost_heart)


def empty_screen(rng):
    """(picture, boxes [0,4]) without a heart."""
    width, height = screen_size(rng)
    picture = np.array(EMPTY[rng.integers(len(EMPTY))](rng, width, height))
    if rng.random() < 0.4:
        furnish(rng, picture)
    return picture, np.zeros((0, 4), np.float32)
