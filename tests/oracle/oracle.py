"""Common ground of the oracle's tests: paths, and exit 77 where torch is absent."""
import os
import sys
import tempfile
import unittest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
TRAINING = os.path.join(ROOT, "training")
GOLDEN = os.path.join(ROOT, "tests", "golden")
DATA = os.environ.get("GST_CARDIAC_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
SKIP = 77

sys.path.insert(0, TRAINING)
try:
    import numpy  # noqa: F401
    import torch
    torch.set_num_threads(1)
    torch.manual_seed(1)  # a test that fails does so again
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(SKIP)


class DirectoryTest(unittest.TestCase):
    """A test with a temporary directory."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.directory = temporary.name

    def path(self, name):
        return os.path.join(self.directory, name)


def main():
    """Run the calling module's tests: exit 0, 1, or 77 when every one of them was skipped."""
    result = unittest.main(exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIP if result.testsRun and len(result.skipped) == result.testsRun else 0)
