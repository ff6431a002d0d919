"""Figures of an evaluation as SVG, without any plotting library."""
import html

INK, GREY, BLUE, RED = "#222", "#999", "#2166ac", "#b2182b"


class Axes:
    """A square plot with ticks; data run from `low` to `high` on either axis."""

    def __init__(self, title, x_name, y_name, x_range, y_range, side=360):
        self.side, self.left, self.top = side, 62, 40
        self.x_range, self.y_range = x_range, y_range
        self.parts = [f'<text x="{self.left + side / 2}" y="22" text-anchor="middle" font-size="15">'
                      f'{_text(title)}</text>',
                      f'<rect x="{self.left}" y="{self.top}" width="{side}" height="{side}" fill="none" '
                      f'stroke="{INK}"/>']
        self._ticks(x_name, y_name)

    def x(self, value):
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * self.side

    def y(self, value):
        low, high = self.y_range
        return self.top + self.side - (value - low) / (high - low) * self.side

    def _ticks(self, x_name, y_name):
        bottom = self.top + self.side
        for i in range(5):
            for (low, high), horizontal in ((self.x_range, True), (self.y_range, False)):
                value = low + (high - low) * i / 4
                if horizontal:
                    self.parts.append(f'<text x="{self.x(value):.1f}" y="{bottom + 18}" text-anchor="middle" '
                                      f'font-size="12">{value:.2f}</text>')
                else:
                    self.parts.append(f'<text x="{self.left - 6}" y="{self.y(value) + 4:.1f}" text-anchor="end" '
                                      f'font-size="12">{value:.2f}</text>')
        middle = self.top + self.side / 2
        self.parts.append(f'<text x="{self.left + self.side / 2}" y="{bottom + 38}" text-anchor="middle" '
                          f'font-size="13">{_text(x_name)}</text>')
        self.parts.append(f'<text transform="translate(16 {middle}) rotate(-90)" text-anchor="middle" '
                          f'font-size="13">{_text(y_name)}</text>')

    def line(self, x0, y0, x1, y1, colour=GREY, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<line x1="{self.x(x0):.1f}" y1="{self.y(y0):.1f}" x2="{self.x(x1):.1f}" '
                          f'y2="{self.y(y1):.1f}" stroke="{colour}"{dashes}/>')

    def level(self, y, name, colour=GREY, dash=""):
        self.line(self.x_range[0], y, self.x_range[1], y, colour, dash)
        self.parts.append(f'<text x="{self.left + self.side - 4}" y="{self.y(y) - 4:.1f}" text-anchor="end" '
                          f'font-size="11" fill="{colour}">{_text(name)}</text>')

    def points(self, xs, ys, colour=BLUE):
        self.parts += [f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3.5" fill="{colour}" '
                       f'fill-opacity="0.55"/>' for x, y in zip(xs, ys)]

    def note(self, text):
        self.parts.append(f'<text x="{self.left + 8}" y="{self.top + 18}" font-size="13">{_text(text)}</text>')

    def size(self):
        return self.left + self.side + 20, self.top + self.side + 52


def _text(text):
    return html.escape(str(text))


def write(path, width, height, parts):
    body = "\n".join(parts)
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                  f'viewBox="0 0 {width} {height}" font-family="Inter, sans-serif" fill="{INK}">\n'
                  f'<rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n')


def _spread(xs):
    """The same points moved apart a little where several lie on one another."""
    seen = {}
    for x in xs:
        key = round(float(x[0]), 3), round(float(x[1]), 3)
        n = seen[key] = seen.get(key, -1) + 1
        yield x[0] + 0.008 * ((n + 1) // 2) * (-1) ** n, x[1]


def scatter(path, true, told, rho):
    axes = Axes("Motion score index", "truth", "network", (1, 4), (1, 4))
    axes.line(1, 1, 4, 4, GREY, "4 4")
    axes.points(*zip(*_spread(list(zip(true, told)))))
    axes.note(f"n = {len(true)}, ρ = {rho:.3f}")
    write(path, *axes.size(), axes.parts)


def bland_altman(path, true, told, bias, limits):
    reach = max(0.2, 1.15 * max(abs(t - p) for t, p in zip(told, true)), 1.15 * max(abs(x) for x in limits))
    axes = Axes("Bland-Altman", "mean of truth and network", "network - truth", (1, 4), (-reach, reach))
    axes.level(bias, f"bias {bias:+.3f}", RED)
    for limit in limits:
        axes.level(limit, f"{limit:+.3f}", RED, "5 4")
    axes.points(*zip(*_spread([((t + p) / 2, p - t) for t, p in zip(true, told)])))
    write(path, *axes.size(), axes.parts)


def confusion(path, counts, names):
    cell, left, top = 82, 130, 74
    parts = [f'<text x="{left + 2 * cell}" y="24" text-anchor="middle" font-size="15">Segments: truth (rows), network '
             f'(columns)</text>']
    for i, row in enumerate(counts):
        total = max(1, sum(row))
        parts.append(f'<text x="{left - 8}" y="{top + (i + 0.55) * cell}" text-anchor="end" font-size="13">'
                     f'{_text(names[i])}</text>')
        parts.append(f'<text x="{left + (i + 0.5) * cell}" y="{top - 10}" text-anchor="middle" font-size="13">'
                     f'{_text(names[i])}</text>')
        for j, count in enumerate(row):
            share = count / total
            x, y = left + j * cell, top + i * cell
            parts.append(f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{BLUE}" '
                         f'fill-opacity="{0.04 + 0.7 * share:.3f}" stroke="white"/>')
            parts.append(f'<text x="{x + cell / 2}" y="{y + cell / 2}" text-anchor="middle" font-size="16">{count}'
                         f'</text>')
            parts.append(f'<text x="{x + cell / 2}" y="{y + cell / 2 + 20}" text-anchor="middle" font-size="12">'
                         f'{100 * share:.0f} %</text>')
    write(path, left + 4 * cell + 20, top + 4 * cell + 20, parts)
