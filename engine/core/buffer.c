/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/buffer.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

struct CardiacBuffer {
  CardiacRuntime *runtime;
  int64_t count;
  float *host;
  float *device; ///< NULL: the backend computes on the host
  bool host_is_newer;
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
    .runtime = runtime, .count = count, .host_is_newer = backend->allocate
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
cardiac_buffer_host (CardiacBuffer *buffer, CardiacError **error)
{
  const CardiacRuntime *runtime = buffer->runtime;
  if (buffer->device && !buffer->host_is_newer
      && !runtime->backend->run (
          runtime->context, NULL, enqueue_download, buffer, error))
    return NULL;
  buffer->host_is_newer = buffer->device != NULL;
  return buffer->host;
}

float *
cardiac_buffer_memory (CardiacBuffer *buffer, bool overwritten)
{
  const CardiacRuntime *runtime = buffer->runtime;
  if (!buffer->device)
    return buffer->host;
  if (buffer->host_is_newer && !overwritten)
    runtime->backend->copy (runtime->context, buffer->device, buffer->host,
        bytes_of (buffer), CARDIAC_COPY_UPLOAD);
  buffer->host_is_newer = false;
  return buffer->device;
}
