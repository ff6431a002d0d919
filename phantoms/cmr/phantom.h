/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CMR_PHANTOM_PRIVATE_H
#define CMR_PHANTOM_PRIVATE_H

#include "tissue.h"

enum { PATCH_ANGLES = 512, NORMALS = 1 << 14 };

/* One slice; its pictures are drawn when first asked for. */
typedef struct Slice {
  Heart heart;
  Tissue tissue;
  int patch_rows;
  float *patch; /* [patch_rows][PATCH_ANGLES], NULL: not drawn yet */
  float *still; /* [height][width], signal at end-diastole */
  float *gain;  /* [height][width], coils and scanner; 0: black margin */
  int left, top, right, bottom; /* px, all that moves */
} Slice;

struct CmrPhantom {
  CmrSettings settings;
  Slice *slice;
  float *signal;         /* [height][width], of the picture being drawn */
  float normal[NORMALS]; /* standard normal numbers */
};

/* Draws what does not change from phase to phase. False: no memory. */
bool slice_prepare (CmrPhantom *phantom, Slice *slice);
void slice_forget (Slice *slice);

#endif
