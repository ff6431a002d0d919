#!/usr/bin/env python3
"""dicomdemux against pydicom on real recordings: dicom.py BUILD [j2k], the second where JPEG 2000 is built in. The same number of frames, pixels that differ by at
most 2. Exit status 77 without pydicom or without $GST_CARDIAC_TEST_DATA (default: ../shared/data beside the project)."""
import os
import subprocess
import sys
import tempfile
import warnings

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DATA = os.environ.get("GST_CARDIAC_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
FILES = ["echo/a4c_gray_65f_acuson_deid.dcm", "echo/plax_colour_mr_ar_10f_palette_rle.dcm",
         "echo/plax_colour_mr_ar_loop50_jpeg422.dcm", "bad/u_rgb_rle_2f.dcm", "bad/u_us_bigendian_planar_rgb_1f.dcm",
         "bad/u_us_j2k_rct_1f.dcm", "bad/u_us_palette_1f_philips.dcm", "bad/u_us_ybr422_uncompressed_1f.dcm"]
try:
    import numpy as np
    import pydicom
    from pydicom.pixel_data_handlers.util import apply_color_lut, convert_color_space
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


def read(path):
    """RGB [n,h,w,3] by pydicom."""
    data = pydicom.dcmread(path)
    frames, space = data.pixel_array, str(data.PhotometricInterpretation)
    if space == "PALETTE COLOR":
        frames = (apply_color_lut(frames, data) >> 8).astype(np.uint8)
    elif space.startswith("YBR_FULL") and int(pydicom.__version__.split(".")[0]) < 3:  # 3 gives RGB
        frames = convert_color_space(frames, space, "RGB")
    return frames.reshape(-1, data.Rows, data.Columns, 3)


def demux(path, build, folder):
    """The same by dicomdemux; rows are padded to four bytes."""
    raw = os.path.join(folder, "frames.rgb")
    env = dict(os.environ, GST_PLUGIN_PATH=os.path.join(build, "gst"))
    subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "decodebin", "!", "video/x-raw,format=RGB",
                    "!", "filesink", f"location={raw}"], env=env, check=True)
    return np.fromfile(raw, np.uint8)


def main():
    build, failed, seen = sys.argv[1], 0, 0
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            path = os.path.join(DATA, name)
            if not os.path.exists(path) or "j2k" in name and "j2k" not in sys.argv:
                continue
            seen += 1
            expected = read(path)
            count, height, width, _ = expected.shape
            stride = (3 * width + 3) // 4 * 4
            found = demux(path, build, folder)
            if found.size != count * height * stride:
                print(f"FAIL {name}: {found.size} bytes, {count} frames of {width} x {height} expected")
                failed += 1
                continue
            found = found.reshape(count, height, stride)[:, :, :3 * width].reshape(expected.shape)
            worst = int(np.abs(found.astype(int) - expected).max())
            failed += worst > 2
            print(f"{'ok   ' if worst <= 2 else 'FAIL '}{name}: {count} frames, differ by at most {worst}")
    if not seen:
        print("skipped: no real data (GST_CARDIAC_TEST_DATA)")
        sys.exit(77)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
