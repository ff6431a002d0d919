#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pipelines/quickstart.sh [INPUT] [OUTDIR]: the main job, from nothing.
#
# Installs what is missing, builds into build/, and turns an echo recording into
# an annotated review video. INPUT is any file that GStreamer decodes, DICOM too;
# without one a phantom with known regurgitation is drawn. OUTDIR (default: out)
# receives annotated.mkv, results.jsonl, maps.bin and frame.png. A directory of
# DICOM files or a NIfTI file is cine MR: see cine-mr.sh. Research use only.
#
# A review video shows the final result on every frame, so the recording is read
# twice: the first pass grades it, the second draws.
set -u -o pipefail
. "$(dirname "$0")/setup.sh"
fail() { say "quickstart: $*"; exit 1; }
case ${1:-} in -h | --help) sed -n '4,13s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
case ${1:-} in *.nii | *.nii.gz) exec "$root/pipelines/cine-mr.sh" "$@" ;; esac
[ -d "${1:-}" ] && exec "$root/pipelines/cine-mr.sh" "$@"
[ $# -le 2 ] || fail "usage: pipelines/quickstart.sh [INPUT] [OUTDIR]"

input=${1:-}
out=${2:-out}
if [ -n "$input" ]; then
  [ -e "$input" ] || fail "$input: there is no such file"
  [ -s "$input" ] || fail "$input is empty; a recording is expected"
  [ -r "$input" ] || fail "$input cannot be read; check its permissions"
fi
for file in annotated.mkv frame.png generated.mkv results.jsonl maps.bin; do
  [ -n "$input" ] && [ "$input" -ef "$out/$file" ] &&
    fail "$input would be overwritten: it is one of the files written into $out; name another folder"
done
mkdir -p "$out" || fail "$out: the folder cannot be made"

# shellcheck disable=SC2086
install_packages $packages_run || fail "the packages could not be installed"
build_into build || fail "the build failed; its whole output is in build/build.log"

export GST_PLUGIN_PATH="$root/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
log=$(mktemp) || fail "no room for a temporary file"
trap 'rm -f "$log"' EXIT

if [ -z "$input" ]; then
  input=$out/generated.mkv
  say "no recording given: drawing a phantom of grade 2 into $input; its truth is in $out/generated.json"
  launch "generated clip" echotestsrc grade=2 phantom-seed=10 truth-location="$out/generated.json" \
    ! videoconvert ! video/x-raw,format=I420 \
    ! x264enc quantizer=18 ! h264parse ! matroskamux ! filesink location="$input"
fi

# A DICOM file says itself why it cannot be read.
if [ -n "$input" ] && [ "$(head -c 132 "$input" | tail -c 4 | tr -d '\0')" = DICM ]; then
  launch "$input" filesrc location="$input" ! dicomdemux ! fakesink num-buffers=1
fi

# What is in the file? One clear message for what holds no video.
gst-discoverer-1.0 -v "$input" >"$log" 2>/dev/null
if ! grep -qE '^ *video( #[0-9]+)?:' "$log"; then
  if grep -qE '^ *audio( #[0-9]+)?:' "$log"; then
    fail "$input holds audio only; a video recording is expected"
  fi
  fail "$input: no video could be found in it; it is damaged or not a recording (try another export: MP4, AVI or MKV)"
fi
grep -qE '^ *title: DICOM MR$' "$log" &&
  fail "$input is one file of MR; pipelines/cine-mr.sh scores cine MR, from a directory of DICOM files or a NIfTI file"
read -r width height < <(awk '/^ *Width:/ { w = $2 } /^ *Height:/ { h = $2 } END { print w + 0, h + 0 }' "$log")
[ "$width" -ge 64 ] && [ "$height" -ge 64 ] ||
  fail "$input shows pictures of $width x $height px; at least 64 x 64 are needed to draw on"
# What its header promises, in milliseconds; 0 where it says nothing.
promised=$(awk '/^ *Duration:/ { split ($2, t, ":"); print int ((t[1] * 3600 + t[2] * 60 + t[3]) * 1000); exit }' "$log")
grep -qE '^ *audio( #[0-9]+)?:' "$log" && say "$input: its audio is left out of the review video"

# A decoder's frames as they come: nothing is dropped, nothing is retimed.
source=(filesrc location="$input" ! "${decodebin[@]}" ! videoconvert)
say "grading $input"
rm -f "$out/results.jsonl" "$out/maps.bin"
# Warnings of a DICOM file, which gst-launch keeps to itself.
GST_DEBUG=dicomdemux:2 GST_DEBUG_NO_COLOR=1 launch "$input" "${source[@]}" ! mregroi ! mregclassify sync-mode=exact interim=false \
  results-location="$out/results.jsonl" maps-location="$out/maps.bin" ! fakesink sync=false
damage=$(sed -n 's/.*<dicomdemux[0-9]*> warning: //p' "$log" | tail -n 1)
[ -n "$damage" ] && say "$damage"
[ -s "$out/results.jsonl" ] || fail "$input: not one frame of it could be decoded"

say "drawing $out/annotated.mkv"
launch "$input" "${source[@]}" \
  ! mregclassify results="$out/results.jsonl" maps-location="$out/maps.bin" \
  ! cardiacoverlay layout=panel ! videoconvert ! video/x-raw,format=I420 \
  ! x264enc quantizer=18 speed-preset=veryfast ! h264parse ! matroskamux ! filesink location="$out/annotated.mkv"

# frame.png: the picture of the selected instance with the highest value, or the
# one after half a second where nothing was graded.
last=$(grep '"type": *"mreg"' "$out/results.jsonl" | tail -n 1)
# numbers KEY: the numbers of an array of arrays, all in one row.
numbers() {
  sed "s/.*\"$1\": *\[\(\[[^]]*\]\(, *\[[^]]*\]\)*\)\].*/\1/; s/[][ ]//g" <<<"$last"
}
moment=500
if [[ $last =~ \"curve\": && $last =~ \"instance\":\ *([0-9]+) ]]; then
  moment=$(awk -v selected="${BASH_REMATCH[1]}" -v spans="$(numbers spans_ns)" -v curve="$(numbers curve)" 'BEGIN {
    instances = split (spans, span, ",") / 2; frames = split (curve, value, ",") / instances
    for (j = 1; j <= frames; j++)
      if (j == 1 || value[selected * frames + j] + 0 > value[selected * frames + best] + 0) best = j
    first = span[2 * selected + 1]; last = span[2 * selected + 2]
    print int ((first + (best - 0.5) / frames * (last - first)) / 1000000) }')
fi
picture_at "$out/annotated.mkv" "$moment" "$out/frame.png"

for file in annotated.mkv results.jsonl frame.png; do
  [ -s "$out/$file" ] || fail "$out/$file was not written"
  printf '%s\n' "$out/$file"
done
printf '%s\n' "$last"
[[ $damage == *"copy or export it again"* ]] && fail "$damage; $out holds what there was"
# A file that was cut off is worked on as far as it goes, but nobody may think
# that this was all of it.
if [[ $last =~ \"pts_ns\":\ *([0-9]+) ]] && ((${promised:-0} > BASH_REMATCH[1] / 1000000 * 10 / 9 + 300)); then
  fail "$input is damaged: it says that it lasts $promised ms, but frames could be decoded up to $((BASH_REMATCH[1] / 1000000)) ms only; $out holds what there was"
fi
