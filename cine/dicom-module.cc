/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cine MR in DICOM through DCMTK, behind plain C. (GDCM reads more kinds
 * of compression, but Debian's build stops the process on malformed files.) No
 * exception leaves this file. */

#include "dicom-clip.h"
#include "dicom-set.h"
#include "reader.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

using namespace cine;

namespace {

const int MAX_SIDE = 8192;
const int MAX_FRAMES = 65536;
const double MAX_PIXELS = 1 << 29;

/* Leaves `to` alone unless there are `n` numbers. */
void
numbers (DcmItem &set, const DcmTagKey &tag, double *to, unsigned n)
{
  double value[6];
  for (unsigned i = 0; i < n; i++) {
    value[i] = number (set, tag, i);
    if (!std::isfinite (value[i]))
      return;
  }
  std::memcpy (to, value, n * sizeof *value);
}

/* What a data set, or a functional group of it, says of place and time. */
void
take_place (DcmItem &set, CineFrame *frame)
{
  double axes[6] = { NAN }, spacing[2] = { NAN };
  numbers (set, DCM_ImagePositionPatient, frame->position_mm, 3);
  numbers (set, DCM_ImageOrientationPatient, axes, 6);
  if (std::isfinite (axes[0])) {
    std::memcpy (frame->row, axes, 3 * sizeof *axes);
    std::memcpy (frame->column, axes + 3, 3 * sizeof *axes);
  }
  numbers (set, DCM_PixelSpacing, spacing, 2);
  if (std::isfinite (spacing[0])) {
    frame->spacing_mm[0] = spacing[1]; /* DICOM says rows first */
    frame->spacing_mm[1] = spacing[0];
  }
}

/* A functional group of an enhanced object: sequences of one item. */
void
take_group (DcmItem *group, CineFrame *frame)
{
  const DcmTagKey places[] = { DCM_PlanePositionSequence,
    DCM_PlaneOrientationSequence, DCM_PixelMeasuresSequence };
  DcmItem *set = nullptr;
  if (!group)
    return;
  for (const DcmTagKey &tag : places)
    if (group->findAndGetSequenceItem (tag, set, 0).good ())
      take_place (*set, frame);
  if (group->findAndGetSequenceItem (DCM_CardiacSynchronizationSequence, set, 0)
          .good ()) {
    double delay = number (*set, DCM_NominalCardiacTriggerDelayTime);
    double interval = number (*set, DCM_RRIntervalTimeNominal);
    if (std::isfinite (delay))
      frame->trigger_ms = delay;
    if (std::isfinite (interval))
      frame->interval_ms = interval;
  }
  if (group->findAndGetSequenceItem (DCM_FrameContentSequence, set, 0)
          .good ()) {
    int index = integer (*set, DCM_TemporalPositionIndex);
    if (index > 0)
      frame->instance = index;
  }
}

void
take_frame (DcmItem &set, CineFrame *frame)
{
  std::string id = text (set, DCM_PatientID);
  keep (frame->patient, id + "\x1f" + text (set, DCM_PatientName));
  keep (frame->study, text (set, DCM_StudyInstanceUID));
  keep (frame->series, text (set, DCM_SeriesInstanceUID));
  keep (frame->object, text (set, DCM_SOPInstanceUID));
  frame->series_number = integer (set, DCM_SeriesNumber);
  frame->instance = integer (set, DCM_InstanceNumber);
  frame->trigger_ms = number (set, DCM_TriggerTime);
  frame->interval_ms = number (set, DCM_NominalInterval);
  frame->rate_bpm = number (set, DCM_HeartRate);
  frame->announced = integer (set, DCM_CardiacNumberOfImages);
  for (int i = 0; i < 3; i++)
    frame->position_mm[i] = frame->row[i] = frame->column[i] = NAN;
  frame->spacing_mm[0] = frame->spacing_mm[1] = NAN;
  take_place (set, frame);
  std::string kind = "\\" + text (set, DCM_ImageType) + "\\";
  frame->other = kind.find ("\\P\\") != std::string::npos
                 || kind.find ("PHASE") != std::string::npos
                 || kind.find ("VELOCITY") != std::string::npos;
}

bool
has_place (const CineFrame *frame)
{
  double all = frame->spacing_mm[0] + frame->spacing_mm[1];
  for (int i = 0; i < 3; i++)
    all += frame->position_mm[i] + frame->row[i] + frame->column[i];
  return std::isfinite (all) && frame->spacing_mm[0] > 0
         && frame->spacing_mm[1] > 0;
}

/* Fills frames of an enhanced object from its functional groups, of a plain one
 * from its only data set. */
bool
take_frames (DcmItem &set, bool enhanced, CineDicomFile *file, char *why)
{
  DcmItem *shared = nullptr;

  file->frames =
      (CineFrame *) std::calloc ((size_t) file->n_frames, sizeof (CineFrame));
  if (!file->frames) {
    std::snprintf (why, CINE_WHY, "out of memory");
    return false;
  }
  CineFrame plain = CineFrame ();
  take_frame (set, &plain);
  if (enhanced
      && set.findAndGetSequenceItem (DCM_SharedFunctionalGroupsSequence, shared)
             .good ())
    take_group (shared, &plain);
  for (int i = 0; i < file->n_frames; i++) {
    CineFrame *frame = &file->frames[i];
    *frame = plain;
    frame->index = i;
    if (enhanced) {
      DcmItem *own = nullptr;
      frame->instance = i + 1;
      if (set.findAndGetSequenceItem (
                 DCM_PerFrameFunctionalGroupsSequence, own, i)
              .bad ()) {
        std::snprintf (why, CINE_WHY,
            "it announces %d pictures and describes %d", file->n_frames, i);
        return false;
      }
      take_group (own, frame);
    }
    frame->has_place = has_place (frame);
  }
  return true;
}

/* Sizes of an MR file. False when they are none. */
bool
take_shape (DcmItem &set, CineDicomFile *file, char *why)
{
  double rows = number (set, DCM_Rows), columns = number (set, DCM_Columns);
  double frames = set.tagExistsWithValue (DCM_NumberOfFrames)
                      ? number (set, DCM_NumberOfFrames)
                      : 1;
  double all = rows * columns * frames;

  if (!(all >= 1) || !(frames >= 1) || rows > MAX_SIDE || columns > MAX_SIDE
      || frames > MAX_FRAMES || all > MAX_PIXELS) {
    std::snprintf (why, CINE_WHY,
        "its header claims %g rows, %g columns and %g pictures", rows, columns,
        frames);
    return false;
  }
  file->rows = (int) rows;
  file->columns = (int) columns;
  file->n_frames = (int) frames;
  return true;
}

/* Whether plainly stored pixels are fewer than the header claims. What is cut
 * off elsewhere shows when it is decoded. */
bool
lacks_pixels (
    DcmDataset &set, E_TransferSyntax syntax, CineDicomFile *file, char *why)
{
  DcmElement *pixels = nullptr;
  double bits = number (set, DCM_BitsAllocated);

  if (set.findAndGetElement (DCM_PixelData, pixels).bad () || !pixels) {
    std::snprintf (why, CINE_WHY, "it holds no pixels; copy it again");
    return true;
  }
  double needed = (double) file->rows * file->columns * file->n_frames
                  * (std::isfinite (bits) ? bits : 16) / 8;
  if (is_encapsulated (syntax) || pixels->getLength () >= needed)
    return false;
  std::snprintf (why, CINE_WHY,
      "it holds %u of the %.0f bytes of pixels that its header claims; copy it "
      "again",
      (unsigned) pixels->getLength (), needed);
  return true;
}

CineRead
describe_data (DcmDataset &set, CineDicomFile *file, char *why)
{
  std::string kind = text (set, DCM_SOPClassUID);
  bool enhanced = kind == UID_EnhancedMRImageStorage
                  || kind == UID_LegacyConvertedEnhancedMRImageStorage;

  keep (file->modality, text (set, DCM_Modality));
  keep (file->manufacturer, text (set, DCM_Manufacturer));
  keep (file->model, text (set, DCM_ManufacturerModelName));
  file->is_mr = kind == UID_MRImageStorage || enhanced
                || !std::strcmp (file->modality, "MR");
  if (!set.tagExistsWithValue (DCM_Rows))
    file->is_mr = false; /* a report, a presentation state, spectra */
  if (!file->is_mr)
    return CINE_READ_FINE;
  if (!take_shape (set, file, why)
      || lacks_pixels (set, set.getOriginalXfer (), file, why)
      || !take_frames (set, enhanced, file, why))
    return CINE_READ_DAMAGED;
  return CINE_READ_FINE;
}

void
clear (CineDicomFile *file)
{
  std::free (file->frames);
  std::memset (file, 0, sizeof *file);
}

CineRead
describe (const char *path, CineDicomFile *file, char *why)
{
  CineRead read = CINE_READ_DAMAGED;
  std::memset (file, 0, sizeof *file);
  if (!has_magic (path)) {
    std::snprintf (why, CINE_WHY, "it has no DICOM header");
    return CINE_READ_OTHER;
  }
  try {
    set_up ();
    DcmFileFormat format;
    if (open_file (format, path, why))
      read = describe_data (*format.getDataset (), file, why);
  } catch (const std::exception &e) {
    std::snprintf (why, CINE_WHY, "%s", e.what ());
  } catch (...) {
    std::snprintf (why, CINE_WHY, "its header does not hold together");
  }
  if (read != CINE_READ_FINE)
    clear (file);
  return read;
}

/* How stored values become unsigned ones: bits that are not stored are masked,
 * signed ones are cut at zero, inverted ones turn. */
struct Meaning {
  int bits;
  bool is_signed, inverted;
};

uint16_t
mean (unsigned value, const Meaning &meaning)
{
  unsigned top = (1u << meaning.bits) - 1;
  value &= top;
  if (meaning.is_signed) {
    unsigned sign = 1u << (meaning.bits - 1);
    value = value & sign ? 0 : value;
    top = sign - 1;
  }
  return (uint16_t) (meaning.inverted ? top - value : value);
}

bool
take_pixels (
    DcmDataset &set, const CineDicomFile *file, uint16_t *pixels, char *why)
{
  size_t n = (size_t) file->rows * file->columns * file->n_frames;
  std::string kind = text (set, DCM_PhotometricInterpretation);
  int bits = integer (set, DCM_BitsAllocated);
  Meaning meaning = { integer (set, DCM_BitsStored),
    integer (set, DCM_PixelRepresentation) == 1, kind == "MONOCHROME1" };
  unsigned long there = 0;

  if (integer (set, DCM_SamplesPerPixel) != 1 || (bits != 8 && bits != 16)
      || meaning.bits < 1 || meaning.bits > bits
      || (kind != "MONOCHROME2" && !meaning.inverted)) {
    std::snprintf (why, CINE_WHY,
        "its pictures are %.32s of %d bits; expected MONOCHROME2 of 8 or 16",
        kind.c_str (), bits);
    return false;
  }
  const Uint16 *words = nullptr;
  const Uint8 *bytes = nullptr;
  if (bits == 16)
    set.findAndGetUint16Array (DCM_PixelData, words, &there);
  else
    set.findAndGetUint8Array (DCM_PixelData, bytes, &there);
  if ((!words && !bytes) || there < n) {
    std::snprintf (why, CINE_WHY,
        "it holds %lu of the %zu pixels that its header claims", there, n);
    return false;
  }
  for (size_t i = 0; i < n; i++)
    pixels[i] = mean (words ? words[i] : bytes[i], meaning);
  return true;
}

bool
load (const char *path, const CineDicomFile *file, uint16_t *pixels, char *why)
{
  try {
    set_up ();
    DcmFileFormat format;
    if (!open_file (format, path, why))
      return false;
    DcmDataset &set = *format.getDataset ();
    OFCondition decoded =
        set.chooseRepresentation (EXS_LittleEndianExplicit, nullptr);
    if (decoded.bad ()) {
      std::snprintf (why, CINE_WHY,
          "its pictures are %s, and are damaged or of a kind that DCMTK cannot "
          "decode (%s); store them uncompressed",
          DcmXfer (set.getOriginalXfer ()).getXferName (), decoded.text ());
      return false;
    }
    return take_pixels (set, file, pixels, why);
  } catch (const std::exception &e) {
    std::snprintf (why, CINE_WHY, "%s", e.what ());
  } catch (...) {
    std::snprintf (why, CINE_WHY, "its pictures cannot be decoded");
  }
  return false;
}

} // namespace

extern "C" __attribute__ ((visibility ("default"))) const CineDicomReader *
cine_dicom_module (void);

const CineDicomReader *
cine_dicom_module (void)
{
  static const CineDicomReader reader = { CINE_READER_ABI, describe, load,
    clear, clip_open, clip_frame, clip_close };
  return &reader;
}
