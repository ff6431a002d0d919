"""Training samples: phantoms from seeds, or videos from a manifest.

A sample is a dictionary: clips uint8 [I,T,S,S,3], grade, grades [I] (of each instance, phantoms
only), number (its seed or row), and with masks jet, atrium uint8 [I,T,cells,cells], area [I,T].
"""
import queue
import threading

import numpy as np
import torch

from .phantom import INSTANCES, SCREEN_HEIGHT, SCREEN_WIDTH, EchoPhantom, EchoView, draw
from .seeds import fixed_list, read_seeds, train_seed


def jittered(view, rng, scale, shift):
    """The view, its side times U(1-scale, 1+scale), moved by up to `shift` of its side."""
    side = view.width * rng.uniform(1 - scale, 1 + scale)
    x = view.x + view.width / 2 + rng.uniform(-shift, shift) * view.width
    y = view.y + view.height / 2 + rng.uniform(-shift, shift) * view.height
    return EchoView(x - side / 2, y - side / 2, side, side)


def whole_screen():
    """The square that holds the whole screen; black above and below."""
    return EchoView(0, (SCREEN_HEIGHT - SCREEN_WIDTH) / 2, SCREEN_WIDTH, SCREEN_WIDTH)


class PhantomSource:
    """Recordings drawn by seed.

    instances 3: the whole recording; 1: one of its instances, the worst with probability `worst`.
    grades: natural (the paper's proportions) or balanced. region: roi or screen.
    """

    def __init__(self, side, frames, instances=3, cells=0, grades="natural", region="roi", jitter=(0.0, 0.0),
                 worst=0.7, seeds=None):
        self.side, self.frames, self.instances, self.cells = side, frames, instances, cells
        self.grades, self.region, self.jitter, self.worst = grades, region, jitter, worst
        self.seeds = seeds or read_seeds()

    def train(self, index):
        """Training sample `index`: the same whenever and wherever it is drawn."""
        grade = index % 3 if self.grades == "balanced" else -1
        return self.sample(train_seed(index, self.seeds), grade)

    def fixed(self, split, first=0, step=1, limit=None):
        """Samples of validation or test, every step-th from `first`."""
        for seed, grade in fixed_list(split, self.seeds)[:limit][first::step]:
            yield self.sample(seed, grade)

    def sample(self, seed, grade):
        """One sample; seeds decide everything, also the jitter."""
        rng = np.random.default_rng(seed)
        with EchoPhantom(draw(seed, grade)) as phantom:
            truths = [phantom.instance_truth(k) for k in range(INSTANCES)]
            chosen = range(INSTANCES)
            if self.instances == 1:
                worst = int(np.argmax([t.severity for t in truths]))
                chosen = [worst if rng.random() < self.worst else int(rng.integers(INSTANCES))]
            view = phantom.square() if self.region == "roi" else whole_screen()
            if any(self.jitter):
                view = jittered(view, rng, *self.jitter)
            parts = [phantom.instance(k, self.frames, view, self.side, self.cells) for k in chosen]
        sample = {"clips": np.stack([part[0] for part in parts]), "number": seed,
                  "grade": max(t.grade for t in truths), "grades": np.array([truths[k].grade for k in chosen]),
                  "severity": np.array([truths[k].severity for k in chosen])}
        if self.cells:
            for i, name in enumerate(("jet", "atrium", "area")):
                sample[name] = np.stack([part[i + 1] for part in parts])
        return sample


class Replay:
    """Uses every rendered sample `reuse` times: one position in `reuse` shows a new sample, the
    others show one of the last `memory` again. What a position shows depends on its number alone, so
    a resumed run sees the same; what it has lost it renders again."""

    def __init__(self, train, reuse, memory):
        """train(i) -> sample i."""
        self.train, self.reuse, self.memory, self.kept = train, reuse, memory, {}

    def at(self, position):
        """The sample at a position of the stream."""
        newest = position // self.reuse
        index = newest
        if position % self.reuse:
            index -= int(np.random.default_rng(position).integers(min(newest + 1, self.memory)))
        if index not in self.kept:
            self.kept[index] = self.train(index)
            self.kept.pop(newest - self.memory, None)
        return self.kept[index]


def collate(samples, device="cpu"):
    """Samples -> tensors with a leading B; masks become shares."""
    batch = {}
    for name in samples[0]:
        values = [sample[name] for sample in samples]
        tensors = isinstance(values[0], torch.Tensor)
        x = (torch.stack(values) if tensors else torch.as_tensor(np.stack([np.asarray(v) for v in values]))).to(device)
        batch[name] = x.float() / 255 if name in ("jet", "atrium") else x
    return batch


def normalise(clips, config):
    """uint8 [...,S,S,3] -> float [...,3,S,S]."""
    mean = torch.tensor(config["image_mean"], device=clips.device)
    std = torch.tensor(config["image_std"], device=clips.device)
    return ((clips.float() - mean * 255) / (std * 255)).movedim(-1, -3)


class Prefetch:
    """Batches in order, made by a background thread; what it raises, the reader raises."""

    def __init__(self, make, first, depth=3):
        """make(step) -> batch."""
        self.queue, self.stopped = queue.Queue(depth), threading.Event()
        self.thread = threading.Thread(target=self._run, args=(make, first), daemon=True)
        self.thread.start()

    def _run(self, make, step):
        while not self.stopped.is_set():
            try:
                item = make(step)
            except Exception as error:  # pylint: disable=broad-except
                item = error
            while not self.stopped.is_set():
                try:
                    self.queue.put(item, timeout=0.2)
                    break
                except queue.Full:
                    pass
            if isinstance(item, Exception):
                return
            step += 1

    def next(self):
        """The next batch."""
        item = self.queue.get()
        if isinstance(item, Exception):
            raise item
        return item

    def close(self):
        """Stop the thread."""
        self.stopped.set()
        self.thread.join()
