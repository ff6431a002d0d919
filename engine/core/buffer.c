/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/buffer.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

struct CardiacBuffer {
  CardiacRuntime *runtime;
  int64_t count;
  float *host;
  float *device;      ///< NULL: the backend computes on the host
  bool host_is_newer; ///< than the device; always without one
};

static size_t
bytes_of (const CardiacBuffer *buffer)
{
  return (size_t) buffer->count * sizeof (float);
}

CardiacBuffer *
cardiac_buffer_new (
    CardiacRuntime *runtime, int64_t count, CardiacError **error)
{
  const CardiacBackend *backend = runtime->backend;
  CardiacBuffer *buffer = calloc (1, sizeof *buffer);
  if (!buffer) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory");
    return NULL;
  }
  *buffer = (CardiacBuffer){
    .runtime = runtime, .count = count, .host_is_newer = true
  };
  if (backend->allocate) {
    buffer->device =
        backend->allocate (runtime->context, bytes_of (buffer), error);
    if (buffer->device)
      buffer->host =
          backend->allocate_host (runtime->context, bytes_of (buffer), error);
  } else if (!(buffer->host = malloc (bytes_of (buffer) + 1))) {
    cardiac_fail (error, CARDIAC_ERROR_NO_MEMORY, "no memory for features");
  }
  if (!buffer->host)
    cardiac_buffer_free (&buffer);
  else
    memset (buffer->host, 0, bytes_of (buffer));
  return buffer;
}

void
cardiac_buffer_free (CardiacBuffer **buffer)
{
  if (!buffer || !*buffer)
    return;
  CardiacBuffer *it = *buffer;
  const CardiacRuntime *runtime = it->runtime;
  if (it->device && it->host)
    runtime->backend->release_host (runtime->context, it->host);
  else
    free (it->host);
  if (it->device)
    runtime->backend->release (runtime->context, it->device);
  free (it);
  *buffer = NULL;
}

int64_t
cardiac_buffer_count (const CardiacBuffer *buffer)
{
  return buffer->count;
}

static void
enqueue_download (void *user)
{
  CardiacBuffer *buffer = user;
  const CardiacRuntime *runtime = buffer->runtime;
  runtime->backend->copy (runtime->context, buffer->host, buffer->device,
      bytes_of (buffer), CARDIAC_COPY_DOWNLOAD);
}

float *
cardiac_buffer_host (
    CardiacBuffer *buffer, bool overwritten, CardiacError **error)
{
  const CardiacRuntime *runtime = buffer->runtime;
  if (!buffer->host_is_newer && !overwritten
      && !runtime->backend->run (
          runtime->context, NULL, enqueue_download, buffer, error))
    return NULL;
  buffer->host_is_newer = true;
  return buffer->host;
}

void
cardiac_buffer_copy_to (const CardiacBuffer *buffer, float *to)
{
  const CardiacRuntime *runtime = buffer->runtime;
  const bool up = buffer->host_is_newer;
  if (buffer->device)
    runtime->backend->copy (runtime->context, to,
        up ? buffer->host : buffer->device, bytes_of (buffer),
        up ? CARDIAC_COPY_UPLOAD : CARDIAC_COPY_DEVICE);
  else
    memcpy (to, buffer->host, bytes_of (buffer));
}

void
cardiac_buffer_copy_from (CardiacBuffer *buffer, const float *from)
{
  const CardiacRuntime *runtime = buffer->runtime;
  if (!buffer->device) {
    memcpy (buffer->host, from, bytes_of (buffer));
    return;
  }
  runtime->backend->copy (runtime->context, buffer->device, from,
      bytes_of (buffer), CARDIAC_COPY_DEVICE);
  buffer->host_is_newer = false;
}
