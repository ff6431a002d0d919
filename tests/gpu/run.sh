#!/bin/sh
# tests/gpu/run.sh [--sanitize] [BUILD-FOLDER]: everything that needs an NVIDIA GPU, in one call.
#
# Builds the engine alone (no GStreamer) for the GPU of this machine, then runs every operator against the reference,
# the golden networks, networks of the papers' sizes against PyTorch on the same GPU, and prints a table of times.
# --sanitize runs the operators under compute-sanitizer, too (memcheck and racecheck; minutes).
#
# Needs: nvcc, gcc, meson, ninja, jansson (libjansson-dev), and Python with PyTorch for the comparison. cuDNN's header
# and the libraries are taken from the system or from Python's nvidia packages, whichever is there.
# Exit status 0: all of it ran and passed. 77: there is no GPU.
set -eu
cd "$(dirname "$0")/../.."

sanitize=no
[ "${1:-}" = --sanitize ] && { sanitize=yes; shift; }
build=${1:-build-gpu}
python=${PYTHON:-python3}

if ! capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d .) ||
  [ -z "$capability" ]; then
  echo "skipped: nvidia-smi shows no GPU"
  exit 77
fi
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

# Folders of Python's nvidia packages: nvidia/cudnn/include, nvidia/cu13/lib, ...
packages() {
  "$python" - "$1" <<'EOF' 2>/dev/null || true
import glob, importlib.util, sys
spec = importlib.util.find_spec("nvidia")
for root in spec.submodule_search_locations if spec else []:
    print(":".join(sorted(glob.glob(f"{root}/*/{sys.argv[1]}"))), end="")
EOF
}
includes=$(packages include)
libraries=$(packages lib)
export CPATH="${CPATH:+$CPATH:}$includes"
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries"

[ -d "$build" ] || meson setup "$build" -Dgst=disabled -Ddicom=disabled -Dnifti=disabled -Dcuda=enabled \
  -Dgpu_architectures="$capability"
ninja -C "$build" engine/cardiac-infer engine/cardiac-bench engine/backends/cuda/libcardiac-cuda.so \
  tests/engine/checkop tests/engine/test-golden tests/engine/test-threads
export CARDIAC_BACKEND_PATH="$PWD/$build/engine/backends/cuda"

failed=0
# check TITLE COMMAND...: what fails is counted, and the rest runs all the same.
check() {
  echo "== $1"
  shift
  "$@" || failed=$((failed + 1))
}

check "operators against the reference" "$build/tests/engine/checkop" --backend cuda

# Where cuDNN has something faster, the own kernel has not run: once more, with a libcudnn.so.9 that is none.
mkdir -p "$build/no-cudnn"
echo "no library" >"$build/no-cudnn/libcudnn.so.9"
without_cudnn="$PWD/$build/no-cudnn:$LD_LIBRARY_PATH"
check "operators without cuDNN" env LD_LIBRARY_PATH="$without_cudnn" "$build/tests/engine/checkop" --backend cuda
if [ $sanitize = yes ]; then
  for tool in memcheck racecheck; do
    check "operators under compute-sanitizer $tool" \
      env LD_LIBRARY_PATH="$without_cudnn" \
      compute-sanitizer --tool $tool --error-exitcode 9 "$build/tests/engine/checkop" --backend cuda
  done
fi

echo "== golden networks"
for golden in tests/golden/*/; do
  golden=${golden%/}
  [ -e "$golden/model.safetensors" ] || continue
  for precision in fp32 bf16 fp16; do
    if "$build/tests/engine/test-golden" "$build/engine/cardiac-infer" "$golden" --device=cuda \
      --precision=$precision >"$build/golden.txt" 2>&1; then
      echo "ok     ${golden##*/} $precision"
    else
      failed=$((failed + 1))
      echo "FAILED ${golden##*/} $precision"
      cat "$build/golden.txt"
    fi
  done
done
check "the same bits each time" "$build/tests/engine/test-threads" cuda bf16 tests/golden/mreg-tiny tests/golden/yolov8-tiny
check "networks of the papers' sizes against PyTorch" "$python" tests/gpu/compare.py "$build"

echo "$failed failed"
[ $failed = 0 ]
