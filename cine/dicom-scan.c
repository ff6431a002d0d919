/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dicom-scan.h"
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pictures of all files below a location, hundreds of times a stack's: what is
 * known of each of them is kept. */
enum { MAX_PICTURES = 1 << 17 };

static bool
describe (CineScan *scan, int i, bool only, CineError *error)
{
  CineDicomFile *file = &scan->files[i];
  char why[CINE_WHY] = "";
  CineRead read = scan->reader->describe (scan->paths[i], file, why);

  if (read == CINE_READ_DAMAGED)
    return cine_fail (error, CINE_UNREADABLE, "%s is a damaged DICOM file: %s",
        scan->paths[i], why);
  if (read == CINE_READ_OTHER && only)
    return cine_fail (error, CINE_UNREADABLE,
        "%s is not a DICOM file: %s; expected a directory of DICOM files or a "
        "4-D NIfTI file",
        scan->paths[i], why);
  if (read == CINE_READ_OTHER)
    scan->other_files++;
  else if (!file->is_mr) {
    scan->other_pictures++;
    memcpy (scan->modality, file->modality, sizeof scan->modality);
  }
  scan->pictures += file->n_frames;
  if (scan->pictures > MAX_PICTURES)
    return cine_fail (error, CINE_UNREADABLE,
        "%s claims more than %d pictures, %d of them in %s; expected the "
        "some hundred of a cine MR stack: point to its folder",
        scan->location, MAX_PICTURES, file->n_frames, scan->paths[i]);
  return true;
}

/* Gathers pictures; phase and velocity maps lie where the anatomy lies and are
 * left out. */
static bool
gather (CineScan *scan)
{
  size_t all = 0;

  for (int i = 0; i < scan->n_files; i++)
    all += scan->files[i].n_frames;
  scan->frames = malloc ((all + 1) * sizeof *scan->frames);
  if (!scan->frames)
    return false;
  for (int i = 0; i < scan->n_files; i++)
    for (int j = 0; j < scan->files[i].n_frames; j++) {
      CineFrame *frame = &scan->files[i].frames[j];

      frame->file = i;
      if (!frame->has_place)
        scan->placeless++;
      else if (!frame->other)
        scan->frames[scan->n_frames++] = frame;
    }
  return true;
}

static bool
explain_nothing (const CineScan *scan, CineError *error)
{
  if (scan->placeless > 0)
    return cine_fail (error, CINE_STACK_INCOMPLETE,
        "%s holds %d MR pictures without position, orientation or pixel "
        "spacing; slices cannot be put in order",
        scan->location, scan->placeless);
  if (scan->other_pictures > 0)
    return cine_fail (error, CINE_UNREADABLE,
        "%s holds no MR picture: its %d DICOM file%s of modality '%s'; "
        "expected cine MR",
        scan->location, scan->other_pictures,
        scan->other_pictures == 1 ? " is" : "s are", scan->modality);
  return cine_fail (error, CINE_UNREADABLE,
      "%s holds no DICOM file (%d other files); expected the files of a cine "
      "MR stack",
      scan->location, scan->other_files);
}

static bool
check_one (const CineScan *scan, CineError *error)
{
  const CineFrame *first = scan->frames[0];

  for (int i = 1; i < scan->n_frames; i++) {
    const CineFrame *frame = scan->frames[i];
    bool patient = strcmp (first->patient, frame->patient) != 0;

    if (patient || strcmp (first->study, frame->study) != 0)
      return cine_fail (error, CINE_STACK_INCOMPLETE,
          "%s mixes %s: %s and %s differ; keep one %s a directory",
          scan->location, patient ? "patients" : "studies",
          scan->paths[first->file], scan->paths[frame->file],
          patient ? "patient" : "study");
  }
  return true;
}

bool
cine_scan (CineScan *scan, const char *location, CineError *error)
{
  memset (scan, 0, sizeof *scan);
  scan->location = location;
  scan->reader = cine_dicom_reader (error);
  if (!scan->reader)
    return false;
  scan->n_files = cine_list_files (location, &scan->paths, error);
  if (scan->n_files < 0)
    return false;
  scan->files = calloc (scan->n_files + 1, sizeof *scan->files);
  if (!scan->files)
    return cine_fail (error, CINE_NO_MEMORY, "%s holds too many files (%d)",
        location, scan->n_files);
  for (int i = 0; i < scan->n_files; i++) {
    bool only = scan->n_files == 1 && strcmp (scan->paths[0], location) == 0;

    if (!describe (scan, i, only, error))
      return false;
  }
  if (!gather (scan))
    return cine_fail (
        error, CINE_NO_MEMORY, "%s holds too many pictures", location);
  if (scan->n_frames == 0)
    return explain_nothing (scan, error);
  return check_one (scan, error);
}

void
cine_scan_clear (CineScan *scan)
{
  for (int i = 0; i < scan->n_files; i++) {
    if (scan->files)
      scan->reader->clear (&scan->files[i]);
    free (scan->paths[i]);
  }
  free (scan->paths);
  free (scan->files);
  free (scan->frames);
  memset (scan, 0, sizeof *scan);
}
