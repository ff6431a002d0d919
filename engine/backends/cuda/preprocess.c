/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preprocess.h"
#include "core/error.h"
#include "image/row.h"
#include "kernels.h"

#include <assert.h>
#include <stdlib.h>

/** The filter of one direction, on the host and on the device. */
typedef struct Axis {
  CardiacTaps host;
  CardiacCudaTaps device; ///< one allocation, which `weight` begins
} Axis;

struct CardiacCudaResizer {
  CardiacCudaContext *context;
  Axis across, down;
};

CardiacCudaResizer *
cardiac_cuda_resizer_new (CardiacCudaContext *context, CardiacError **error)
{
  CardiacCudaResizer *resizer = calloc (1, sizeof *resizer);
  if (!resizer) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "out of memory");
    return NULL;
  }
  resizer->context = context;
  return resizer;
}

static void
axis_clear (Axis *axis)
{
  cardiac_taps_clear (&axis->host);
  cudaFree ((void *) axis->device.weight);
  axis->device = (CardiacCudaTaps){ 0 };
}

void
cardiac_cuda_resizer_free (CardiacCudaResizer **resizer)
{
  if (!resizer || !*resizer)
    return;
  cudaStreamSynchronize ((*resizer)->context->stream);
  axis_clear (&(*resizer)->across);
  axis_clear (&(*resizer)->down);
  free (*resizer);
  *resizer = NULL;
}

/** Device memory with `host`'s arrays: weights, starts, counts. */
static bool
upload (CardiacCudaContext *context, Axis *axis, CardiacError **error)
{
  const CardiacTaps *host = &axis->host;
  const size_t outputs = (size_t) host->axis.output;
  const size_t weights = outputs * (size_t) host->most;
  float *weight = cardiac_cuda_allocate (
      context, weights * sizeof (float) + 2 * outputs * sizeof (int), error);
  if (!weight)
    return false;
  int *start = (int *) (weight + weights), *count = start + outputs;
  axis->device = (CardiacCudaTaps){ weight, start, count, host->most };
  const struct {
    void *to;
    const void *from;
    size_t bytes;
  } copies[] = {
    { weight, host->weight, weights * sizeof (float) },
    { start, host->start, outputs * sizeof (int) },
    { count, host->count, outputs * sizeof (int) },
  };
  /* In the session's stream, whose kernels would not wait for another. */
  for (int i = 0; i < 3; i++)
    if (!cardiac_cuda_ok (context,
            cudaMemcpyAsync (copies[i].to, copies[i].from, copies[i].bytes,
                cudaMemcpyHostToDevice, context->stream),
            "to upload filters", error))
      return false;
  return true;
}

/** Makes an axis the filter of `wanted`, if it is not. */
static bool
axis_set (CardiacCudaContext *context, Axis *axis, const CardiacAxis *wanted,
    CardiacError **error)
{
  const CardiacAxis *is = &axis->host.axis;
  if (axis->device.weight && is->origin == wanted->origin
      && is->extent == wanted->extent && is->input == wanted->input
      && is->output == wanted->output && is->antialias == wanted->antialias)
    return true;
  /* What is enqueued may still read the old one. */
  if (!cardiac_cuda_ok (context, cudaStreamSynchronize (context->stream),
          "to finish its work", error))
    return false;
  axis_clear (axis);
  if (!cardiac_taps_set (&axis->host, wanted))
    return cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY,
        "out of memory for a resize to %d pixels", wanted->output);
  if (upload (context, axis, error))
    return true;
  axis_clear (axis);
  return false;
}

bool
cardiac_cuda_resizer_place (CardiacCudaResizer *resizer,
    const CardiacImage *image, const CardiacResize *resize, float *out,
    CardiacError **error)
{
  if (!cardiac_image_validate (image, error))
    return false;
  CardiacCudaContext *context = resizer->context;
  const CardiacAxis across = cardiac_resize_across (resize, image);
  const CardiacAxis down = cardiac_resize_down (resize, image);
  if (!axis_set (context, &resizer->across, &across, error)
      || !axis_set (context, &resizer->down, &down, error))
    return false;

  /* Only its constants of the colour conversion are wanted. */
  CardiacRows rows;
  _Alignas(64) char scratch[512];
  assert (cardiac_rows_scratch_size (1) <= sizeof scratch);
  cardiac_rows_init (&rows, image, 0, 1, scratch);
  const CardiacCudaPicture picture = {
    .image = *image,
    .luma = rows.luma,
    .red_cr = rows.red_cr,
    .green_cb = rows.green_cb,
    .green_cr = rows.green_cr,
    .blue_cb = rows.blue_cb,
    .offset = { rows.red, rows.green, rows.blue },
    .across = resizer->across.device,
    .down = resizer->down.device,
    .resize = *resize,
  };
  cardiac_cuda_note (context,
      cardiac_cuda_place (&picture, out, context->stream), "preprocessing");
  return true;
}
