/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_BACKENDS_BACKEND_H
#define CARDIAC_BACKENDS_BACKEND_H

#include "image/resize.h"

#include <cardiac/error.h>
#include <cardiac/tensor.h>
#include <stdbool.h>

/* The border between networks and what computes them.
 *
 * A network is written as a program: a list of operators over values of fixed
 * shape (core/program.h). A backend turns each operator into a kernel once, at
 * planning time: it chooses an implementation, packs constant weights and says
 * into how many pieces the work is cut. Running a program is calling kernels.
 *
 * Pieces are fixed by the operator's shapes alone, never by the number of
 * threads, and each is run by one thread: this is what makes results the same
 * to the bit for any number of threads. */

enum { CARDIAC_BACKEND_ABI = 4 };
enum { CARDIAC_OP_MAX_INPUTS = 16 };

typedef enum CardiacActivation {
  CARDIAC_ACTIVATION_NONE,
  CARDIAC_ACTIVATION_QUICK_GELU, ///< x sigmoid(1.702 x)
  CARDIAC_ACTIVATION_SILU,       ///< x sigmoid(x)
  CARDIAC_ACTIVATION_LEAKY_RELU, ///< x, 0.2 x below 0
} CardiacActivation;

/** Operators. `A` is the program's activation dtype (F32 or BF16); "any" is F32
 * or A. Constants (weights) are always F32 on the host. "?" may be absent
 * (input rank 0, data NULL, see CardiacOp). All arrays are dense row-major. */
typedef enum CardiacOpKind {
  /** y = act(x wᵀ + b) + residual.
   * in: x [M,K] any, w [N,K] const, b [N] const?, residual [M,N] F32?.
   * out: y [M,N] any; may be the residual's own value. `linear`. */
  CARDIAC_OP_LINEAR,
  /** Over the last axis, biased variance. in: x [M,D] any, gamma [D] const,
   * beta [D] const. out: y [M,D] any. `norm`. */
  CARDIAC_OP_LAYER_NORM,
  /** softmax(q kᵀ scale) v a head. in: q [B,Tq,Lq], k [B,Tk,Lk], v [B,Tk,Lv],
   * head h's channels lying at offset + h*head_dim of the last axis (all three
   * may be the same value: a packed qkv). out: [B,Tq,heads*head_dim].
   * All A, or all F32. `attention`. */
  CARDIAC_OP_ATTENTION,
  /** out[b] = alpha a[b] w[b]ᵀ. in: a [B,M,K] F32, w [B,N,K] F32; out [B,M,N] F32. */
  CARDIAC_OP_MATMUL,
  /** y = act(conv(x) + b) + residual, NHWC. in: x [B,H,W,Ci] any, w
   * [Co,Ci,kh,kw] const, b [Co] const?, residual [B,Ho,Wo,Co] as y?.
   * out: y [B,Ho,Wo,Co] any. `conv`. */
  CARDIAC_OP_CONV2D,
  /** NHWC; padding never wins. in: x [B,H,W,C]; out same dtype. `pool`. */
  CARDIAC_OP_MAX_POOL2D,
  /** NHWC; the mean of the window, padding counting as zeros. in: x [B,H,W,C]
   * any; out any. `pool`. */
  CARDIAC_OP_AVG_POOL2D,
  /** NHWC, twice the size: nearest (same dtype); or bilinear with half-pixel
   * centres, clamped at the border, times `scale`. in: x [B,H,W,C] any; out
   * [B,2H,2W,C] any. `upsample`. */
  CARDIAC_OP_UPSAMPLE2X,
  /** Last axis. in: up to 16 values [..., Ci] any; out [..., ΣCi] any. */
  CARDIAC_OP_CONCAT,
  /** Last axis, channels first .. first+C-1. in: x [..., Cx]; out [..., C]. `slice`. */
  CARDIAC_OP_SLICE,
  /** Last axis. in: x F32; out the same shape, F32. */
  CARDIAC_OP_SOFTMAX,
  /** y = x + w or x * w; w's shape is a suffix of x's (or x's own).
   * in: x any, w any or const; out any. `binary`. */
  CARDIAC_OP_BINARY,
  /** y = x (offset + scale g), one g a row or one a channel: in: x [B,R,C] any,
   * g [B,R,1] or [B,1,C] F32; out [B,R,C] any. `gate`. */
  CARDIAC_OP_GATE,
  /** Length of pairs on the last axis: in x [..., 2C] any; out [..., C] any,
   * out[c] = sqrt (x[2c]² + x[2c+1]²). */
  CARDIAC_OP_MAGNITUDE,
  /** Planar pictures to patch rows: in x [B,3,S,S] F32, out [B*n*n, 3*P*P] any,
   * row b*n*n + y*n + x, column c*P*P + py*P + px; n = S/P. `patchify`. */
  CARDIAC_OP_PATCHIFY,
  /** x [B,N,D] any, class [D] const, position [N+1,D] const ->
   * y [B,R,D] any, R >= N+1: row 0 = class + position[0], row 1+n = x[n] +
   * position[1+n]; rows past N are zeroed. */
  CARDIAC_OP_TOKENS,
  /** Rows of the middle axis: in x [B,R,D] any, out y [B,n,D] any =
   * x[:, first:first+n]. `rows`. */
  CARDIAC_OP_ROWS_LOAD,
  /** The reverse, in place: in y0 [B,R,D] any, x [B,n,D] any; out is y0's own
   * value with y[:, first:first+n] = x. `rows`. */
  CARDIAC_OP_ROWS_STORE,
  /** Mean over the middle axis: in x [A,R,D] F32, out [A,D] F32. */
  CARDIAC_OP_MEAN,
  /** [B,C,H,W] F32 -> [B,H,W,C] any. */
  CARDIAC_OP_NCHW_TO_NHWC,
  /** Axes in another order: in x any, out any of the same rank, whose axis i is
   * x's axis axes[i]. `permute`. */
  CARDIAC_OP_PERMUTE,
  /** scale * cosine of rows: in f [A,E] F32, t [A,C,E] F32; out [A,C] F32.
   * `cosine`. */
  CARDIAC_OP_COSINE,
  /** MReg's feature amplification (paper Eq. 1): in z [I,T,E] F32, conv weight
   * [E,3] const, conv bias [E] const, norm weight [E], bias [E] const, running
   * mean [E] const?, running variance [E] const?; out a [I,T,E] F32.
   * `amplify`. */
  CARDIAC_OP_AMPLIFY,
  /** Eigen-CAM a frame (Muhammad & Yeasin 2020): in p [T,N,E] F32, mixed map
   * [T,N] F32 (fixes the sign); out [T,N+1] F32: the map, then the ratio of
   * the second to the first singular value of the centred p[t]. */
  CARDIAC_OP_EIGENCAM,
  /** YOLOv8's decoding: in three of box logits [1,Hs,Ws,64] any and class logits
   * [1,Hs,Ws,C] any (box8, class8, box16, class16, box32, class32); out
   * [4+C, cells] F32: cx, cy, w, h in input pixels, then sigmoid scores. */
  CARDIAC_OP_YOLO_DECODE,
  CARDIAC_OP_KINDS,
} CardiacOpKind;

typedef struct CardiacOp {
  CardiacOpKind kind;
  const char *label; ///< for people: "vision 3 fc1"; owned by the program
  int inputs;
  /** Shape and dtype of each input. `data` is the weights for a constant, NULL
   * for a value of the program (its memory is known only when it runs) and for
   * an absent optional input, which also has shape[0] == 0. */
  CardiacTensor in[CARDIAC_OP_MAX_INPUTS];
  bool constant[CARDIAC_OP_MAX_INPUTS]; ///< in[i].data is a constant
  CardiacTensor out;
  union {
    struct {
      CardiacActivation activation;
      /** Rows that belong together (tokens of a frame): a piece is a whole
       * number of such groups. 0: any. */
      int group;
    } linear;
    struct {
      float epsilon;
    } norm;
    struct {
      int heads, head_dim;
      int q_offset, k_offset, v_offset;
      float scale; ///< > 0
    } attention;
    struct {
      float alpha;
    } matmul;
    struct {
      int stride, padding;
      CardiacActivation activation;
    } conv;
    struct {
      int kernel, stride, padding;
    } pool;
    struct {
      bool bilinear; ///< else nearest, and no scale
      float scale;
    } upsample;
    struct {
      int first;
    } slice;
    struct {
      bool multiply; ///< else add
    } binary;
    struct {
      float offset, scale;
    } gate;
    struct {
      int patch;
    } patchify;
    struct {
      int first;
    } rows;
    struct {
      int axes[CARDIAC_MAX_RANK];
    } permute;
    struct {
      float scale;
    } cosine;
    struct {
      float beta, epsilon;
      bool replicate; ///< padding of the convolution over t: else zeros
    } amplify;
  };
} CardiacOp;

/** True when the optional input i is there. */
static inline bool
cardiac_op_has (const CardiacOp *op, int i)
{
  return i < op->inputs && op->in[i].shape[0] != 0;
}

/** Length of the last axis. */
static inline int64_t
cardiac_tensor_width (const CardiacTensor *tensor)
{
  return tensor->shape[tensor->rank - 1];
}

/** Product of all axes but the last. */
static inline int64_t
cardiac_tensor_rows (const CardiacTensor *tensor)
{
  return cardiac_tensor_count (tensor) / cardiac_tensor_width (tensor);
}

/** A planned operator. The backend fills it in prepare(). */
typedef struct CardiacKernel CardiacKernel;
struct CardiacKernel {
  /** Computes one piece.
   * @param in data of each input (constants too, unless consumed; NULL when
   *   absent), @param scratch `scratch_bytes` of memory that no other piece
   *   uses meanwhile, 64-byte aligned. */
  void (*run) (const CardiacKernel *kernel, void *const *in, void *out,
      int piece, void *scratch);
  void (*destroy) (CardiacKernel *kernel); ///< frees `state`; may be NULL
  void *state;
  int pieces;              ///< >= 1
  size_t scratch_bytes;    ///< a worker
  bool consumed_constants; ///< constants were packed into `state`: the program
                           ///< may free them
  char implementation[64]; ///< "reference", "brg:avx512_core_bf16", ...
  double flop;             ///< floating-point operations of the whole operator
};

typedef enum CardiacCopy {
  CARDIAC_COPY_UPLOAD,   ///< host to device
  CARDIAC_COPY_DOWNLOAD, ///< device to host
  CARDIAC_COPY_DEVICE,   ///< within the device
} CardiacCopy;

/** What a backend was opened for. */
typedef struct CardiacBackendSettings {
  int device_index;        ///< cuda:N
  CardiacDType activation; ///< F32 or BF16 (or F16)
  int threads;             ///< workers that will run pieces (for information)
} CardiacBackendSettings;

typedef struct CardiacBackend {
  int abi;          ///< CARDIAC_BACKEND_ABI
  const char *name; ///< "reference", "cpu", "cuda"
  /** Opens the backend. NULL with an error (DEVICE, UNSUPPORTED) when it cannot
   * run here. */
  void *(*open) (const CardiacBackendSettings *settings, CardiacError **error);
  void (*close) (void *context);
  /** What `precision=auto` means on this device: F32, BF16 or F16, by a table
   * of vendor and ISA, never by timing. F32 when there is no such device: then
   * open() says why. */
  CardiacDType (*preferred) (int device_index);
  /** Can this device run activations of this dtype at all (fast or not)? True
   * when there is no such device. */
  bool (*supports) (int device_index, CardiacDType activation);
  /** Plans one operator. False without an error: no kernel of this backend
   * (the program takes `reference`, and says so). False with an error: failed.
   * Called on a worker thread of the session's pool. */
  bool (*prepare) (void *context, const CardiacOp *op, CardiacKernel *kernel,
      CardiacError **error);
  /** (optional) Called once on each worker thread before it runs pieces. */
  void (*enter_thread) (void *context);
  /* The rest but describe() is there together or not at all: values then live
   * in the device's own memory, scratch too. Such a kernel has one piece, and
   * its run() only enqueues work, on the thread that calls run() below. */

  /** Device memory, at planning time. NULL with an error. */
  void *(*allocate) (void *context, size_t bytes, CardiacError **error);
  void (*release) (void *context, void *memory);
  /** Host memory that the device can copy from and to without waiting. */
  void *(*allocate_host) (void *context, size_t bytes, CardiacError **error);
  void (*release_host) (void *context, void *memory);
  /** Enqueues a copy; host memory comes from allocate_host(). A failure is
   * reported by the next run(). */
  void (*copy) (void *context, void *to, const void *from, size_t bytes,
      CardiacCopy direction);
  /** Makes a network's input of a picture, enqueued.
   * @param image its samples lie in device memory
   * @param out [3,side,side] in device memory */
  bool (*place) (void *context, const CardiacImage *image,
      const CardiacResize *resize, float *out, CardiacError **error);
  /** Calls `enqueue`, which enqueues kernels and copies, and waits until all of
   * it is done, and what was enqueued before. False with the first failure.
   * @param recording NULL, or where the backend may keep what was enqueued, to
   *   replay it in later runs without calling `enqueue`: so it must enqueue the
   *   same each time. NULL at first; given back by forget(). */
  bool (*run) (void *context, void **recording, void (*enqueue) (void *user),
      void *user, CardiacError **error);
  void (*forget) (void *context, void *recording);
  /** (optional) Describes the machine: ISA, library version. */
  const char *(*describe) (void *context);
} CardiacBackend;

/** Every module exports this symbol. */
#define CARDIAC_BACKEND_SYMBOL "cardiac_backend_module"
typedef const CardiacBackend *(*CardiacBackendModule) (void);

/** The plain C backend, always there. */
CARDIAC_API const CardiacBackend *cardiac_backend_reference (void);

/** Finds a backend by name ("reference", "cpu", "cuda"), opening its module
 * when needed ($CARDIAC_BACKEND_PATH, beside the engine library, then
 * libdir/gst-cardiac). Modules stay loaded. NULL with a DEVICE error that says
 * what was tried. Thread-safe. */
CARDIAC_API const CardiacBackend *cardiac_backend_find (
    const char *name, CardiacError **error);

/** "linear", "layer_norm", ... */
CARDIAC_API const char *cardiac_op_name (CardiacOpKind kind);

#endif
