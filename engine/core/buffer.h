/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CARDIAC_CORE_BUFFER_H
#define CARDIAC_CORE_BUFFER_H

#include "core/runtime.h"

/* Floats that outlive a program's run: what one program saves and another of
 * the same runtime loads. They stay in the device's memory as long as nobody
 * looks at them on the host. */
typedef struct CardiacBuffer CardiacBuffer;

/** `count` zeros. @param runtime outlives the buffer. */
CardiacBuffer *cardiac_buffer_new (
    CardiacRuntime *runtime, int64_t count, CardiacError **error);
void cardiac_buffer_free (CardiacBuffer **buffer);

int64_t cardiac_buffer_count (const CardiacBuffer *buffer);

/** The floats on the host, to read and write until the next copy. NULL with an
 * error when the device fails.
 * @param overwritten all of them will be: what they were does not matter. */
float *cardiac_buffer_host (
    CardiacBuffer *buffer, bool overwritten, CardiacError **error);

/** Copy all floats to or from where kernels are: on a device, enqueued before
 * what runs next. */
void cardiac_buffer_copy_to (const CardiacBuffer *buffer, float *to);
void cardiac_buffer_copy_from (CardiacBuffer *buffer, const float *from);

#endif
