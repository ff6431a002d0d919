/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <cardiac/model.h>
#include <cardiac/session.h>
#include <glib.h>

/* Models and thread pools of this process, found again by every element that
 * asks for the same: a second element neither maps nor checks a file twice, and
 * two elements do not run twice as many threads as there are processors.
 *
 * Entries live as long as somebody uses them. Thread-safe. */

/** Loads a model or finds it: same path, size and time of change.
 * @users: receives how many use it now, or %NULL
 * Returns: a reference to give back with registry_release_model(), or %NULL
 * with @error */
CardiacModel *registry_get_model (
    const gchar *path, guint *users, CardiacError **error);
void registry_release_model (CardiacModel **model);

/** A pool of so many threads (0: all processors); give it back with
 * registry_release_pool(). */
CardiacPool *registry_get_pool (gint threads, CardiacError **error);
void registry_release_pool (CardiacPool **pool);

/** The file behind a `model` property: @path itself, or for an empty one the
 * demonstration weights @demo ("mreg-demo.safetensors") in $CARDIAC_MODEL_PATH,
 * the data directory, or the source tree. Free with g_free(); %NULL when there
 * are none. */
gchar *registry_find_model (const gchar *path, const gchar *demo);

#endif
