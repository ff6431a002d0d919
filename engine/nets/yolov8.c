/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YOLOv8 of any scale: widths and repeats are read from the tensors. Values
 * are NHWC; batch norms are folded into the convolutions in float. */
#include <cardiac/yolov8.h>

#include "core/buffer.h"
#include "core/error.h"
#include "nets/nms.h"
#include "nets/ops.h"
#include "nets/programs.h"
#include "nets/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No file stores it; the public implementation's. */
static const double BATCH_NORM_EPSILON = 1e-3;

enum { BOX_LOGITS = 64 };

static const char *const known_keys[] = { "input_side", "sppf_activation",
  "labels", NULL };

struct CardiacYolov8 {
  CardiacModel *model;
  CardiacRuntime *runtime;
  CardiacProgram *program;
  CardiacBuffer *input;    ///< on its way to a device; NULL: on the host
  CardiacResizer *resizer; ///< NULL until it is needed
  CardiacYolov8Shape shape;
};

typedef struct Builder {
  CardiacProgram *program;
  CardiacWeights *weights;
  CardiacDType A;
} Builder;

/* ---- blocks ----------------------------------------------------------------- */

static void
fail_model (Builder *k, const char *what, const char *name)
{
  CardiacError *error = NULL;
  cardiac_fail (&error, CARDIAC_ERROR_MODEL, "%s: %s: %s",
      cardiac_model_path (k->weights->model), name, what);
  cardiac_program_fail (k->program, error);
}

/* Output channels and kernel side of the convolution NAME.weight. */
static bool
conv_extent (Builder *k, const char *name, int in, int64_t shape[4])
{
  CardiacError *error = NULL;
  shape[0] = shape[2] = shape[3] = -1;
  shape[1] = in;
  if (!cardiac_model_shape (k->weights->model, name, 4, shape, &error)) {
    cardiac_program_fail (k->program, error);
    return false;
  }
  if (shape[2] != shape[3] || (shape[2] != 1 && shape[2] != 3)) {
    fail_model (k, "a 1x1 or 3x3 kernel expected", name);
    return false;
  }
  return true;
}

static CardiacValue
append_conv (Builder *k, CardiacValue x, CardiacValue w, CardiacValue b,
    int64_t out, int kernel, int stride, CardiacActivation activation,
    CardiacValue residual, CardiacDType dtype, const char *name)
{
  CardiacTensor t = cardiac_program_describe (k->program, x);
  int padding = kernel / 2;
  int64_t h = (t.shape[1] + 2 * padding - kernel) / stride + 1;
  int64_t v = (t.shape[2] + 2 * padding - kernel) / stride + 1;
  CardiacOp op = { .kind = CARDIAC_OP_CONV2D,
    .conv = {
        .stride = stride, .padding = padding, .activation = activation } };
  return cardiac_program_op (k->program, &op,
      (CardiacValue[]){ x, w, b, residual }, 4,
      cardiac_program_value (
          k->program, dtype, 4, (int64_t[]){ t.shape[0], h, v, out }),
      "%s", name);
}

static int
channels (Builder *k, CardiacValue x)
{
  return (int) cardiac_program_describe (k->program, x).shape[3];
}

/* w' = w γ/√(σ²+ε), b' = β - μ γ/√(σ²+ε). */
static void
fold_batch_norm (float *w, float *b, const float *gamma, const float *beta,
    const float *mean, const float *variance, int64_t out, int64_t count)
{
  for (int64_t o = 0; o < out; o++) {
    double scale = gamma[o] / sqrt (variance[o] + BATCH_NORM_EPSILON);
    for (int64_t i = 0; i < count; i++)
      w[o * count + i] = (float) (w[o * count + i] * scale);
    b[o] = (float) (beta[o] - mean[o] * scale);
  }
}

/* Conv: convolution without bias, batch norm, SiLU. */
static CardiacValue
conv_block (Builder *k, CardiacValue x, int stride,
    CardiacActivation activation, CardiacValue residual, const char *name)
{
  char full[160];
  int64_t shape[4];
  snprintf (full, sizeof full, "%s.conv.weight", name);
  if (!x || !conv_extent (k, full, channels (k, x), shape))
    return 0;
  int64_t n = shape[0];
  float *w = cardiac_weights_floats (k->weights, 4, shape, "%s", full);
  float *gamma =
      cardiac_weights_floats (k->weights, 1, &n, "%s.bn.weight", name);
  float *beta = cardiac_weights_floats (k->weights, 1, &n, "%s.bn.bias", name);
  float *mean =
      cardiac_weights_floats (k->weights, 1, &n, "%s.bn.running_mean", name);
  float *variance =
      cardiac_weights_floats (k->weights, 1, &n, "%s.bn.running_var", name);
  float *bias = malloc (n * sizeof *bias);
  bool there = w && gamma && beta && mean && variance && bias;
  if (there)
    fold_batch_norm (w, bias, gamma, beta, mean, variance, n,
        shape[1] * shape[2] * shape[3]);
  free (gamma);
  free (beta);
  free (mean);
  free (variance);
  if (!there) {
    free (w);
    free (bias);
    return 0;
  }
  CardiacValue wv = cardiac_program_constant (k->program, w, 4, shape, NULL);
  CardiacValue bv = cardiac_program_constant (k->program, bias, 1, &n, NULL);
  return append_conv (k, x, wv, bv, n, (int) shape[2], stride, activation,
      residual, k->A, name);
}

/* The last convolution of a branch: 1x1 with bias, no activation, float. */
static CardiacValue
conv_plain (Builder *k, CardiacValue x, int out, const char *name)
{
  int64_t shape[4] = { out, channels (k, x), 1, 1 }, n = out;
  float *w = cardiac_weights_floats (k->weights, 4, shape, "%s.weight", name);
  float *b = cardiac_weights_floats (k->weights, 1, &n, "%s.bias", name);
  CardiacValue wv = cardiac_program_constant (k->program, w, 4, shape, NULL);
  CardiacValue bv = cardiac_program_constant (k->program, b, 1, &n, NULL);
  return append_conv (
      k, x, wv, bv, out, 1, 1, CARDIAC_ACTIVATION_NONE, 0, CARDIAC_F32, name);
}

static CardiacValue
conv_silu (Builder *k, CardiacValue x, int stride, const char *format,
    int index, const char *suffix)
{
  char name[96];
  snprintf (name, sizeof name, format, index);
  size_t used = strlen (name);
  snprintf (name + used, sizeof name - used, "%s", suffix);
  return conv_block (k, x, stride, CARDIAC_ACTIVATION_SILU, 0, name);
}

/* C2f: cv1 to two halves, n bottlenecks in a chain from the second half, all
 * outputs concatenated, cv2. */
static CardiacValue
c2f (Builder *k, CardiacValue x, int index, bool shortcut)
{
  char name[96];
  CardiacValue y = conv_silu (k, x, 1, "model.%d", index, ".cv1");
  if (!y)
    return 0;
  int hidden = channels (k, y) / 2;
  CardiacTensor t = cardiac_program_describe (k->program, y);
  t.shape[3] = hidden;
  CardiacOp slice = { .kind = CARDIAC_OP_SLICE, .slice = { .first = hidden } };
  CardiacValue chain =
      cardiac_program_op (k->program, &slice, (CardiacValue[]){ y }, 1,
          cardiac_program_value (k->program, k->A, 4, t.shape),
          "model.%d.split", index);
  CardiacValue parts[CARDIAC_OP_MAX_INPUTS] = { y };
  int count = 1;
  for (int j = 0;; j++) {
    snprintf (name, sizeof name, "model.%d.m.%d.cv1.conv.weight", index, j);
    if (!cardiac_model_tensor (k->weights->model, name))
      break;
    if (count == CARDIAC_OP_MAX_INPUTS) {
      fail_model (k, "too many bottlenecks", name);
      return 0;
    }
    snprintf (name, sizeof name, "model.%d.m.%d.cv1", index, j);
    CardiacValue inner =
        conv_block (k, chain, 1, CARDIAC_ACTIVATION_SILU, 0, name);
    snprintf (name, sizeof name, "model.%d.m.%d.cv2", index, j);
    chain = conv_block (
        k, inner, 1, CARDIAC_ACTIVATION_SILU, shortcut ? chain : 0, name);
    parts[count++] = chain;
  }
  snprintf (name, sizeof name, "model.%d.concat", index);
  CardiacValue all = cardiac_concat (k->program, parts, count, name);
  return conv_silu (k, all, 1, "model.%d", index, ".cv2");
}

static CardiacValue
max_pool (Builder *k, CardiacValue x)
{
  CardiacTensor t = cardiac_program_describe (k->program, x);
  CardiacOp op = { .kind = CARDIAC_OP_MAX_POOL2D,
    .pool = { .kernel = 5, .stride = 1, .padding = 2 } };
  return cardiac_program_op (k->program, &op, (CardiacValue[]){ x }, 1,
      cardiac_program_value (k->program, t.dtype, 4, t.shape), "model.9.pool");
}

static CardiacValue
sppf (Builder *k, CardiacValue x, bool activation)
{
  CardiacValue parts[4];
  parts[0] = conv_block (k, x, 1,
      activation ? CARDIAC_ACTIVATION_SILU : CARDIAC_ACTIVATION_NONE, 0,
      "model.9.cv1");
  for (int i = 1; i < 4; i++)
    parts[i] = max_pool (k, parts[i - 1]);
  return conv_silu (k, cardiac_concat (k->program, parts, 4, "model.9.concat"),
      1, "model.%d", 9, ".cv2");
}

/* concat(twice as large x, skip). */
static CardiacValue
up_and_concat (Builder *k, CardiacValue x, CardiacValue skip, int index)
{
  char name[32];
  CardiacTensor t = cardiac_program_describe (k->program, x);
  t.shape[1] *= 2;
  t.shape[2] *= 2;
  CardiacOp op = { .kind = CARDIAC_OP_UPSAMPLE2X };
  CardiacValue up = cardiac_program_op (k->program, &op, (CardiacValue[]){ x },
      1, cardiac_program_value (k->program, t.dtype, 4, t.shape), "model.%d.up",
      index);
  snprintf (name, sizeof name, "model.%d.concat", index + 1);
  return cardiac_concat (k->program, (CardiacValue[]){ up, skip }, 2, name);
}

/* ---- the network ------------------------------------------------------------ */

static void
build (CardiacYolov8 *y, Builder *k, bool sppf_activation)
{
  const CardiacYolov8Shape *s = &y->shape;
  CardiacValue input = cardiac_program_input (k->program, "input", CARDIAC_F32,
      4, (int64_t[]){ 1, 3, s->height, s->width });
  cardiac_program_keep (k->program, "input");
  CardiacOp permute = { .kind = CARDIAC_OP_NCHW_TO_NHWC };
  CardiacValue x =
      cardiac_program_op (k->program, &permute, (CardiacValue[]){ input }, 1,
          cardiac_program_value (
              k->program, k->A, 4, (int64_t[]){ 1, s->height, s->width, 3 }),
          "input");

  /* Backbone: P3 (stride 8), P4 (16), P5 (32). */
  x = conv_silu (k, x, 2, "model.%d", 0, "");
  x = conv_silu (k, x, 2, "model.%d", 1, "");
  x = c2f (k, x, 2, true);
  x = conv_silu (k, x, 2, "model.%d", 3, "");
  CardiacValue p3 = c2f (k, x, 4, true);
  x = conv_silu (k, p3, 2, "model.%d", 5, "");
  CardiacValue p4 = c2f (k, x, 6, true);
  x = conv_silu (k, p4, 2, "model.%d", 7, "");
  x = c2f (k, x, 8, true);
  CardiacValue p5 = sppf (k, x, sppf_activation);

  /* Neck, top down, then bottom up. */
  CardiacValue n4 = c2f (k, up_and_concat (k, p5, p4, 10), 12, false);
  CardiacValue n3 = c2f (k, up_and_concat (k, n4, p3, 13), 15, false);
  x = conv_silu (k, n3, 2, "model.%d", 16, "");
  x = cardiac_concat (
      k->program, (CardiacValue[]){ x, n4 }, 2, "model.17.concat");
  n4 = c2f (k, x, 18, false);
  x = conv_silu (k, n4, 2, "model.%d", 19, "");
  x = cardiac_concat (
      k->program, (CardiacValue[]){ x, p5 }, 2, "model.20.concat");
  CardiacValue n5 = c2f (k, x, 21, false);

  /* Decoupled head. */
  CardiacValue scales[3] = { n3, n4, n5 }, logits[6];
  for (int i = 0; i < 3; i++) {
    CardiacValue box = conv_silu (k, scales[i], 1, "model.22.cv2.%d", i, ".0");
    box = conv_silu (k, box, 1, "model.22.cv2.%d", i, ".1");
    CardiacValue cls = conv_silu (k, scales[i], 1, "model.22.cv3.%d", i, ".0");
    cls = conv_silu (k, cls, 1, "model.22.cv3.%d", i, ".1");
    char name[32];
    snprintf (name, sizeof name, "model.22.cv2.%d.2", i);
    logits[2 * i] = conv_plain (k, box, BOX_LOGITS, name);
    snprintf (name, sizeof name, "model.22.cv3.%d.2", i);
    logits[2 * i + 1] = conv_plain (k, cls, s->classes, name);
  }
  CardiacOp decode = { .kind = CARDIAC_OP_YOLO_DECODE };
  CardiacValue raw = cardiac_program_op (k->program, &decode, logits, 6,
      cardiac_program_value (
          k->program, CARDIAC_F32, 2, (int64_t[]){ 4 + s->classes, s->cells }),
      "model.22.decode");
  cardiac_program_output (k->program, "raw", raw);
  cardiac_weights_all_used (k->weights);
}

static int64_t
input_count (const CardiacYolov8Shape *shape)
{
  return 3 * (int64_t) shape->height * shape->width;
}

/* Where an input waits that a device has to fetch. */
static bool
make_input (CardiacYolov8 *y, CardiacError **error)
{
  if (cardiac_program_data (y->program, "input", NULL))
    return true;
  y->input = cardiac_buffer_new (y->runtime, input_count (&y->shape), error);
  return y->input != NULL;
}

static bool
read_shape (CardiacYolov8 *y, int height, int width, CardiacError **error)
{
  int64_t side;
  if (!cardiac_model_config_int (
          y->model, "input_side", 32, 4096, 640, &side, error))
    return false;
  if (side % 32 != 0)
    return cardiac_fail (error, CARDIAC_ERROR_MODEL,
        "%s: input_side is %d; a multiple of 32 expected",
        cardiac_model_path (y->model), (int) side);
  height = height ? height : (int) side;
  width = width ? width : (int) side;
  if (height % 32 || width % 32 || height < 32 || width < 32 || height > 4096
      || width > 4096)
    return cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "an input of %d x %d px was asked for; multiples of 32 up to 4096 "
        "expected",
        width, height);
  int64_t cls[4] = { -1, -1, 1, 1 };
  if (!cardiac_model_shape (y->model, "model.22.cv3.0.2.weight", 4, cls, error))
    return false;
  int64_t cells = 0;
  for (int stride = 8; stride <= 32; stride *= 2)
    cells += (int64_t) (height / stride) * (width / stride);
  y->shape = (CardiacYolov8Shape){ .height = height,
    .width = width,
    .classes = (int) cls[0],
    .cells = (int) cells };
  return true;
}

CardiacYolov8 *
cardiac_yolov8_new (CardiacModel *model, int height, int width,
    const CardiacSettings *settings, CardiacError **error)
{
  if (cardiac_model_arch (model) != CARDIAC_ARCH_YOLOV8) {
    cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "%s is a '%s' model; 'yolov8' expected", cardiac_model_path (model),
        cardiac_arch_name (cardiac_model_arch (model)));
    return NULL;
  }
  CardiacYolov8 *y = calloc (1, sizeof *y);
  if (!y) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  y->model = cardiac_model_ref (model);
  bool sppf_activation;
  if (!cardiac_model_config_known (model, known_keys, error)
      || !read_shape (y, height, width, error)
      || !cardiac_model_config_bool (
          model, "sppf_activation", true, &sppf_activation, error)
      || !(y->runtime = cardiac_runtime_new (settings, error)))
    goto failed;
  y->program = cardiac_program_new (y->runtime);
  if (!y->program) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    goto failed;
  }
  CardiacWeights weights;
  cardiac_weights_init (&weights, model, y->program);
  Builder builder = { .program = y->program,
    .weights = &weights,
    .A = cardiac_runtime_activation (y->runtime) };
  build (y, &builder, sppf_activation);
  cardiac_weights_clear (&weights);
  if (cardiac_program_plan (y->program, error) && make_input (y, error))
    return y;

failed:
  cardiac_yolov8_free (&y);
  return NULL;
}

void
cardiac_yolov8_free (CardiacYolov8 **yolov8)
{
  if (!yolov8 || !*yolov8)
    return;
  CardiacYolov8 *y = *yolov8;
  cardiac_program_free (&y->program);
  cardiac_buffer_free (&y->input);
  cardiac_resizer_free (&y->resizer);
  cardiac_runtime_free (&y->runtime);
  cardiac_model_unref (&y->model);
  free (y);
  *yolov8 = NULL;
}

const CardiacYolov8Shape *
cardiac_yolov8_shape (const CardiacYolov8 *yolov8)
{
  return &yolov8->shape;
}

const CardiacRunInfo *
cardiac_yolov8_run_info (const CardiacYolov8 *yolov8)
{
  return cardiac_runtime_info (yolov8->runtime);
}

CardiacProgram *
cardiac_yolov8_program (CardiacYolov8 *yolov8)
{
  return yolov8->program;
}

void
cardiac_yolov8_raw (const CardiacYolov8 *yolov8, CardiacTensor *tensor)
{
  cardiac_program_data (yolov8->program, "raw", tensor);
}

/* Over an input that is in place. */
static int
detect (CardiacYolov8 *y, CardiacDetection *detections, CardiacError **error)
{
  if (!cardiac_program_run (y->program, error))
    return -1;
  const float *raw = cardiac_program_data (y->program, "raw", NULL);
  int count = cardiac_nms (raw, y->shape.classes, y->shape.cells, detections,
      CARDIAC_YOLOV8_MAX_DETECTIONS);
  if (count < 0)
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "no memory for the detections of %d cells", y->shape.cells);
  return count;
}

/* Host memory that the input is written to, and then sent from. */
static float *
input_to_fill (CardiacYolov8 *y, CardiacError **error)
{
  return y->input ? cardiac_buffer_host (y->input, true, error)
                  : cardiac_program_data (y->program, "input", NULL);
}

static void
send_input (CardiacYolov8 *y)
{
  if (y->input)
    cardiac_program_load (y->program, "input", 0, y->input);
}

int
cardiac_yolov8_run (CardiacYolov8 *yolov8, const float *input,
    CardiacDetection *detections, CardiacError **error)
{
  float *to = input_to_fill (yolov8, error);
  if (!to)
    return -1;
  memcpy (to, input, sizeof *to * input_count (&yolov8->shape));
  send_input (yolov8);
  return detect (yolov8, detections, error);
}

static bool
place_on_host (CardiacYolov8 *y, const CardiacImage *image,
    CardiacLetterbox *placement, CardiacError **error)
{
  float *to = input_to_fill (y, error);
  if (!to || (!y->resizer && !(y->resizer = cardiac_resizer_new (error)))
      || !cardiac_resizer_letterbox_to_tensor (
          y->resizer, image, y->shape.height, to, placement, error))
    return false;
  send_input (y);
  return true;
}

static bool
place_on_device (CardiacYolov8 *y, const CardiacImage *image,
    CardiacLetterbox *placement, CardiacError **error)
{
  if (!cardiac_image_validate (image, error)
      || !cardiac_letterbox_place (
          image->width, image->height, y->shape.height, placement, error))
    return false;
  const CardiacResize resize = cardiac_resize_letterbox (placement);
  return cardiac_program_place (y->program, "input", 0, image, &resize, error);
}

int
cardiac_yolov8_run_image (CardiacYolov8 *yolov8, const CardiacImage *image,
    CardiacMemory memory, CardiacDetection *detections,
    CardiacLetterbox *placement, CardiacError **error)
{
  const CardiacYolov8Shape *shape = &yolov8->shape;
  CardiacLetterbox place;
  if (shape->height != shape->width) {
    cardiac_fail (error, CARDIAC_ERROR_INVALID_ARGUMENT,
        "pictures need a square input; the network's is %d x %d px",
        shape->width, shape->height);
    return -1;
  }
  if (!(memory == CARDIAC_MEMORY_DEVICE
              ? place_on_device (yolov8, image, &place, error)
              : place_on_host (yolov8, image, &place, error)))
    return -1;
  if (placement)
    *placement = place;
  return detect (yolov8, detections, error);
}
