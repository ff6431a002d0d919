/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_STACK_H
#define CINE_STACK_H

#include "cine.h"

/* Inside of the room: how stacks are made. */

/** An empty stack, its numbers unknown. NULL with NO_MEMORY. */
CineStack *cine_stack_new (
    int width, int height, int slices, int phases, CineError *error);

/** Fails when so many pictures are more than CINE_MAX_BYTES. To be asked before
 * memory is. */
bool cine_check_size (const char *location, int pictures, int width, int height,
    CineError *error);

CineStack *cine_stack_load_dicom (const char *location, CineError *error);
CineStack *cine_stack_load_nifti (const char *location, CineError *error);

/** Whether a name is one of NIfTI files. */
bool cine_is_nifti_name (const char *path);

/** How much a direction leads towards the base, -1 to 1: the long axis of most
 * hearts runs from the base at the right, back and top to the apex at the left,
 * front and bottom. Below CINE_BASE_CLEAR either way nothing follows. */
double cine_towards_base (const double direction[3]);
#define CINE_BASE_CLEAR 0.3

void cine_cross (const double a[3], const double b[3], double out[3]);
double cine_dot (const double a[3], const double b[3]);

/** Fails when a slice is missing between others: slices' distances from the
 * first, ascending, mm. */
bool cine_check_gaps (const char *location, const double *distances, int slices,
    CineError *error);

/** Sets times and cycle from triggers and intervals of the slices. */
void cine_set_times (CineStack *stack);

/** Sets the windows of all slices. */
void cine_set_windows (CineStack *stack);

/** Regular files at or below a path, sorted by name. Free each and the list.
 * -1 with an error. */
int cine_list_files (const char *location, char ***paths, CineError *error);

#endif
