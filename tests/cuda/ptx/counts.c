/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Launches own kernels once at the shapes of the papers' networks, for
 * PTX_COUNTS=1 or 2 to say what they do: X-CLIP B/16 (two of its 16 frames),
 * YOLOv8n at 640 pixels, MMSA (one phase). */
#include "../../require.h"
#include "kernels.h"
#include "preprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CALL(expression) REQUIRE ((expression) == cudaSuccess)

CARDIAC_API const CardiacBackend *cardiac_backend_module (void);

static cudaStream_t stream;

/** Some numbers between -1 and 1 of a dtype, in device memory that is kept. */
static void *
numbers (size_t count, CardiacDType dtype)
{
  const size_t size = dtype == CARDIAC_F32 ? 4 : 2;
  void *memory = NULL, *host = malloc (count * size);
  uint32_t state = 1;
  REQUIRE (host);
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525 + 1013904223;
    const float x = (float) (int32_t) state * 0x1p-31f;
    uint32_t bits;
    memcpy (&bits, &x, sizeof bits);
    if (size == 4)
      ((uint32_t *) host)[i] = bits;
    else
      ((uint16_t *) host)[i] = (uint16_t) (bits >> 16);
  }
  CALL (cudaMalloc (&memory, count * size));
  CALL (cudaMemcpy (memory, host, count * size, cudaMemcpyHostToDevice));
  free (host);
  return memory;
}

static float *
floats (size_t count)
{
  return numbers (count, CARDIAC_F32);
}

static void *
halves (size_t count)
{
  return numbers (count, CARDIAC_BF16);
}

static void
attend (CardiacDType dtype, int batch, int heads, int queries, int keys)
{
  const int width = 64 * heads;
  const CardiacAttention a = { .dtype = dtype,
    .q = numbers ((size_t) (batch * queries * 3 * width), dtype),
    .k = numbers ((size_t) (batch * keys * 3 * width), dtype),
    .v = numbers ((size_t) (batch * keys * 3 * width), dtype),
    .y = numbers ((size_t) (batch * queries * width), dtype),
    .batch = batch,
    .heads = heads,
    .head_dim = 64,
    .queries = queries,
    .keys = keys,
    .q_width = 3 * width,
    .k_width = 3 * width,
    .v_width = 3 * width,
    .k_offset = width,
    .v_offset = 2 * width,
    .scale = 0.125f };
  CALL (cardiac_cuda_attention (&a, stream));
}

static void
xclip (void)
{
  enum { FRAMES = 2, PATCHES = 196, ROWS = 198, D = 768, ALL = FRAMES * ROWS };
  CALL (cardiac_cuda_patchify (floats (FRAMES * 3 * 224 * 224),
      halves (FRAMES * PATCHES * D), CARDIAC_BF16, FRAMES, 224, 16, stream));
  CALL (cardiac_cuda_tokens (floats (FRAMES * PATCHES * D), CARDIAC_F32,
      floats (D), floats (197 * D), floats (ALL * D), CARDIAC_F32, FRAMES,
      PATCHES, ROWS, D, stream));
  CALL (cardiac_cuda_layer_norm (floats (ALL * D), CARDIAC_F32, floats (D),
      floats (D), halves (ALL * D), CARDIAC_BF16, ALL, D, 1e-5f, stream));
  attend (CARDIAC_BF16, FRAMES, 12, ROWS, ROWS);
  attend (CARDIAC_F32, 1, 12, ROWS, ROWS);
  attend (CARDIAC_F32, 1, 8, 3, PATCHES);
  CALL (cardiac_cuda_epilogue (halves (ALL * 4 * D), CARDIAC_BF16, NULL, 4 * D,
      NULL, CARDIAC_F32, halves (ALL * 4 * D), CARDIAC_BF16, ALL * 4 * D,
      CARDIAC_ACTIVATION_QUICK_GELU, stream));
  CALL (cardiac_cuda_copy_rows (floats (ALL * D), CARDIAC_F32, ROWS * D, D,
      floats (FRAMES * PATCHES * D), CARDIAC_F32, PATCHES * D, 0, FRAMES,
      PATCHES * D, stream));
  CALL (cardiac_cuda_binary (floats (16 * 512), CARDIAC_F32, floats (512),
      CARDIAC_F32, 512, floats (16 * 512), CARDIAC_F32, 16 * 512, false,
      stream));
}

static void
mreg (void)
{
  enum { INSTANCES = 3, FRAMES = 16, E = 512, PATCHES = 196 };
  const CardiacAmplify amplify = { .instances = INSTANCES,
    .frames = FRAMES,
    .e = E,
    .z = floats (INSTANCES * FRAMES * E),
    .weight = floats (3 * E),
    .bias = floats (E),
    .gain = floats (E),
    .offset = floats (E),
    .lengths = floats (INSTANCES * FRAMES),
    .beta = 0.1f,
    .epsilon = 1e-5f };
  CALL (
      cardiac_cuda_amplify (&amplify, floats (INSTANCES * FRAMES * E), stream));
  CALL (cardiac_cuda_mean (
      floats (FRAMES * E), floats (E), 1, FRAMES, E, stream));
  CALL (cardiac_cuda_cosine (floats (INSTANCES * E), floats (INSTANCES * 3 * E),
      floats (INSTANCES * 3), INSTANCES, 3, E, 1, stream));
  CALL (cardiac_cuda_softmax (floats (FRAMES * PATCHES),
      floats (FRAMES * PATCHES), FRAMES, PATCHES, stream));
  const CardiacEigencam eigencam = { .frames = 1,
    .patches = PATCHES,
    .channels = E,
    .p = floats (PATCHES * E),
    .mixed = floats (PATCHES),
    .scratch = numbers (
        cardiac_cuda_eigencam_scratch (1, PATCHES, E) / 4, CARDIAC_F32),
    .y = floats (PATCHES + 1) };
  CALL (cardiac_cuda_eigencam (&eigencam, stream));
}

static CardiacTensor
tensor (CardiacDType dtype, int64_t height, int64_t width, int64_t channels)
{
  const CardiacTensor it = {
    .dtype = dtype, .rank = 4, .shape = { 1, height, width, channels }
  };
  return it;
}

static void
yolov8 (void)
{
  enum { CELLS = 8400 };
  void *in[6];
  CardiacTensor shapes[6];
  for (int s = 0; s < 3; s++) {
    const int side = 80 >> s;
    shapes[2 * s] = tensor (CARDIAC_BF16, side, side, 64);
    shapes[2 * s + 1] = tensor (CARDIAC_BF16, side, side, 1);
    in[2 * s] = halves ((size_t) (side * side * 64));
    in[2 * s + 1] = halves ((size_t) (side * side));
  }
  CALL (cardiac_cuda_yolo_decode (
      in, shapes, floats (5 * CELLS), CELLS, 1, stream));
  CALL (cardiac_cuda_nchw_to_nhwc (floats (3 * 640 * 640),
      halves (3 * 640 * 640), CARDIAC_BF16, 1, 3, 640 * 640, stream));
  const CardiacPictures small = { 1, 20, 20, 128 }, large = { 1, 40, 40, 128 };
  CALL (cardiac_cuda_pool2d (halves (51200), CARDIAC_BF16, small,
      halves (51200), CARDIAC_BF16, small, 5, 1, 2, false, stream));
  CALL (cardiac_cuda_nearest2x (
      halves (51200), halves (204800), CARDIAC_BF16, small, large, stream));
  void *sides[2] = { halves (204800), halves (102400) };
  const CardiacTensor parts[2] = { tensor (CARDIAC_BF16, 40, 40, 128),
    tensor (CARDIAC_BF16, 40, 40, 64) };
  CALL (cardiac_cuda_concat (
      sides, parts, 2, halves (307200), CARDIAC_BF16, 307200, stream));
  CALL (cardiac_cuda_epilogue (halves (320 * 320 * 16), CARDIAC_BF16,
      floats (16), 16, NULL, CARDIAC_F32, halves (320 * 320 * 16), CARDIAC_BF16,
      320 * 320 * 16, CARDIAC_ACTIVATION_SILU, stream));
  const CardiacConvolution convolution = { .x = halves (40 * 40 * 64),
    .x_dtype = CARDIAC_BF16,
    .x_shape = { 1, 40, 40, 64 },
    .w = floats (9 * 64 * 64),
    .bias = floats (64),
    .y = halves (40 * 40 * 64),
    .y_dtype = CARDIAC_BF16,
    .y_shape = { 1, 40, 40, 64 },
    .kernel_height = 3,
    .kernel_width = 3,
    .stride = 1,
    .padding = 1,
    .activation = CARDIAC_ACTIVATION_SILU };
  CALL (cardiac_cuda_convolution (&convolution, stream));
}

static void
mmsa (void)
{
  const CardiacPictures half = { 1, 64, 64, 16 }, whole = { 1, 128, 128, 16 };
  CALL (cardiac_cuda_bilinear2x (floats (65536), CARDIAC_F32, half,
      floats (262144), CARDIAC_F32, whole, 2, stream));
  CALL (cardiac_cuda_pool2d (floats (262144), CARDIAC_F32, whole,
      floats (262144), CARDIAC_F32, whole, 3, 1, 1, true, stream));
  CALL (cardiac_cuda_magnitude (floats (262144), CARDIAC_F32, floats (131072),
      CARDIAC_F32, 131072, stream));
  CALL (cardiac_cuda_gate (halves (262144), CARDIAC_BF16, floats (16), false,
      halves (262144), CARDIAC_BF16, 1, 16384, 16, 1, 1, stream));
  /* Of flows: both directions apart. */
  const CardiacTensor shape = tensor (CARDIAC_F32, 2, 128, 128);
  const int axes[4] = { 0, 3, 1, 2 };
  CALL (cardiac_cuda_permute (floats (32768), CARDIAC_F32, floats (32768),
      CARDIAC_F32, &shape, axes, stream));
}

/** A camera's frame, letterboxed for the detector and cut for X-CLIP. */
static void
pictures (CardiacCudaContext *context)
{
  enum { WIDTH = 1280, HEIGHT = 720, AREA = WIDTH * HEIGHT };
  static uint8_t host[AREA * 3 / 2];
  const float mean[3] = { 0.48f, 0.45f, 0.4f },
              std[3] = { 0.27f, 0.26f, 0.27f };
  const CardiacSquare crop = { 300, 20, 650 };
  CardiacLetterbox placement;
  CardiacResize letterbox, square;
  float *out = floats (3 * 640 * 640);
  static float expected[3 * 640 * 640];
  uint8_t *frame = NULL;
  for (size_t i = 0; i < sizeof host; i++)
    host[i] = (uint8_t) (i * 7);
  CALL (cudaMalloc ((void **) &frame, sizeof host));
  CALL (cudaMemcpy (frame, host, sizeof host, cudaMemcpyHostToDevice));
  CardiacImage image = { .width = WIDTH,
    .height = HEIGHT,
    .colour = CARDIAC_COLOUR_YUV,
    .component = { { host, WIDTH, 1, 0, 0 }, { host + AREA, WIDTH, 2, 1, 1 },
        { host + AREA + 1, WIDTH, 2, 1, 1 } } };
  REQUIRE (cardiac_image_letterbox_to_tensor (
      &image, 640, expected, &placement, NULL));
  letterbox = cardiac_resize_letterbox (&placement);
  REQUIRE (cardiac_resize_square (&crop, 224, mean, std, &square, NULL));
  for (int c = 0; c < 3; c++)
    image.component[c].data += frame - host;
  CardiacCudaResizer *resizer = cardiac_cuda_resizer_new (context, NULL);
  REQUIRE (resizer);
  REQUIRE (cardiac_cuda_resizer_place (resizer, &image, &letterbox, out, NULL));
  REQUIRE (cardiac_cuda_resizer_place (resizer, &image, &square, out, NULL));
  cardiac_cuda_resizer_free (&resizer);
}

int
main (void)
{
  const CardiacBackendSettings settings = { .activation = CARDIAC_BF16,
    .threads = 1 };
  const CardiacBackend *backend = cardiac_backend_module ();
  CardiacCudaContext *context = backend->open (&settings, NULL);
  REQUIRE (context);
  stream = context->stream;
  xclip ();
  mreg ();
  yolov8 ();
  mmsa ();
  pictures (context);
  CALL (cudaStreamSynchronize (stream));
  backend->close (context);
  return 0;
}
