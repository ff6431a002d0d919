/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu.h"

#include "core/error.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* NHWC convolution. A piece is a strip of rows of one picture's result; it
 * reads the rows above and below that its window reaches, so strips need not
 * wait for one another. Strips differ in height and in how much of their
 * window hangs over the edge: one primitive for each kind. */

enum { MOST_STRIPS = 16 };

/** Multiply-accumulates that make a strip worth its overhead. */
static const double STRIP_WORK = 4e6;

typedef struct Strip {
  int64_t in_row, in_rows; ///< rows of x that it reads
  int64_t out_row, out_rows;
  int kind;
} Strip;

typedef struct Kind {
  int64_t in_rows, out_rows;
  CpuWindow window;
  CpuPrimitive *primitive;
  CpuConstants *constants; ///< NULL: those of kind 0
} Kind;

typedef struct Conv2d {
  const CpuVector *vector;
  CardiacDType x_dtype, y_dtype;
  int64_t height, width, in; ///< of x
  int64_t out_height, out_width, out;
  bool residual, staged;
  int strip_count, kind_count;
  Strip strips[MOST_STRIPS];
  Kind kinds[MOST_STRIPS];
  size_t stage_bytes;
} Conv2d;

static void
run_conv2d (const CardiacKernel *kernel, void *const *in, void *out, int piece,
    void *scratch)
{
  const Conv2d *conv = kernel->state;
  const int64_t b = piece / conv->strip_count;
  const Strip *strip = &conv->strips[piece % conv->strip_count];
  const int64_t from =
      (b * conv->height + strip->in_row) * conv->width * conv->in;
  const int64_t to =
      (b * conv->out_height + strip->out_row) * conv->out_width * conv->out;
  const int64_t count = strip->out_rows * conv->out_width * conv->out;
  const Kind *kind = &conv->kinds[strip->kind];
  const CpuConstants *constants =
      kind->constants ? kind->constants : conv->kinds[0].constants;
  const void *x = cpu_at (in[0], conv->x_dtype, from);
  void *y = cpu_at (out, conv->y_dtype, to);
  const void *residual =
      conv->residual ? cpu_at (in[3], conv->y_dtype, to) : NULL;

  if (conv->staged) {
    char *rest = (char *) scratch + conv->stage_bytes;
    cpu_primitive_run (kind->primitive, x, constants, scratch, rest);
    if (residual)
      conv->vector->binary (false, scratch, CARDIAC_F32, residual,
          conv->y_dtype, y, conv->y_dtype, count);
    else
      conv->vector->convert (y, conv->y_dtype, scratch, CARDIAC_F32, count);
    return;
  }
  if (residual && residual != y)
    memcpy (y, residual, (size_t) count * cpu_size (conv->y_dtype));
  cpu_primitive_run (kind->primitive, x, constants, y, scratch);
}

/* ---- planning ----------------------------------------------------------------- */

static void
conv2d_free (Conv2d *conv)
{
  if (!conv)
    return;
  for (int i = 0; i < conv->kind_count; i++) {
    cpu_primitive_free (conv->kinds[i].primitive);
    cpu_constants_free (conv->kinds[i].constants);
  }
  free (conv);
}

static void
destroy_conv2d (CardiacKernel *kernel)
{
  conv2d_free (kernel->state);
  kernel->state = NULL;
}

static int64_t
positive (int64_t x)
{
  return x > 0 ? x : 0;
}

/** A strip's rows of x, and the part of its window outside x. */
static Kind
place_strip (const Conv2d *conv, const CardiacOp *op, Strip *strip)
{
  const int64_t kh = op->in[1].shape[2], kw = op->in[1].shape[3];
  const int64_t stride = op->conv.stride, padding = op->conv.padding;
  const int64_t above = strip->out_row * stride - padding;
  const int64_t below =
      (strip->out_row + strip->out_rows - 1) * stride - padding + kh;
  strip->in_row = positive (above);
  strip->in_rows = cpu_min (below, conv->height) - strip->in_row;
  const int64_t right = (conv->out_width - 1) * stride - padding + kw;
  return (Kind){
    .in_rows = strip->in_rows,
    .out_rows = strip->out_rows,
    .window = { .kernel_height = (int) kh,
        .kernel_width = (int) kw,
        .stride = (int) stride,
        .top = (int) positive (-above),
        .bottom = (int) positive (below - conv->height),
        .left = (int) padding,
        .right = (int) positive (right - conv->width) },
  };
}

/** Index of this kind among those there are, or of a new one. */
static int
find_kind (Conv2d *conv, const Kind *kind)
{
  int i = 0;
  for (; i < conv->kind_count; i++) {
    const Kind *it = &conv->kinds[i];
    if (it->in_rows == kind->in_rows && it->out_rows == kind->out_rows
        && it->window.top == kind->window.top
        && it->window.bottom == kind->window.bottom)
      return i;
  }
  conv->kinds[i] = *kind;
  conv->kind_count++;
  return i;
}

/** As many as the work is worth; rather fewer and of one height, which takes
 * fewer kinds. */
static int
count_strips (const Conv2d *conv, double work)
{
  int64_t most = (int64_t) (work / STRIP_WORK);
  most = cpu_min (cpu_min (most, MOST_STRIPS), conv->out_height);
  for (int64_t count = most; 2 * count > most; count--)
    if (count > 0 && conv->out_height % count == 0)
      return (int) count;
  return most < 1 ? 1 : (int) most;
}

/** False when a strip would lie in the padding altogether. */
static bool
cut_strips (Conv2d *conv, const CardiacOp *op, double work)
{
  conv->strip_count = count_strips (conv, work);
  for (int i = 0; i < conv->strip_count; i++) {
    Strip *strip = &conv->strips[i];
    const int64_t next = conv->out_height * (i + 1) / conv->strip_count;
    strip->out_row = conv->out_height * i / conv->strip_count;
    strip->out_rows = next - strip->out_row;
    Kind kind = place_strip (conv, op, strip);
    if (strip->in_rows < 1)
      return false;
    strip->kind = find_kind (conv, &kind);
  }
  return true;
}

/** A kind's primitive. It reads weights packed for kind 0 if it can: oneDNN
 * packs by shape, and has only a slow implementation for another's layout. */
static CpuPrimitive *
make_primitive (const CpuContext *context, const Conv2d *conv,
    const CardiacOp *op, const Kind *kind, const CpuPrimitive *like,
    CardiacError **error)
{
  const int64_t *shape = op->in[1].shape;
  CpuArray w = { conv->x_dtype, 4, { shape[0], shape[1], shape[2], shape[3] },
    { 0 } };
  CpuArray x = cpu_channels_last (
      conv->x_dtype, 1, kind->in_rows, conv->width, conv->in);
  CpuArray y = cpu_channels_last (conv->staged ? CARDIAC_F32 : conv->y_dtype, 1,
      kind->out_rows, conv->out_width, conv->out);
  CpuEpilogue epilogue = {
    .bias = cardiac_op_has (op, 2),
    .activation = op->conv.activation,
    .accumulate = conv->residual && !conv->staged,
  };
  return cpu_convolution_new (
      context->library, &x, &w, &y, &kind->window, &epilogue, like, error);
}

static bool
make_kind (const CpuContext *context, Conv2d *conv, const CardiacOp *op,
    Kind *kind, CardiacError **error)
{
  const int64_t *shape = op->in[1].shape;
  const CpuPrimitive *first = conv->kinds[0].primitive;
  if (first) {
    kind->primitive = make_primitive (context, conv, op, kind, first, NULL);
    if (kind->primitive
        && (!cpu_primitive_is_slow (kind->primitive)
            || cpu_primitive_is_slow (first)))
      return true;
    cpu_primitive_free (kind->primitive);
  }
  kind->primitive = make_primitive (context, conv, op, kind, NULL, error);
  if (!kind->primitive)
    return false;
  CpuArray w = { CARDIAC_F32, 4, { shape[0], shape[1], shape[2], shape[3] },
    { shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1 } };
  kind->constants = cpu_constants_new (kind->primitive, &w, op->in[1].data,
      cardiac_op_has (op, 2) ? op->in[2].data : NULL, error);
  return kind->constants != NULL;
}

/** Without AVX-512, oneDNN has only a slow implementation for a sum after the
 * activation: the residual is then added afterwards. */
static bool
sums_slowly (const CpuContext *context, const Conv2d *conv, const CardiacOp *op)
{
  if (!conv->residual || conv->staged)
    return false;
  CpuPrimitive *primitive =
      make_primitive (context, conv, op, &conv->kinds[0], NULL, NULL);
  const bool slow = !primitive || cpu_primitive_is_slow (primitive);
  cpu_primitive_free (primitive);
  return slow;
}

static bool
make_kinds (const CpuContext *context, Conv2d *conv, const CardiacOp *op,
    CardiacError **error)
{
  conv->staged = conv->staged || sums_slowly (context, conv, op);
  for (int i = 0; i < conv->kind_count; i++)
    if (!make_kind (context, conv, op, &conv->kinds[i], error))
      return false;
  return true;
}

/** Of the slowest kind. */
static const char *
implementation (const Conv2d *conv)
{
  for (int i = 0; i < conv->kind_count; i++)
    if (cpu_primitive_is_slow (conv->kinds[i].primitive))
      return cpu_primitive_implementation (conv->kinds[i].primitive);
  return cpu_primitive_implementation (conv->kinds[0].primitive);
}

static size_t
scratch_bytes (Conv2d *conv)
{
  size_t most = 0;
  for (int i = 0; i < conv->kind_count; i++) {
    const Kind *kind = &conv->kinds[i];
    const size_t stage =
        cpu_lines ((size_t) (kind->out_rows * conv->out_width * conv->out) * 4);
    if (cpu_primitive_scratch (kind->primitive) > most)
      most = cpu_primitive_scratch (kind->primitive);
    if (conv->staged && stage > conv->stage_bytes)
      conv->stage_bytes = stage;
  }
  return most + conv->stage_bytes;
}

static bool
plan (const CpuContext *context, const CardiacOp *op, CardiacKernel *kernel,
    Conv2d *conv, CardiacError **error)
{
  const int64_t *shape = op->in[1].shape;
  const int64_t batch = op->in[0].shape[0];
  const double work = (double) (conv->out_height * conv->out_width)
                      * (double) (shape[0] * shape[1] * shape[2] * shape[3]);
  if (!cut_strips (conv, op, work) || batch * conv->strip_count > INT_MAX
      || !make_kinds (context, conv, op, error))
    return false;
  *kernel = (CardiacKernel){
    .run = run_conv2d,
    .destroy = destroy_conv2d,
    .state = conv,
    .pieces = (int) batch * conv->strip_count,
    .scratch_bytes = scratch_bytes (conv),
    .consumed_constants = true,
    .flop = 2 * work * (double) batch,
  };
  cpu_name_implementation (kernel, implementation (conv));
  return true;
}

static bool
fits (const CardiacOp *op)
{
  const CardiacTensor *x = &op->in[0], *w = &op->in[1], *y = &op->out;
  if (!cpu_expect (op, 2) || x->rank != 4 || w->rank != 4 || y->rank != 4
      || !op->constant[1] || op->conv.stride < 1 || op->conv.padding < 0)
    return false;
  const int64_t stride = op->conv.stride, twice = 2 * op->conv.padding;
  return w->shape[1] == x->shape[3] && y->shape[0] == x->shape[0]
         && y->shape[3] == w->shape[0]
         && y->shape[1] == (x->shape[1] + twice - w->shape[2]) / stride + 1
         && y->shape[2] == (x->shape[2] + twice - w->shape[3]) / stride + 1
         && (!cardiac_op_has (op, 2)
             || (op->constant[2]
                 && cardiac_tensor_count (&op->in[2]) == w->shape[0]))
         && (!cardiac_op_has (op, 3)
             || (op->in[3].dtype == y->dtype
                 && cardiac_tensor_count (&op->in[3])
                        == cardiac_tensor_count (y)));
}

CPU_PREPARE (conv2d)
{
  if (!fits (op))
    return false;
  const CardiacTensor *x = &op->in[0], *y = &op->out;
  Conv2d *conv = calloc (1, sizeof *conv);
  if (!conv)
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
  conv->vector = context->vector;
  conv->x_dtype = x->dtype;
  conv->y_dtype = y->dtype;
  conv->height = x->shape[1];
  conv->width = x->shape[2];
  conv->in = x->shape[3];
  conv->out_height = y->shape[1];
  conv->out_width = y->shape[2];
  conv->out = y->shape[3];
  conv->residual = cardiac_op_has (op, 3);
  conv->staged = x->dtype == CARDIAC_F32 && y->dtype == CARDIAC_BF16;
  if (plan (context, op, kernel, conv, error))
    return true;
  conv2d_free (conv);
  return false;
}
