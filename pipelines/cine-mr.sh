#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pipelines/cine-mr.sh INPUT [OUTDIR] [--landmarks FILE] [--model FILE]
#
# Scores regional wall motion in short-axis cine MR. INPUT is a directory of
# DICOM files or a 4-D NIfTI file of one patient. Landmarks (LV centre and both
# RV insertions of three slices) come from the JSON file, or are looked for in
# the pictures. OUTDIR (default: out) receives annotated.mkv, results.jsonl,
# frame.png, bullseye.png and bullseye.svg. Installs and builds what is missing.
# Research use only.
set -u -o pipefail
. "$(dirname "$0")/setup.sh"
fail() { say "cine-mr: $*"; exit 1; }
usage="usage: pipelines/cine-mr.sh INPUT [OUTDIR] [--landmarks FILE] [--model FILE]"

landmarks='' model='' names=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '3,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --landmarks | --model)
      [ $# -ge 2 ] || fail "$1 needs a file; $usage"
      if [ "$1" = --model ]; then model=$2; else landmarks=$2; fi
      shift ;;
    --landmarks=*) landmarks=${1#*=} ;;
    --model=*) model=${1#*=} ;;
    -*) fail "$1 is unknown; $usage" ;;
    *) names+=("$1") ;;
  esac
  shift
done
[ ${#names[@]} -ge 1 ] && [ ${#names[@]} -le 2 ] || fail "$usage"
input=${names[0]}
out=${names[1]:-out}

[ -e "$input" ] || fail "$input: there is no such directory or file"
[ -r "$input" ] || fail "$input cannot be read; check its permissions"
[ -d "$input" ] || [ -s "$input" ] || fail "$input is empty; a NIfTI file or a directory of DICOM files is expected"
for file in "$landmarks" "$model"; do
  [ -z "$file" ] || [ -r "$file" ] || fail "$file: there is no such file, or it cannot be read"
done
mkdir -p "$out" || fail "$out: the folder cannot be made"
files="annotated.mkv results.jsonl frame.png bullseye.png bullseye.svg"
for file in $files; do
  for given in "$input" "$landmarks" "$model"; do
    [ -n "$given" ] && [ "$given" -ef "$out/$file" ] &&
      fail "$given would be overwritten: it is one of the files written into $out; name another folder"
  done
  rm -f "$out/$file"
done

# shellcheck disable=SC2086
install_packages $packages_run || fail "the packages could not be installed"
build_into build || fail "the build failed; its whole output is in build/build.log"
export GST_PLUGIN_PATH="$root/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
log=$(mktemp) || fail "no room for a temporary file"
trap 'rm -f "$log"' EXIT

source=(cmrcinesrc name=s location="$input")
[ -n "$landmarks" ] && source+=(landmarks="$landmarks")
score=(mmsascore name=m results-location="$out/results.jsonl")
[ -n "$model" ] && score+=(model="$model")

say "scoring $input"
launch "$input" "${source[@]}" \
  s.basal ! cmrpolar ! m.basal s.mid ! cmrpolar ! m.mid s.apical ! cmrpolar ! m.apical s.review ! m.video \
  "${score[@]}" \
  ! videoconvert ! video/x-raw,format=BGRx \
  ! cardiacoverlay layout=panel bullseye-png="$out/bullseye.png" bullseye-svg="$out/bullseye.svg" \
  ! videoconvert ! video/x-raw,format=I420 \
  ! x264enc quantizer=18 speed-preset=veryfast ! h264parse ! matroskamux ! filesink location="$out/annotated.mkv"
# A slice without landmarks, and the like: the scores are missing then, and this says why.
grep -m1 '^WARNING' "$log" | sed -E 's/^WARNING: (from element [^ ]+: )?/cine-mr: /' >&2

# frame.png: about the end of systole, a third of the cycle after its start.
last=$(grep '"type": *"mmsa"' "$out/results.jsonl" | tail -n 1)
moment=300
[[ $last =~ \"spans_ns\":\ *\[\[([0-9]+),\ *([0-9]+)\] ]] && moment=$(((BASH_REMATCH[2] - BASH_REMATCH[1]) * 35 / 100000000 + 1))
picture_at "$out/annotated.mkv" "$moment" "$out/frame.png"

for file in $files; do
  [ -s "$out/$file" ] || fail "$out/$file was not written"
  printf '%s\n' "$out/$file"
done
printf '%s\n' "$last"
