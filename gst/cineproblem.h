/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_PROBLEM_H
#define CINE_PROBLEM_H

#include <gst/gst.h>

#include "cine.h"

/** Posts why a stack cannot be played: the record of a stack without scores,
 * where the problem is a state that a result can have, then the error that ends
 * the pipeline. */
void cine_problem_post (GstElement *element, const CineError *error);

#endif
