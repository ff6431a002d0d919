# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the other scripts: packages and build. Defines `root`, the
# project's folder.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What building and running needs, of Debian 12 or later.
packages_run="build-essential meson ninja-build pkg-config libjansson-dev libdnnl-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libcairo2-dev libpango1.0-dev
  fonts-inter gstreamer1.0-tools gstreamer1.0-plugins-base-apps gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x
  libdcmtk-dev libopenjp2-7-dev libnifti-dev"

# What the tests need beside it.
packages_test="ffmpeg valgrind python3 python3-numpy python3-torch libopenblas0-pthread
  python3-pil python3-pydicom"

say() { printf '%s\n' "$*" >&2; }

# install_packages NAME...: installs what is missing, as root or with sudo.
# Without Debian's tools it says what is expected and goes on.
install_packages() {
  command -v dpkg-query >/dev/null || { say "not a Debian system: expecting $*"; return 0; }
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${Status}\n' "$name" 2>/dev/null | grep -q '^install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local sudo=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "missing packages, and neither root nor sudo to install them: ${missing[*]}"; return 1; }
    sudo=sudo
  fi
  say "installing ${missing[*]}"
  $sudo apt-get update -qq >&2 &&
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# build_into FOLDER [meson options]: configures once, then builds what changed.
build_into() {
  local folder=$1
  shift
  if [ ! -f "$root/$folder/build.ninja" ]; then
    meson setup "$root/$folder" "$root" "$@" >&2 || return 1
  fi
  ninja -C "$root/$folder" >"$root/$folder/build.log" 2>&1 || {
    tail -n 40 "$root/$folder/build.log" >&2
    return 1
  }
}

# launch WHAT ELEMENT...: a pipeline; when it fails, `fail` gets the first error
# in one line. Its output is in the file $log.
launch() {
  local what=$1
  shift
  gst-launch-1.0 -q "$@" >"$log" 2>&1 && ! grep -q '^ERROR' "$log" && return 0
  local text
  text=$(grep -m1 -E '^(ERROR|WARNING): from element|erroneous pipeline' "$log" | sed -E 's/^[A-Z]+: (from element [^ ]+: )?//; s/^from element [^ ]+: //')
  text=${text:-$(tail -n 1 "$log")}
  case $text in *"$what"*) fail "$text" ;; *) fail "$what: $text" ;; esac
}

# Any decoder. avdec_h264 of GStreamer 1.26 ends the program now and then ("video
# meta uses 944x480 instead of 940x480") when it has several threads and the width
# is no multiple of 16.
decodebin=(decodebin avdec_h264-0::max-threads=1)

# picture_at VIDEO MS PNG: the picture that VIDEO shows at MS, which is the second
# one at 1000/MS pictures a second.
picture_at() {
  launch "$3" filesrc location="$1" ! matroskademux ! h264parse ! avdec_h264 max-threads=1 \
    ! videorate ! video/x-raw,framerate=1000/"$2" ! videoconvert \
    ! pngenc compression-level=1 ! multifilesink location="${3%.png}-%d.png"
  mv -f "${3%.png}-1.png" "$3" 2>/dev/null || mv -f "${3%.png}-0.png" "$3"
  rm -f "${3%.png}"-[0-9]*.png
}
