#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tests/other-debian.sh SUITE DIRECTORY [quick|full [PACKAGE...]]: tests/run.sh on another Debian.
#
# Makes a root of SUITE (trixie, sid, ...) in DIRECTORY, unless one is there, and
# runs the tests of the committed tree in it, with PACKAGEs beside those that
# they install themselves, from $MIRROR or debootstrap's own. As root, with
# debootstrap. What is mounted goes with the script.
set -eu
[ $# -ge 2 ] || { sed -n '3,8s/^#  *//p' "$0"; exit 2; }
suite=$1 directory=$2 mode=${3:-quick}
shift $(($# > 2 ? 3 : 2))
packages="libgstreamer-plugins-bad1.0-dev $*"

if [ ! -e "$directory/etc/debian_version" ]; then
  debootstrap --variant=minbase --components=main,contrib,non-free "$suite" "$directory" ${MIRROR:+"$MIRROR"}
  # A mirror may lag behind; what it has is signed all the same.
  echo 'Acquire::Check-Valid-Until "false";' >"$directory/etc/apt/apt.conf.d/99lag"
fi

rm -rf "$directory/gst-cardiac"
mkdir -p "$directory/gst-cardiac" "$directory/data"
git -C "$(dirname "$0")/.." archive HEAD | tar -x -C "$directory/gst-cardiac"

# shellcheck disable=SC2016
exec unshare --mount sh -euc '
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  [ -z "${GST_CARDIAC_TEST_DATA:-}" ] || mount --bind "$GST_CARDIAC_TEST_DATA" "$1/data"
  exec env GST_CARDIAC_TEST_DATA=/data chroot "$1" bash -c "
    cd /gst-cardiac && . pipelines/setup.sh && install_packages $3 && exec tests/run.sh $2"
' sh "$directory" "$mode" "$packages"
