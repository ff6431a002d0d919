#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# pipelines/review.sh OUTDIR RECORDING...: one review video each, in
# OUTDIR/FILE NAME/. A recording that fails is named at the end; the others go on.
set -u
[ $# -ge 2 ] || { echo "usage: pipelines/review.sh OUTDIR RECORDING..." >&2; exit 2; }
out=$1
shift
failed=()
declare -A taken=()
number=0
for recording in "$@"; do
  number=$((number + 1))
  name=$(basename "$recording")
  echo "[$number/$#] $recording" >&2
  if [ -n "${taken[$name]:-}" ]; then
    echo "review: $recording: $out/$name holds ${taken[$name]} already; give one of them another name" >&2
    failed+=("$recording")
    continue
  fi
  taken[$name]=$recording
  "$(dirname "$0")/quickstart.sh" "$recording" "$out/$name" || failed+=("$recording")
done
[ ${#failed[@]} -eq 0 ] && exit 0
printf 'failed: %s\n' "${failed[@]}" >&2
exit 1
