#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# leaks.sh MODEL MMSA_MODEL FOLDER MAKE-STACK: runs pipelines under GStreamer's leaks tracer, which
# leaves the exit status alone: objects that are still alive are in the log.
model=$1
mmsa=$2
folder=$3
make_stack=$4
mkdir -p "$folder"
command -v gst-launch-1.0 >/dev/null || { echo "no gst-launch-1.0"; exit 77; }
for element in videotestsrc videoconvert; do
  gst-inspect-1.0 --exists "$element" || { echo "no $element"; exit 77; }
done
export GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1

source="videotestsrc num-buffers=110 pattern=smpte horizontal-speed=5 ! \
  video/x-raw,format=I420,width=160,height=120,framerate=30/1"
classify="mregclassify model=$model device=reference threads=1"
failed=0

# run NAME ok|fails PIPELINE...
run() {
  name=$1
  expected=$2
  shift 2
  log=$folder/$name.log
  # The pipeline is split into words on purpose.
  # shellcheck disable=SC2068
  GST_DEBUG_FILE=$log gst-launch-1.0 -q $@ >"$folder/$name.out" 2>&1
  status=$?
  case $expected/$status in ok/0 | fails/[1-9]*) ;; *)
    echo "$name: exit $status, but it $expected"
    cat "$folder/$name.out"
    failed=1 ;;
  esac
  if ! grep -q 'object-alive' "$log"; then
    echo "$name: the tracer wrote nothing"
    failed=1
  fi
  # Two lines describe the record itself; a live object names its type.
  if grep 'object-alive, type-name=(string)[A-Z]' "$log"; then
    echo "$name: objects are still alive"
    failed=1
  fi
}

run exact ok "$source ! $classify results-location=$folder/r.jsonl \
  maps-location=$folder/m.json ! cardiacoverlay ! fakesink"
run second-pass ok "$source ! mregclassify results=$folder/r.jsonl \
  maps-location=$folder/m.json ! cardiacoverlay layout=panel ! fakesink"
run live ok "$source ! $classify sync-mode=live ! tee name=t \
  t. ! queue ! cardiacoverlay ! fakesink \
  t. ! queue ! cardiacmeta2json location=$folder/live.jsonl ! fakesink"
run region ok "$source ! mregroi roi=10,10,80,80 ! $classify ! fakesink"
run phantom ok "echotestsrc phantom-seed=2 num-buffers=40 \
  truth-location=$folder/t.json truth-masks=$folder/m.npy ! video/x-raw,format=BGRx,width=160,height=120 ! \
  mregroi ! $classify ! cardiacoverlay ! fakesink"
run phantom-no-folder fails "echotestsrc truth-location=/no/such/folder/t.json ! fakesink"
head -c 4000 /dev/zero >"$folder/none.dcm"
run no-dicom fails "filesrc location=$folder/none.dcm ! dicomdemux ! fakesink"
run no-model fails "$source ! mregclassify model=/no/such/file ! fakesink"
# Any grey pictures: the same slice for all three levels.
points="lv-centre=80,60 rv-anterior=60,40 rv-inferior=60,80"
run wall-motion ok "videotestsrc num-buffers=8 pattern=ball ! \
  video/x-raw,format=GRAY8,width=160,height=120 ! tee name=t \
  mmsascore name=m model=$mmsa device=reference threads=1 \
  results-location=$folder/mmsa.jsonl ! cardiacoverlay ! fakesink \
  t. ! queue ! cmrpolar $points ! m.basal t. ! queue ! cmrpolar $points ! m.mid \
  t. ! queue ! cmrpolar $points ! m.apical t. ! queue ! m.video"

"$make_stack" "$folder/stack.nii" || failed=1
"$make_stack" "$folder/cut.nii" && truncate -s 100000 "$folder/cut.nii"
module=$(dirname "$make_stack")/../../cine/libcardiac-nifti.so
if [ -e "$module" ]; then
  run cine ok "cmrcinesrc location=$folder/stack.nii name=c \
    c.basal ! queue ! fakesink c.mid ! queue ! fakesink \
    c.review ! queue ! videoconvert ! fakesink"
  run cine-cut fails "cmrcinesrc location=$folder/cut.nii ! fakesink"
fi
exit $failed
