"""A progress bar with the remaining time and running means of figures."""
import sys
import time


class Progress:
    """On a terminal one line that changes; elsewhere a line every half minute."""

    def __init__(self, shown, unit="clips"):
        self.shown, self.unit, self.means, self.last, self.stage = shown, unit, {}, 0.0, None
        self.terminal = sys.stderr.isatty()

    def show(self, stage, progress, seconds, instances, figures):
        """progress 0..1 of `stage` after `seconds`; figures {name: number} are averaged over ~50 steps."""
        if stage != self.stage:
            self.means, self.stage = {}, stage
        for name, value in figures.items():
            self.means[name] = value if name not in self.means else 0.98 * self.means[name] + 0.02 * value
        now = time.monotonic()
        if not self.shown or now - self.last < (0.5 if self.terminal else 30):
            return
        self.last = now
        left = int(seconds * (1 - progress) / progress) if progress > 0 else 0
        full = int(20 * min(progress, 1))
        text = (f"{stage} [{'#' * full}{'.' * (20 - full)}] {100 * progress:.1f} % "
                f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02} left, "
                f"{instances / max(seconds, 1e-9):.1f} {self.unit}/s  "
                + " ".join(f"{name} {value:.4g}" for name, value in self.means.items()))
        sys.stderr.write(f"\r\x1b[K{text}" if self.terminal else text + "\n")
        sys.stderr.flush()

    def line(self, text):
        """A line that stays."""
        if self.shown:
            sys.stderr.write(("\r\x1b[K" if self.terminal else "") + text + "\n")
            sys.stderr.flush()
