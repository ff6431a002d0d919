"""CLIP's byte-pair tokenizer, read from a checkpoint's vocab.json + merges.txt or tokenizer.json."""
import json
import os
import re

PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\w\s]|_)+")
START, END = "<|startoftext|>", "<|endoftext|>"


def byte_letters():
    """A printable letter for each byte, as in GPT-2."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in kept}
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(256 + len(letters) - len(kept))
    return letters


class ClipTokenizer:
    """Text -> token numbers with start and end mark."""

    def __init__(self, directory):
        vocabulary = os.path.join(directory, "vocab.json")
        if os.path.exists(vocabulary):
            with open(vocabulary, encoding="utf-8") as file:
                self.numbers = json.load(file)
            with open(os.path.join(directory, "merges.txt"), encoding="utf-8") as file:
                merges = [line.split() for line in file if line.strip() and not line.startswith("#version")]
        else:
            with open(os.path.join(directory, "tokenizer.json"), encoding="utf-8") as file:
                model = json.load(file)["model"]
            self.numbers = model["vocab"]
            merges = [m.split() if isinstance(m, str) else m for m in model["merges"]]
        self.ranks = {tuple(merge): rank for rank, merge in enumerate(merges)}
        self.letters = byte_letters()

    def merge(self, word):
        """Join the pair of lowest rank until none is known."""
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pairs = list(zip(parts, parts[1:]))
            best = min(pairs, key=lambda pair: self.ranks.get(pair, float("inf")))
            if best not in self.ranks:
                break
            joined, i = [], 0
            while i < len(parts):
                if i + 1 < len(parts) and (parts[i], parts[i + 1]) == best:
                    joined.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    joined.append(parts[i])
                    i += 1
            parts = joined
        return parts

    def __call__(self, text):
        """Token numbers [L] of one prompt."""
        tokens = [START]
        for piece in PIECES.findall(" ".join(text.lower().split())):
            tokens += self.merge("".join(self.letters[byte] for byte in piece.encode("utf-8")))
        return [self.numbers.get(token, self.numbers[END]) for token in [*tokens, END]]
