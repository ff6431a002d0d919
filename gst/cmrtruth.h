/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMR_TRUTH_H
#define CMR_TRUTH_H

#include <gst/gst.h>

#include "cineshow.h"
#include "cmr/cmr-phantom.h"

/** Draws the three levels of a phantom into a stack, with landmarks as truth.
 * %FALSE with an error: no memory. */
gboolean cmr_truth_show (CmrPhantom *phantom, CineShow *show, CineError *error);

/** Writes a side file: what is true of a phantom, with the landmarks in the form
 * that cmrcinesrc reads. */
gboolean cmr_truth_write (
    const CmrPhantom *phantom, const gchar *path, GError **error);

#endif
