/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CINE_READER_H
#define CINE_READER_H

#include "cine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Readers of file formats are modules, opened at run time: the plugin works
 * without the libraries behind them. */

#define CINE_READER_ABI 3

typedef enum CineRead {
  CINE_READ_FINE,
  CINE_READ_OTHER,   ///< not a file of this format
  CINE_READ_DAMAGED, ///< of this format, and broken
  CINE_READ_LARGE,   ///< more than CINE_MAX_BYTES
  CINE_READ_REFUSED, ///< whole, but of a kind that cannot be shown
} CineRead;

enum { CINE_WHY = 512 }; ///< bytes of a reader's explanation

/** One picture of a DICOM file. Texts are empty and numbers NaN (or 0) where the
 * file is silent. */
typedef struct CineFrame {
  char patient[129], study[65], series[65], object[65];
  int series_number, instance;
  int file, index; ///< which file of the list, which picture in it
  bool has_place;  ///< position, directions and spacing are there
  double spacing_mm[2], position_mm[3], row[3], column[3];
  double trigger_ms, interval_ms, rate_bpm;
  int announced; ///< pictures a cycle that the file promises; 0: none
  bool other;    ///< a phase or velocity picture, not an anatomical one
} CineFrame;

/** A DICOM file without its pixels. */
typedef struct CineDicomFile {
  char modality[17], manufacturer[65], model[65];
  bool is_mr;
  int rows, columns, n_frames;
  CineFrame *frames;
} CineDicomFile;

/** What a part of an ultrasound picture shows: an item of the Sequence of
 * Ultrasound Regions. Numbers of kinds and units are those of DICOM PS3.3
 * C.8.5.5.1; those that it does not know are kept. */
typedef struct CineRegion {
  int format; ///< 0 not said, 1 2-D, 2 M-mode, 3 spectral, 4 waveform, 5 graphics
  int type; ///< 0 not said, 1 tissue, 2 colour flow, 10 ECG, 14 colour bar, ...
  unsigned flags;
  int x, y, width, height; ///< whole pixels, inside the picture
  int unit[2];             ///< along x, y; 3 is cm, 0 not said
  double delta[2];         ///< units a pixel, signed; NaN: not said
  double reference[2];     ///< pixel of the picture; NaN: not said
  double value[2];         ///< units there; NaN: not said
} CineRegion;

enum { CINE_MAX_REGIONS = 64 };

/** Any DICOM file of pictures, as a clip of 8-bit RGB or grey. */
typedef struct CineClip {
  char modality[17], manufacturer[65], model[65];
  int width, height, channels; ///< 3: RGB, full range; 1: grey
  int n_frames;                ///< that the file holds, at least 1
  int n_promised;              ///< that its header claims; 0: none
  bool is_cut;                 ///< the file ends within its pixels
  /** [n_frames + 1], ns; the first is 0, the last is the end. */
  uint64_t *starts_ns;
  bool timing_assumed;  ///< no timing was there: 30 frames a second
  double beat_ms;       ///< length of a heart beat; 0: not said
  CineRegion *regions;  ///< [n_regions], no two alike
  int n_regions;        ///< 0 .. CINE_MAX_REGIONS
  int n_senseless;      ///< regions that were left out
  char timing[64];      ///< what the times come from
  char colour[160];     ///< what pixels are, and by which rule
  char notes[CINE_WHY]; ///< what of the header was passed over; may be empty
  void *data;           ///< the reader's own
} CineClip;

typedef struct CineDicomReader {
  int abi;
  /** Reads all but pixels. `why` is set unless FINE. Free with clear(). */
  CineRead (*describe) (const char *path, CineDicomFile *file, char *why);
  /** Decodes all pictures of a file.
   * @param pixels [n_frames][rows][columns], stored values */
  bool (*load) (
      const char *path, const CineDicomFile *file, uint16_t *pixels, char *why);
  void (*clear) (CineDicomFile *file);
  /** Opens a file, which must stay where it is until clip_close(). `why` is set
   * unless FINE. */
  CineRead (*clip_open) (const char *path, CineClip *clip, char *why);
  /** Decodes one frame, in any order.
   * @param pixels [height][stride] of at least width * channels bytes */
  bool (*clip_frame) (
      CineClip *clip, int frame, uint8_t *pixels, size_t stride, char *why);
  void (*clip_close) (CineClip *clip);
} CineDicomReader;

/** A NIfTI file. x grows fastest. */
typedef struct CineVolume {
  int dim[4];
  double spacing[3];
  bool has_affine;
  double to_patient[3][4]; ///< voxel to DICOM's patient axes, mm
  double step;             ///< between volumes, 0: unknown
  double step_unit;        ///< seconds a unit of `step`, 0: unknown
  float *values;           ///< stored values
} CineVolume;

typedef struct CineNiftiReader {
  int abi;
  CineRead (*load) (const char *path, CineVolume *volume, char *why);
  void (*clear) (CineVolume *volume);
} CineNiftiReader;

#define CINE_DICOM_SYMBOL "cine_dicom_module"
#define CINE_NIFTI_SYMBOL "cine_nifti_module"
typedef const CineDicomReader *(*CineDicomModule) (void);
typedef const CineNiftiReader *(*CineNiftiModule) (void);

/** Opens the module, which stays open. NULL with UNSUPPORTED. */
const CineDicomReader *cine_dicom_reader (CineError *error);
const CineNiftiReader *cine_nifti_reader (CineError *error);

/** Loads a NIfTI file, or fails naming it. */
bool cine_volume_load (const char *path, CineVolume *volume,
    const CineNiftiReader **reader, CineError *error);

#ifdef __cplusplus
}
#endif

#endif
