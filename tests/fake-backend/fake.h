/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAKE_H
#define FAKE_H

#include <cardiac/export.h>

/* A backend for tests, `device=fake`: the reference, whose networks stop where
 * the test says. A test links the module, so that it is the same one that the
 * engine opens. Thread-safe. */

/** From now on every network waits in its first operator. */
CARDIAC_API void fake_hold (void);

/** Waits until a network waits. */
CARDIAC_API void fake_wait_held (void);

/** Lets all networks go on. */
CARDIAC_API void fake_release (void);

#endif
