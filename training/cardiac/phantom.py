"""The echo phantom (phantoms/echo/echo-phantom.h) by ctypes: recordings with known truth, from a seed.

Drawing releases Python's lock, so a thread can render while another trains. One EchoPhantom is for
one thread at a time.
"""
import ctypes
from ctypes import POINTER, Structure, byref, c_bool, c_double, c_float, c_int, c_ssize_t, c_uint64, c_uint8, c_void_p
import os

import numpy as np

SCREEN_WIDTH, SCREEN_HEIGHT = 640, 480
INSTANCES = 3
ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
LIBRARY = os.path.join("build", "phantoms", "libcardiac-phantoms.so")


class PhantomError(RuntimeError):
    """The phantom library is absent or of another version."""


def _doubles(*names):
    return [(name, c_double) for name in names]


class EchoJet(Structure):
    """A regurgitant jet at its largest; fields as in the header."""
    _fields_ = [*_doubles("area", "aspect"), ("wall", c_int),
                *_doubles("direction", "orifice", "onset", "duration")]


class EchoSettings(Structure):
    """Everything that a recording depends on; fields as in the header."""
    _fields_ = [
        ("seed", c_uint64),
        *_doubles("duration", "clip", "frame_rate", "heart_rate", "phase", "systole", "heart_x", "heart_y", "tilt",
                  "scale", "lv_length", "lv_width", "la_length", "la_width", "rv_width", "ra_width", "ra_length",
                  "wall", "shortening", "excursion"),
        ("jets", c_int), ("jet", EchoJet * 2), ("beat", c_double * 16),
        *_doubles("inflow", "inflow_a", "outflow", "pulmonary_vein", "swirl", "tricuspid_jet", "depth", "sector",
                  "nyquist", "colour_gain", "colour_noise", "grey_gain", "grey_noise", "depth_gain"),
        ("variance", c_bool),
        *_doubles("box_left", "box_right", "box_top", "box_bottom"),
        ("layout", c_int), ("colour", c_bool),
    ]


class EchoTruth(Structure):
    """What is true of a stretch of time; fields as in the header."""
    _fields_ = [("beat", c_int), *_doubles("area", "duration"), ("eccentric", c_bool), ("severity", c_double),
                ("grade", c_int)]


class EchoView(Structure):
    """A part of the screen, pixels of 640 × 480."""
    _fields_ = _doubles("x", "y", "width", "height")


_u8 = POINTER(c_uint8)
_SIGNATURES = {
    "echo_settings_default": (None, POINTER(EchoSettings)),
    "echo_settings_draw": (None, POINTER(EchoSettings), c_uint64, c_int),
    "echo_settings_clamp": (c_bool, POINTER(EchoSettings)),
    "echo_truth": (EchoTruth, POINTER(EchoSettings), c_double, c_double),
    "echo_instance_begin": (c_double, POINTER(EchoSettings), c_int),
    "echo_recording_truth": (EchoTruth, POINTER(EchoSettings)),
    "echo_phantom_new": (c_void_p, POINTER(EchoSettings)),
    "echo_phantom_free": (None, POINTER(c_void_p)),
    "echo_phantom_roi": (EchoView, c_void_p),
    "echo_phantom_square": (EchoView, c_void_p),
    "echo_phantom_render": (None, c_void_p, c_double, EchoView, c_int, c_int, _u8, c_ssize_t),
    "echo_phantom_masks": (c_double, c_void_p, c_double, EchoView, c_int, c_int, _u8, _u8),
    "echo_instance_times": (None, POINTER(EchoSettings), c_int, c_int, POINTER(c_double)),
    "echo_phantom_instance": (None, c_void_p, c_int, c_int, EchoView, c_int, _u8, c_int, _u8, _u8, POINTER(c_float)),
}
_library = None


def library():
    """The loaded library: $CARDIAC_PHANTOMS, else the build tree's; raises PhantomError."""
    global _library
    if _library is None:
        path = os.environ.get("CARDIAC_PHANTOMS", os.path.join(ROOT, LIBRARY))
        try:
            loaded = ctypes.CDLL(path)
            for name, (result, *arguments) in _SIGNATURES.items():
                function = getattr(loaded, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise PhantomError(f"the phantom library cannot be used ({error}); build the project "
                               "(meson setup build && ninja -C build) or set CARDIAC_PHANTOMS to the file") from None
        _check_layout(loaded)
        _library = loaded
    return _library


def _check_layout(loaded):
    """A draw's fields lie in their ranges only where both sides mean the same bytes."""
    settings = EchoSettings()
    loaded.echo_settings_draw(byref(settings), 1, 2)
    if not (settings.layout in range(3) and 1 <= settings.jets <= 2 and 40 <= settings.heart_rate <= 160
            and 0.5 <= settings.clip <= settings.duration and loaded.echo_settings_clamp(byref(settings))):
        raise PhantomError("the phantom library has other settings than training/cardiac/phantom.py; rebuild it")


def draw(seed, grade=-1):
    """Settings of a recording by chance; grade 0, 1, 2, or -1 in the paper's proportions."""
    settings = EchoSettings()
    library().echo_settings_draw(byref(settings), seed, grade)
    return settings


def _bytes(array):
    return array.ctypes.data_as(_u8)


class EchoPhantom:
    """One recording, ready to draw."""

    def __init__(self, settings):
        self.settings = settings
        self._handle = c_void_p(library().echo_phantom_new(byref(settings)))
        if not self._handle:
            raise MemoryError("no memory for a phantom")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Free the tables."""
        if self._handle:
            library().echo_phantom_free(byref(self._handle))

    __del__ = close

    def truth(self):
        """EchoTruth of the recording: of the worst of its three instances."""
        return library().echo_recording_truth(byref(self.settings))

    def instance_truth(self, k):
        """EchoTruth of instance k."""
        begin = library().echo_instance_begin(byref(self.settings), k)
        return library().echo_truth(byref(self.settings), begin, begin + self.settings.clip)

    def square(self):
        """The EchoView that grading cuts out."""
        return library().echo_phantom_square(self._handle)

    def roi(self):
        """The EchoView that covers all chambers."""
        return library().echo_phantom_roi(self._handle)

    def screen(self, time, view=None, width=SCREEN_WIDTH, height=SCREEN_HEIGHT):
        """uint8 RGB [height,width,3] at `time` s; the whole screen unless `view` says less."""
        view = view or EchoView(0, 0, SCREEN_WIDTH, SCREEN_HEIGHT)
        rgb = np.empty((height, width, 3), np.uint8)
        library().echo_phantom_render(self._handle, time, view, width, height, _bytes(rgb), width * 3)
        return rgb

    def masks(self, time, view, width, height):
        """(jet, atrium uint8 [height,width] covered share of 255, jets' area / atrium) at `time` s."""
        jet, atrium = np.empty((2, height, width), np.uint8)
        area = library().echo_phantom_masks(self._handle, time, view, width, height, _bytes(jet), _bytes(atrium))
        return jet, atrium, area

    def times(self, k, frames):
        """The `frames` times of instance k, s."""
        times = np.empty(frames)
        library().echo_instance_times(byref(self.settings), k, frames, times.ctypes.data_as(POINTER(c_double)))
        return times

    def instance(self, k, frames, view, side, cells=0):
        """Pictures [frames,side,side,3] of instance k; with `cells` also jet and atrium masks
        [frames,cells,cells] (share of 255) and the jets' area ratio [frames], else None."""
        rgb = np.empty((frames, side, side, 3), np.uint8)
        jet = atrium = area = None
        if cells:
            jet, atrium = np.empty((2, frames, cells, cells), np.uint8)
            area = np.empty(frames, np.float32)
        library().echo_phantom_instance(
            self._handle, k, frames, view, side, _bytes(rgb), cells, _bytes(jet) if cells else None,
            _bytes(atrium) if cells else None, area.ctypes.data_as(POINTER(c_float)) if cells else None)
        return rgb, jet, atrium, area


def jet_type(settings):
    """none, central, eccentric or multi: what the recording's jets are."""
    if settings.jets == 0 or max(settings.jet[i].area for i in range(settings.jets)) <= 0:
        return "none"
    if settings.jets > 1:
        return "multi"
    return "eccentric" if settings.jet[0].wall else "central"
