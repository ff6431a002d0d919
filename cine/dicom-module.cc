/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DICOM through GDCM: the only C++ here, behind plain C. No exception leaves
 * this file. */

#include "reader.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <locale>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gdcm-3.0/gdcmAttribute.h>
#include <gdcm-3.0/gdcmImageReader.h>
#include <gdcm-3.0/gdcmReader.h>
#include <gdcm-3.0/gdcmSequenceOfItems.h>
#include <gdcm-3.0/gdcmTrace.h>

using gdcm::DataSet;
using gdcm::Tag;

namespace {

const int MAX_SIDE = 8192;
const int MAX_FRAMES = 65536;
const double MAX_PIXELS = 1 << 29;

const Tag PIXELS (0x7fe0, 0x0010);

/* A text without its padding; empty where the element is missing. */
std::string
text (const DataSet &set, const Tag &tag)
{
  if (!set.FindDataElement (tag))
    return "";
  const gdcm::ByteValue *value = set.GetDataElement (tag).GetByteValue ();
  if (!value || !value->GetPointer ())
    return "";
  std::string s (value->GetPointer (), value->GetLength ());
  while (!s.empty () && (s.back () == ' ' || s.back () == '\0'))
    s.pop_back ();
  while (!s.empty () && s.front () == ' ')
    s.erase (0, 1);
  return s;
}

template <size_t N>
void
keep (char (&to)[N], const std::string &from)
{
  std::snprintf (to, N, "%s", from.c_str ());
}

/* Numbers between backslashes, whatever the locale. False unless there are
 * `n` finite ones. */
bool
numbers (const DataSet &set, const Tag &tag, double *to, int n)
{
  std::istringstream all (text (set, tag));
  std::string one;
  for (int i = 0; i < n; i++) {
    if (!std::getline (all, one, '\\'))
      return false;
    std::istringstream s (one);
    s.imbue (std::locale::classic ());
    if (!(s >> to[i]) || !std::isfinite (to[i]))
      return false;
  }
  return true;
}

double
number (const DataSet &set, const Tag &tag)
{
  double value;
  return numbers (set, tag, &value, 1) ? value : NAN;
}

int
integer (const DataSet &set, const Tag &tag)
{
  double value = number (set, tag);
  return std::fabs (value) < 1e9 ? (int) value : 0;
}

template <uint16_t Group, uint16_t Element>
double
binary (const DataSet &set)
{
  if (!set.FindDataElement (Tag (Group, Element)))
    return NAN;
  const gdcm::DataElement &element = set.GetDataElement (Tag (Group, Element));
  const gdcm::ByteValue *value = element.GetByteValue ();
  gdcm::Attribute<Group, Element> attribute;
  if (!value || value->GetLength () < sizeof (attribute.GetValue ()))
    return NAN;
  attribute.SetFromDataElement (element);
  return (double) attribute.GetValue ();
}

/* Item `index` (from 0) of a sequence, or null. The sequence is kept alive by
 * the caller through `hold`. */
const DataSet *
item (const DataSet &set, const Tag &tag, size_t index,
    std::vector<gdcm::SmartPointer<gdcm::SequenceOfItems> > &hold)
{
  if (!set.FindDataElement (tag))
    return nullptr;
  gdcm::SmartPointer<gdcm::SequenceOfItems> sequence =
      set.GetDataElement (tag).GetValueAsSQ ();
  if (!sequence || sequence->GetNumberOfItems () <= index)
    return nullptr;
  hold.push_back (sequence);
  return &sequence->GetItem (index + 1).GetNestedDataSet ();
}

/* What a data set, or a functional group of it, says of place and time. */
void
take_place (const DataSet &set, CineFrame *frame)
{
  double value[6];
  if (numbers (set, Tag (0x0020, 0x0032), value, 3))
    std::memcpy (frame->position_mm, value, 3 * sizeof *value);
  if (numbers (set, Tag (0x0020, 0x0037), value, 6)) {
    std::memcpy (frame->row, value, 3 * sizeof *value);
    std::memcpy (frame->column, value + 3, 3 * sizeof *value);
  }
  if (numbers (set, Tag (0x0028, 0x0030), value, 2)) {
    frame->spacing_mm[0] = value[1]; /* DICOM says rows first */
    frame->spacing_mm[1] = value[0];
  }
}

void
take_group (const DataSet *group, CineFrame *frame)
{
  std::vector<gdcm::SmartPointer<gdcm::SequenceOfItems> > hold;
  const Tag places[] = { Tag (0x0020, 0x9113), Tag (0x0020, 0x9116),
    Tag (0x0028, 0x9110) };
  if (!group)
    return;
  for (const Tag &tag : places)
    if (const DataSet *set = item (*group, tag, 0, hold))
      take_place (*set, frame);
  if (const DataSet *set = item (*group, Tag (0x0018, 0x9118), 0, hold)) {
    double delay = binary<0x0020, 0x9153> (*set);
    double interval = binary<0x0020, 0x9251> (*set);
    if (std::isfinite (delay))
      frame->trigger_ms = delay;
    if (std::isfinite (interval))
      frame->interval_ms = interval;
  }
  if (const DataSet *set = item (*group, Tag (0x0020, 0x9111), 0, hold)) {
    double index = binary<0x0020, 0x9128> (*set);
    if (std::isfinite (index))
      frame->instance = (int) index;
  }
}

void
take_frame (const DataSet &set, CineFrame *frame)
{
  std::string id = text (set, Tag (0x0010, 0x0020));
  keep (frame->patient, id + "\x1f" + text (set, Tag (0x0010, 0x0010)));
  keep (frame->study, text (set, Tag (0x0020, 0x000d)));
  keep (frame->series, text (set, Tag (0x0020, 0x000e)));
  keep (frame->object, text (set, Tag (0x0008, 0x0018)));
  frame->series_number = integer (set, Tag (0x0020, 0x0011));
  frame->instance = integer (set, Tag (0x0020, 0x0013));
  frame->trigger_ms = number (set, Tag (0x0018, 0x1060));
  frame->interval_ms = number (set, Tag (0x0018, 0x1062));
  frame->rate_bpm = number (set, Tag (0x0018, 0x1088));
  frame->announced = integer (set, Tag (0x0018, 0x1090));
  for (int i = 0; i < 3; i++)
    frame->position_mm[i] = frame->row[i] = frame->column[i] = NAN;
  frame->spacing_mm[0] = frame->spacing_mm[1] = NAN;
  take_place (set, frame);
  std::string kind = "\\" + text (set, Tag (0x0008, 0x0008)) + "\\";
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
take_frames (const DataSet &set, bool enhanced, CineDicomFile *file, char *why)
{
  std::vector<gdcm::SmartPointer<gdcm::SequenceOfItems> > hold;
  const DataSet *shared = item (set, Tag (0x5200, 0x9229), 0, hold);

  file->frames =
      (CineFrame *) std::calloc ((size_t) file->n_frames, sizeof (CineFrame));
  if (!file->frames) {
    std::snprintf (why, CINE_WHY, "out of memory");
    return false;
  }
  CineFrame plain = CineFrame ();
  take_frame (set, &plain);
  take_group (shared, &plain);
  for (int i = 0; i < file->n_frames; i++) {
    CineFrame *frame = &file->frames[i];
    *frame = plain;
    frame->index = i;
    if (enhanced) {
      const DataSet *own = item (set, Tag (0x5200, 0x9230), (size_t) i, hold);
      frame->instance = i + 1;
      if (!own) {
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

/* Pixels that the file must hold, when they are stored plainly. What is cut off
 * elsewhere shows when it is decoded. */
bool
is_cut_off (const gdcm::File &f, const char *path, size_t start,
    const CineDicomFile *file, char *why)
{
  const gdcm::TransferSyntax &syntax =
      f.GetHeader ().GetDataSetTransferSyntax ();
  if (syntax == gdcm::TransferSyntax::DeflatedExplicitVRLittleEndian)
    return false;
  std::ifstream stream (path, std::ios::binary | std::ios::ate);
  double end = (double) stream.tellg ();
  if (!((double) start < end)) {
    std::snprintf (why, CINE_WHY, "it holds no pixels; copy it again");
    return true;
  }
  double bits = binary<0x0028, 0x0100> (f.GetDataSet ());
  double needed = (double) file->rows * file->columns * file->n_frames
                  * (std::isfinite (bits) ? bits : 16) / 8;
  if (syntax.IsEncapsulated () || end - (double) start >= needed)
    return false;
  std::snprintf (why, CINE_WHY,
      "it ends after %.0f of the %.0f bytes of pixels that its header claims; "
      "copy it again",
      end - (double) start, needed);
  return true;
}

CineRead
describe_data (const gdcm::File &f, const char *path, size_t start,
    CineDicomFile *file, char *why)
{
  const DataSet &set = f.GetDataSet ();
  std::string kind = text (set, Tag (0x0008, 0x0016));
  const std::string mr = "1.2.840.10008.5.1.4.1.1.4";
  bool enhanced = kind == mr + ".1" || kind == mr + ".4";

  keep (file->modality, text (set, Tag (0x0008, 0x0060)));
  keep (file->manufacturer, text (set, Tag (0x0008, 0x0070)));
  keep (file->model, text (set, Tag (0x0008, 0x1090)));
  file->is_mr = kind == mr || enhanced || !std::strcmp (file->modality, "MR");
  double rows = binary<0x0028, 0x0010> (set),
         columns = binary<0x0028, 0x0011> (set);
  if (!file->is_mr)
    return CINE_READ_FINE;
  if (!std::isfinite (rows) || !std::isfinite (columns)) {
    file->is_mr = false; /* a report, a presentation state, spectra */
    return CINE_READ_FINE;
  }
  double frames = number (set, Tag (0x0028, 0x0008));
  file->rows = (int) rows;
  file->columns = (int) columns;
  file->n_frames = 1;
  if (std::isfinite (frames))
    file->n_frames = frames >= 1 && frames <= MAX_FRAMES ? (int) frames : 0;
  double all = rows * columns * file->n_frames;
  if (all < 1 || rows > MAX_SIDE || columns > MAX_SIDE || all > MAX_PIXELS) {
    std::snprintf (why, CINE_WHY,
        "its header claims %.0f rows, %.0f columns and %g pictures", rows,
        columns, std::isfinite (frames) ? frames : 1.0);
    return CINE_READ_DAMAGED;
  }
  if (is_cut_off (f, path, start, file, why))
    return CINE_READ_DAMAGED;
  return take_frames (set, enhanced, file, why) ? CINE_READ_FINE
                                                : CINE_READ_DAMAGED;
}

/* "DICM" behind the preamble. */
bool
has_magic (const char *path)
{
  char head[132] = "";
  std::ifstream stream (path, std::ios::binary);
  stream.read (head, sizeof head);
  return stream.gcount () == (std::streamsize) sizeof head
         && !std::memcmp (head + 128, "DICM", 4);
}

void
clear (CineDicomFile *file)
{
  std::free (file->frames);
  std::memset (file, 0, sizeof *file);
}

void
be_quiet ()
{
  gdcm::Trace::DebugOff ();
  gdcm::Trace::WarningOff ();
  gdcm::Trace::ErrorOff ();
}

CineRead
describe (const char *path, CineDicomFile *file, char *why)
{
  CineRead read = CINE_READ_OTHER;
  std::memset (file, 0, sizeof *file);
  be_quiet ();
  std::snprintf (why, CINE_WHY, "it has no DICOM header");
  try {
    bool magic = has_magic (path);
    gdcm::Reader reader;
    std::set<Tag> skipped;
    skipped.insert (PIXELS);
    reader.SetFileName (path);
    if (reader.CanRead () && reader.ReadUpToTag (PIXELS, skipped)) {
      read = describe_data (reader.GetFile (), path,
          reader.GetStreamCurrentPosition (), file, why);
      if (read == CINE_READ_FINE && !magic && !file->is_mr)
        read = CINE_READ_OTHER;
    } else if (magic) {
      read = CINE_READ_DAMAGED;
      std::snprintf (
          why, CINE_WHY, "its header does not hold together; copy it again");
    }
  } catch (const std::exception &e) {
    std::snprintf (why, CINE_WHY, "%s", e.what ());
    read = CINE_READ_DAMAGED;
  } catch (...) {
    std::snprintf (why, CINE_WHY, "its header does not hold together");
    read = CINE_READ_DAMAGED;
  }
  if (read != CINE_READ_FINE)
    clear (file);
  return read;
}

/* Stored values as unsigned numbers: signed ones start at zero, and inverted
 * ones turn. */
template <typename T>
void
widen (const std::vector<char> &from, uint16_t *to, bool invert, int bits)
{
  const T *value = reinterpret_cast<const T *> (from.data ());
  const int top = (1 << bits) - 1;
  for (size_t i = 0; i < from.size () / sizeof (T); i++) {
    int v = value[i] > 0 ? (int) value[i] : 0;
    to[i] = (uint16_t) (invert ? (v < top ? top - v : 0) : v);
  }
}

bool
load_image (const gdcm::Image &image, const CineDicomFile *file,
    uint16_t *pixels, char *why)
{
  const gdcm::PixelFormat &format = image.GetPixelFormat ();
  const gdcm::PhotometricInterpretation &meaning =
      image.GetPhotometricInterpretation ();
  const int bits = format.GetBitsAllocated ();
  bool invert = meaning == gdcm::PhotometricInterpretation::MONOCHROME1;
  if (format.GetSamplesPerPixel () != 1 || (bits != 8 && bits != 16)
      || (!invert && meaning != gdcm::PhotometricInterpretation::MONOCHROME2)) {
    std::snprintf (why, CINE_WHY,
        "its pictures are %s of %d bits; expected MONOCHROME2 of 8 or 16",
        meaning.GetString () ? meaning.GetString () : "?", bits);
    return false;
  }
  size_t n = (size_t) file->rows * file->columns * file->n_frames;
  if (image.GetBufferLength () != n * bits / 8) {
    std::snprintf (why, CINE_WHY, "it holds %zu bytes of pixels; expected %zu",
        (size_t) image.GetBufferLength (), n * bits / 8);
    return false;
  }
  std::vector<char> buffer (n * bits / 8);
  if (!image.GetBuffer (buffer.data ())) {
    std::snprintf (why, CINE_WHY, "its pictures cannot be decoded");
    return false;
  }
  const int stored = format.GetBitsStored ();
  bool is_signed = format.GetPixelRepresentation () == 1;
  if (bits == 8)
    is_signed ? widen<int8_t> (buffer, pixels, invert, stored - 1)
              : widen<uint8_t> (buffer, pixels, invert, stored);
  else
    is_signed ? widen<int16_t> (buffer, pixels, invert, stored - 1)
              : widen<uint16_t> (buffer, pixels, invert, stored);
  return true;
}

bool
load (const char *path, const CineDicomFile *file, uint16_t *pixels, char *why)
{
  be_quiet ();
  std::snprintf (why, CINE_WHY,
      "its pictures cannot be decoded: they are damaged, missing or of an "
      "unknown kind of compression");
  try {
    gdcm::ImageReader reader;
    reader.SetFileName (path);
    return reader.Read () && load_image (reader.GetImage (), file, pixels, why);
  } catch (const std::exception &e) {
    std::snprintf (why, CINE_WHY, "%s", e.what ());
  } catch (...) {
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
    clear };
  return &reader;
}
