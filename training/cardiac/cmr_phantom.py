"""The cine-MR phantom of phantoms/cmr, loaded from build/phantoms (the fields below mirror cmr-phantom.h)."""
import ctypes
import os
from pathlib import Path

import numpy as np

SEGMENTS, LEVELS = 16, 3
TISSUES = ("surroundings", "LV blood", "LV wall", "RV blood", "RV wall")
LV_WALL = 2

_c, _d16 = ctypes, ctypes.c_double * SEGMENTS


class Settings(ctypes.Structure):
    _fields_ = [
        ("seed", _c.c_uint64),
        ("width", _c.c_int), ("height", _c.c_int), ("phases", _c.c_int), ("slices", _c.c_int),
        ("spacing_mm", _c.c_double), ("slice_spacing_mm", _c.c_double), ("cycle_ms", _c.c_double),
        ("centre_x", _c.c_double), ("centre_y", _c.c_double),
        ("slant_x", _c.c_double), ("slant_y", _c.c_double),
        ("rotation", _c.c_double), ("insertion", _c.c_double), ("septum", _c.c_double),
        ("mirror", _c.c_bool),
        ("misplacement", _c.c_double),
        ("cavity_mm", _c.c_double), ("wall_mm", _c.c_double), ("rv_mm", _c.c_double),
        ("papillary", _c.c_double), ("trabeculation", _c.c_double),
        ("score", _c.c_int * SEGMENTS),
        ("excursion", _d16), ("thickening", _d16), ("delay", _d16),
        ("border", _c.c_double), ("systole", _c.c_double),
        ("twist_base", _c.c_double), ("twist_apex", _c.c_double),
        ("shift_x", _c.c_double), ("shift_y", _c.c_double), ("rv_excursion", _c.c_double),
        ("gain", _c.c_double), ("noise", _c.c_double), ("bias", _c.c_double), ("unwarp", _c.c_double),
    ]


class Truth(ctypes.Structure):
    _fields_ = [("score", _c.c_int * SEGMENTS), ("excursion", _d16), ("thickening", _d16), ("index", _c.c_double)]


class SliceTruth(ctypes.Structure):
    _fields_ = [("level", _c.c_int), ("depth", _c.c_double), ("lv_centre", _c.c_double * 2),
                ("rv_anterior", _c.c_double * 2), ("rv_inferior", _c.c_double * 2)]


def build_path(*parts):
    """A file below the build directory: $GST_CARDIAC_BUILD, or build/ of this checkout."""
    root = os.environ.get("GST_CARDIAC_BUILD") or Path(__file__).resolve().parents[2] / "build"
    return Path(root).joinpath(*parts)


def library_path():
    """$CARDIAC_PHANTOMS, or where the build leaves it."""
    return Path(os.environ.get("CARDIAC_PHANTOMS") or build_path("phantoms", "libcardiac-phantoms.so"))


_library = None


def library():
    global _library
    if _library is None:
        path = library_path()
        if not path.exists():
            raise FileNotFoundError(f"{path}: the phantom library is missing; build it with: "
                                    f"meson setup build && ninja -C build")
        lib = ctypes.CDLL(str(path))
        lib.cmr_settings_size.restype = _c.c_size_t
        if lib.cmr_settings_size() != ctypes.sizeof(Settings):
            raise RuntimeError(f"{path}: CmrSettings has {lib.cmr_settings_size()} bytes, here "
                               f"{ctypes.sizeof(Settings)}; rebuild, or mend training/cardiac/cmr_phantom.py")
        lib.cmr_phantom_new.restype = _c.c_void_p
        lib.cmr_phantom_settings.restype = _c.POINTER(Settings)
        lib.cmr_phantom_contraction.restype = _c.c_double
        lib.cmr_phantom_render.restype = _c.c_bool
        lib.cmr_phantom_render_levels.restype = _c.c_bool
        lib.cmr_phantom_render_stack.restype = _c.c_bool
        lib.cmr_settings_clamp.restype = _c.c_bool
        _library = lib
    return _library


def draw_settings(seed):
    settings = Settings()
    library().cmr_settings_draw(ctypes.byref(settings), _c.c_uint64(seed))
    return settings


def default_settings():
    settings = Settings()
    library().cmr_settings_default(ctypes.byref(settings))
    return settings


def set_score(settings, segment, score):
    """Gives AHA segment 1..16 the usual motion of a score 1..4."""
    library().cmr_settings_score(ctypes.byref(settings), segment - 1, score)


class Phantom:
    """One subject. Frees itself."""

    def __init__(self, settings):
        if isinstance(settings, int):
            settings = draw_settings(settings)
        self._lib = library()
        self._self = _c.c_void_p(self._lib.cmr_phantom_new(ctypes.byref(settings)))
        if not self._self:
            raise MemoryError("no memory for a phantom")
        self.settings = self._lib.cmr_phantom_settings(self._self).contents

    def __del__(self):
        if getattr(self, "_self", None):
            self._lib.cmr_phantom_free(ctypes.byref(self._self))

    def truth(self):
        truth = Truth()
        self._lib.cmr_phantom_truth(self._self, ctypes.byref(truth))
        return truth

    def slice_truth(self, number):
        truth = SliceTruth()
        self._lib.cmr_phantom_slice_truth(self._self, number, ctypes.byref(truth))
        return truth

    def level_slice(self, level):
        return self._lib.cmr_phantom_level_slice(self._self, level)

    def contraction(self, phase):
        return self._lib.cmr_phantom_contraction(self._self, _c.c_double(phase))

    def landmarks(self, level):
        """[3,2]: LV centre, anterior and inferior RV insertion; x, y in px."""
        t = self.slice_truth(self.level_slice(level))
        return np.array([t.lv_centre[:], t.rv_anterior[:], t.rv_inferior[:]])

    def _checked(self, ok):
        if not ok:
            raise MemoryError("no memory to draw a phantom")

    def render(self, slice_number, phase):
        s = self.settings
        grey = np.empty((s.height, s.width), np.uint16)
        self._checked(self._lib.cmr_phantom_render(self._self, slice_number, phase, _pointer(grey),
                                                   _c.c_ssize_t(grey.strides[0])))
        return grey

    def levels(self):
        """[3, phases, height, width] uint16."""
        s = self.settings
        grey = np.empty((LEVELS, s.phases, s.height, s.width), np.uint16)
        self._checked(self._lib.cmr_phantom_render_levels(self._self, _pointer(grey)))
        return grey

    def stack(self):
        """[phases, slices, height, width] uint16."""
        s = self.settings
        grey = np.empty((s.phases, s.slices, s.height, s.width), np.uint16)
        self._checked(self._lib.cmr_phantom_render_stack(self._self, _pointer(grey)))
        return grey

    def displace(self, slice_number, phase_from, phase_to, points):
        """Where material at points [n,2] of a phase lies in another, and its tissue [n]."""
        points = np.ascontiguousarray(points, np.float64)
        moved, tissue = np.empty_like(points), np.empty(len(points), np.uint8)
        self._lib.cmr_phantom_displace(self._self, slice_number, phase_from, phase_to, _c.c_size_t(len(points)),
                                       _pointer(points), _pointer(moved), _pointer(tissue))
        return moved, tissue


def _pointer(array):
    return array.ctypes.data_as(_c.c_void_p)
