/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_DICOM_SCAN_H
#define CINE_DICOM_SCAN_H

#include "reader.h"

/** All MR pictures below a location that say where they lie. */
typedef struct CineScan {
  const char *location;
  const CineDicomReader *reader;
  char **paths;
  CineDicomFile *files; ///< [n_files], those that are not MR are empty
  int n_files;
  CineFrame **frames; ///< owned by the files
  int n_frames;
  int other_files, other_pictures, placeless;
  int pictures;      ///< of all MR files, also those that are left out
  char modality[17]; ///< of a file that is not MR
} CineScan;

/** Reads all headers; checks that they are of one patient and one study. */
bool cine_scan (CineScan *scan, const char *location, CineError *error);
void cine_scan_clear (CineScan *scan);

/** Pictures of one position, ordered in time. */
typedef struct CinePlace {
  double distance; ///< along the normal, mm
  CineFrame **frames;
  int n_frames;
  int announced; ///< pictures a cycle that the files promise; 0: nothing
  bool timed;    ///< ordered by trigger times, else by instance number
} CinePlace;

/** Parallel slices, ordered along their normal. */
typedef struct CinePlanes {
  double normal[3];
  CineFrame **frames; ///< of all places
  CinePlace *places;
  int n_places;
  int n_repeated; ///< places that were measured more than once
  bool alone;     ///< no other planes of this scan make a stack
} CinePlanes;

/** The planes of a scan that make the best stack, whether or not a complete
 * one. Fails when they cannot be ordered in time. */
bool cine_find_planes (
    const CineScan *scan, CinePlanes *planes, CineError *error);
void cine_planes_clear (CinePlanes *planes);

#endif
