#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# demo-detector.sh FOLDER: mregroi with its demonstration detector. Test cards
# have no heart; a real apical four-chamber clip, where there is one, has.
folder=$1
mkdir -p "$folder"
command -v gst-launch-1.0 >/dev/null || { echo "no gst-launch-1.0"; exit 77; }
gst-inspect-1.0 --exists videotestsrc || { echo "no videotestsrc"; exit 77; }
failed=0

# detect NAME INTERVAL PIPELINE...: one line a detection in NAME.jsonl
detect() {
  lines=$folder/$1.jsonl
  interval=$2
  shift 2
  rm -f "$lines"
  gst-launch-1.0 -q "$@" ! mregroi interval="$interval" sync-mode=exact \
    threads=1 results-location="$lines" ! fakesink && [ -e "$lines" ] ||
    { echo "the pipeline failed"; failed=1; }
}

for pattern in smpte snow black white checkers-8 circular ball gamut; do
  detect "$pattern" 0 videotestsrc num-buffers=2 pattern=$pattern ! \
    video/x-raw,width=640,height=480
  if [ -s "$folder/$pattern.jsonl" ]; then
    echo "$pattern has no heart, but a box was found"
    failed=1
  fi
done

data=${GST_CARDIAC_TEST_DATA:-$(dirname "$0")/../../../shared/data}
clip=$data/echo/a4c_gray_65f_acuson_deid.avi
if [ -e "$clip" ] && gst-inspect-1.0 --exists avidemux &&
  gst-inspect-1.0 --exists jpegdec; then
  # 65 frames of 38 ms: 11 detections. The chambers lie in 150..375 x 85..350.
  detect real 200000000 filesrc location="$clip" ! decodebin ! videoconvert
  good=$(sed 's/.*"roi":\[\([^]]*\)\].*/\1/; s/,/ /g' "$folder/real.jsonl" |
    awk '{
      w = ($1 + $3 < 375 ? $1 + $3 : 375) - ($1 > 150 ? $1 : 150)
      h = ($2 + $4 < 350 ? $2 + $4 : 350) - ($2 > 85 ? $2 : 85)
      common = w > 0 && h > 0 ? w * h : 0
      if (common / ($3 * $4 + 225 * 265 - common) > 0.7) good++
    } END { print good + 0 }')
  echo "real four-chamber clip: $good of 11 boxes overlap the chambers by 0.7"
  [ "$good" -ge 8 ] || failed=1
else
  echo "skipped: $clip, or a decoder for it, is not here"
fi
exit $failed
