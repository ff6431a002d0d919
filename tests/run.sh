#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# tests/run.sh [quick|full]: installs what the tests need, builds, runs, and
# ends in "N passed, N failed, N skipped".
#   quick  release build, then address and undefined behaviour sanitizers
#   full   also the slow suite, thread sanitizer and valgrind over all programs
set -u
. "$(dirname "$0")/../pipelines/setup.sh"
mode=${1:-quick}
case $mode in quick | full) ;; *) say "usage: tests/run.sh [quick|full]"; exit 2 ;; esac
# shellcheck disable=SC2086
install_packages $packages_run $packages_test || exit 1
cd "$root" || exit 1

passed=0 failed=0 skipped=0
# count LOG...: adds meson's JSON results, one object a line, to the totals.
count() {
  local log
  for log in "$@"; do
    [ -f "$log" ] || { failed=$((failed + 1)); say "no results in $log"; continue; }
    passed=$((passed + $(grep -cE '"result": "(OK|EXPECTEDFAIL)"' "$log")))
    skipped=$((skipped + $(grep -c '"result": "SKIP"' "$log")))
    failed=$((failed + $(grep -cE '"result": "(FAIL|TIMEOUT|ERROR|INTERRUPT|UNEXPECTEDPASS)"' "$log")))
  done
}

# run_suite FOLDER LOGBASE [meson test options]
run_suite() {
  local folder=$1 base=$2
  shift 2
  rm -f "$folder/meson-logs/$base"*.json
  meson test -C "$folder" --no-rebuild --print-errorlogs --logbase "$base" "$@"
  count "$folder/meson-logs/$base"*.json # a wrapper's name is added
}

# build_or_fail NAME FOLDER [options]: a build that fails is a failed test.
build_or_fail() {
  local folder=$1
  shift
  build_into "$folder" "$@" && return 0
  say "$folder does not build"
  failed=$((failed + 1))
  return 1
}

# The sanitizers' own reports go to the test's log and fail it.
# Told to follow thread-local storage of opened libraries, LeakSanitizer of gcc
# 12 and clang 14 takes a block 16 bytes into a page for one of glibc 2.19 and
# reads what it believes to be its size: "Tracer caught signal 11", by chance.
# Not told, it finds leaks as before.
export ASAN_OPTIONS=detect_leaks=1:intercept_tls_get_addr=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1
export LSAN_OPTIONS=suppressions=$root/tests/lsan.supp:print_suppressions=0

if build_or_fail build; then
  slow=(--no-suite slow)
  [ "$mode" = full ] && slow=()
  run_suite build release "${slow[@]}"
fi
# Sanitized builds need no device code: the emulation of CUDA is sanitized.
if build_or_fail build-asan -Dcuda=disabled -Db_sanitize=address,undefined -Dbuildtype=debugoptimized -Db_ndebug=false -Db_lundef=false; then
  run_suite build-asan asan --suite sanitize --timeout-multiplier 6
fi
if build_or_fail build-tsan -Dcuda=disabled -Db_sanitize=thread -Dbuildtype=debugoptimized -Db_ndebug=false -Db_lundef=false -Donednn=disabled; then
  run_suite build-tsan tsan --suite threads --timeout-multiplier 6
fi
if command -v valgrind >/dev/null; then
  # oneDNN held to AVX2: valgrind knows no AVX-512.
  # Nor does it follow the fibres of emulated CUDA.
  suites=(--suite valgrind)
  [ "$mode" = full ] && suites=(--suite valgrind --suite sanitize --no-suite cuda)
  ONEDNN_MAX_CPU_ISA=AVX2 CARDIAC_UNDER_VALGRIND=1 \
    run_suite build valgrind "${suites[@]}" --timeout-multiplier 20 \
    --wrap "valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --trace-children=yes --suppressions=$root/tests/valgrind.supp"
else
  say "no valgrind: its run is skipped"
  skipped=$((skipped + 1))
fi

printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
