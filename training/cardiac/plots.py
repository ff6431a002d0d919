"""Figures as SVG, written by hand: confusion matrix, curves. PNG beside them where rsvg-convert is."""
from html import escape
import shutil
import subprocess

import numpy as np

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
FONT = 'font-family="Inter, DejaVu Sans, sans-serif"'


def text(x, y, content, size=13, anchor="middle", colour="#222", extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" {FONT} '
            f'{extra}>{escape(str(content))}</text>')


def document(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}">\n<rect width="100%" height="100%" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def save(path, width, height, parts):
    """Write PATH.svg, and PATH.png where a converter is installed."""
    with open(path + ".svg", "w", encoding="utf-8") as file:
        file.write(document(width, height, parts))
    if shutil.which("rsvg-convert"):
        subprocess.run(["rsvg-convert", "-z", "2", "-o", path + ".png", path + ".svg"], check=True)


def confusion_figure(path, counts, labels, title):
    """Recall confusion matrix: each row in per cent of its label, as in the paper's Fig. 3."""
    counts = np.asarray(counts)
    cell, left, top = 96, 132, 64
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    width, height = left + cell * len(labels) + 24, top + cell * len(labels) + 60
    parts = [text(width / 2, 26, title, 15, extra='font-weight="600"')]
    for k, label in enumerate(labels):
        parts.append(text(left - 10, top + cell * (k + 0.5) + 4, label, 13, "end"))
        parts.append(text(left + cell * (k + 0.5), top + cell * len(labels) + 20, label))
        for j in range(len(labels)):
            s, x, y = share[k, j], left + cell * j, top + cell * k
            shade = [round(255 - s * (255 - c)) for c in (8, 81, 156)]
            ink = "white" if s > 0.5 else "#222"
            parts.append(f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="rgb({shade[0]},{shade[1]},'
                         f'{shade[2]})" stroke="white" stroke-width="2"/>')
            parts.append(text(x + cell / 2, y + cell / 2, f"{100 * s:.2f} %", 16, colour=ink))
            parts.append(text(x + cell / 2, y + cell / 2 + 20, int(counts[k, j]), 12, colour=ink))
    parts.append(text(left + cell * len(labels) / 2, height - 12, "graded as"))
    parts.append(text(22, top + cell * len(labels) / 2, "label", extra=f'transform="rotate(-90 22 '
                      f'{top + cell * len(labels) / 2:.0f})"'))
    save(path, width, height, parts)


class Axes:
    """A plot of one rectangle of data."""

    def __init__(self, title, x_label, y_label, x_range, y_range, size=(420, 380)):
        self.width, self.height = size
        self.left, self.right, self.top, self.bottom = 62, 18, 40, 52
        self.x_range, self.y_range, self.parts, self.names = x_range, y_range, [], []
        self.parts.append(text(self.width / 2, 24, title, 15, extra='font-weight="600"'))
        self.parts.append(text((self.left + self.width - self.right) / 2, self.height - 10, x_label))
        middle = (self.top + self.height - self.bottom) / 2
        self.parts.append(text(16, middle, y_label, extra=f'transform="rotate(-90 16 {middle:.0f})"'))
        self._grid()

    def place(self, x, y):
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        return (self.left + (np.asarray(x, float) - x0) / (x1 - x0) * (self.width - self.left - self.right),
                self.height - self.bottom - (np.asarray(y, float) - y0) / (y1 - y0)
                * (self.height - self.top - self.bottom))

    def _grid(self):
        for which, (low, high) in enumerate((self.x_range, self.y_range)):
            step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if (high - low) / s <= 6)
            for value in np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0:
                ends = ([value] * 2, self.y_range) if which == 0 else (self.x_range, [value] * 2)
                self.line(*ends, colour="#e3e3e3", width=1)
                x, y = self.place(value, self.y_range[0]) if which == 0 else self.place(self.x_range[0], value)
                self.parts.append(text(x, y + 17, f"{value:g}", 11) if which == 0
                                  else text(x - 7, y + 4, f"{value:g}", 11, "end"))

    def line(self, x, y, colour=COLOURS[0], width=2, dash="", name=None, dots=False):
        """A line through points; `name` puts it into the legend."""
        px, py = self.place(x, y)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(px, py) if np.isfinite(a) and np.isfinite(b))
        self.parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" '
                          f'stroke-dasharray="{dash}"/>')
        if dots:
            self.parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>'
                           for a, b in zip(px, py) if np.isfinite(a) and np.isfinite(b)]
        if name:
            self.names.append((name, colour))

    def save(self, path, legend="bottom"):
        """Legend in the lower or upper right corner, then the file."""
        y = self.height - self.bottom - 10 - 17 * (len(self.names) - 1) if legend == "bottom" else self.top + 18
        for name, colour in self.names:
            self.parts.append(text(self.width - self.right - 8, y, name, 12, "end", colour))
            y += 17
        save(path, self.width, self.height, self.parts)


def roc_figure(path, curves, title):
    """curves: [(name, false positive rate, true positive rate)]."""
    axes = Axes(title, "1 - specificity", "sensitivity", (0, 1), (0, 1))
    axes.line([0, 1], [0, 1], "#999", 1, "4 4")
    for (name, x, y), colour in zip(curves, COLOURS):
        axes.line(x, y, colour, name=name)
    axes.save(path)


def calibration_figure(path, mean, share, title, name):
    """Reliability: share of right answers against confidence."""
    axes = Axes(title, "confidence", "share right", (0, 1), (0, 1))
    axes.line([0, 1], [0, 1], "#999", 1, "4 4")
    axes.line(mean, share, name=name, dots=True)
    axes.save(path)


def curve_figure(path, curves, thresholds, title):
    """Per-frame regression of instances, as in the paper's Fig. 4. curves: [(name, values)]."""
    values = np.concatenate([np.asarray(v, float) for _, v in curves])
    low, high = min(-0.2, values.min() - 0.1), max(2.2, values.max() + 0.1)
    axes = Axes(title, "frame", "regression", (0, max(len(v) for _, v in curves) - 1), (low, high), (520, 340))
    for border in thresholds:
        axes.line(axes.x_range, [border] * 2, "#999", 1, "4 4")
    for (name, v), colour in zip(curves, COLOURS):
        axes.line(range(len(v)), v, colour, name=name, dots=True)
    axes.save(path, "top")
