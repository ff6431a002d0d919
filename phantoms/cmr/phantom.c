/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "phantom.h"

#include <stdlib.h>

CmrPhantom *
cmr_phantom_new (const CmrSettings *settings)
{
  CmrPhantom *phantom = calloc (1, sizeof *phantom);
  if (!phantom)
    return NULL;
  phantom->settings = *settings;
  cmr_settings_clamp (&phantom->settings);
  const CmrSettings *s = &phantom->settings;
  phantom->slice = calloc (s->slices, sizeof *phantom->slice);
  phantom->signal = malloc (sizeof (float) * (size_t) s->width * s->height);
  if (!phantom->slice || !phantom->signal) {
    cmr_phantom_free (&phantom);
    return NULL;
  }
  for (int i = 0; i < s->slices; i++)
    heart_init (&phantom->slice[i].heart, s, i);
  Chance chance = chance_new (s->seed, 30);
  for (int i = 0; i < NORMALS; i++)
    phantom->normal[i] = chance_normal (&chance, 0, 1);
  return phantom;
}

void
cmr_phantom_free (CmrPhantom **phantom)
{
  CmrPhantom *p = *phantom;
  *phantom = NULL;
  if (!p)
    return;
  for (int i = 0; p->slice && i < p->settings.slices; i++)
    slice_forget (&p->slice[i]);
  free (p->slice);
  free (p->signal);
  free (p);
}

const CmrSettings *
cmr_phantom_settings (const CmrPhantom *phantom)
{
  return &phantom->settings;
}

int
cmr_phantom_level_slice (const CmrPhantom *phantom, int level)
{
  return heart_level_slice (&phantom->settings, level);
}

double
cmr_phantom_contraction (const CmrPhantom *phantom, double phase)
{
  return heart_contraction (
      phase / phantom->settings.phases, phantom->settings.systole);
}
