#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pipelines/live.sh [SOURCE] [RECORDING.mkv]: a captured picture with the result
# drawn inside it on the display, and the same picture recorded beside it.
#
# SOURCE: a video device (/dev/video0), "decklink", or "test", a phantom that
# is drawn; default: /dev/video0 where it is there, else test. Results are
# printed as JSON lines. Ctrl-C ends the recording properly.
#
# The network never delays or drops video: the display's queue may drop frames
# when the display is slow, the recording's may not.
set -u
. "$(dirname "$0")/setup.sh"
fail() { say "live: $*"; exit 1; }
case ${1:-} in -h | --help) sed -n '3,11s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
source=${1:-}
recording=${2:-live.mkv}
if [ -z "$source" ]; then
  source=test
  [ -e /dev/video0 ] && source=/dev/video0
fi
case $source in
  test) capture=(echotestsrc is-live=true jet-area=0.35 ${LIVE_FRAMES:+num-buffers=$LIVE_FRAMES}
    ! video/x-raw,width=640,height=480,framerate=30/1) ;;
  decklink) capture=(decklinkvideosrc drop-no-signal-frames=false) ;;
  /dev/*)
    [ -e "$source" ] || fail "$source: there is no such device; 'test' draws one"
    capture=(v4l2src device="$source" ! decodebin) ;;
  *) fail "'$source' is not a device; /dev/video0, decklink or test are expected" ;;
esac
display=(autovideosink)
[ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || { say "no display here: the picture is recorded only"; display=(fakesink); }

# shellcheck disable=SC2086
install_packages $packages_run || fail "the packages could not be installed"
build_into build || fail "the build failed; its whole output is in build/build.log"
export GST_PLUGIN_PATH="$root/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
exec gst-launch-1.0 -q -e "${capture[@]}" ! videoconvert ! mregroi ! mregclassify results-location=/dev/stdout \
  ! cardiacoverlay layout=inside ! tee name=both \
  both. ! queue leaky=downstream max-size-buffers=2 ! videoconvert ! "${display[@]}" \
  both. ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=300 ! videoconvert ! video/x-raw,format=I420 \
  ! x264enc tune=zerolatency speed-preset=ultrafast quantizer=20 ! h264parse ! matroskamux ! filesink location="$recording"
