/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Clips: pictures of any DICOM file, one decoded at a time. */

#include "dicom-clip.h"

#include "dicom-colour.h"
#include "dicom-j2k.h"
#include "dicom-regions.h"
#include "dicom-set.h"
#include "dicom-timing.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <dcmtk/dcmdata/dccodec.h>
#include <dcmtk/dcmdata/dcfcache.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

using namespace cine;

namespace {

const int MAX_SIDE = 8192;
const int MAX_FRAMES = 65536;

struct Clip {
  DcmFileFormat format;
  DcmFileCache cache;
  DcmPixelData *pixels = nullptr;
  DcmPixelSequence *sequence = nullptr; ///< of compressed frames; or NULL
  Samples samples;
  bool is_jpeg = false, is_j2k = false, tag_is_rgb = false;
  std::vector<Uint32> fragments; ///< first of each frame, 0: unknown
  std::vector<uint8_t> stored;   ///< one frame
};

/* Not every kind of picture can be shown, and not every file is whole. */
CineRead refuse (CineRead read, char *why, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

CineRead
refuse (CineRead read, char *why, const char *format, ...)
{
  va_list values;
  va_start (values, format);
  std::vsnprintf (why, CINE_WHY, format, values);
  va_end (values);
  return read;
}

bool
is_jpeg_2000 (E_TransferSyntax syntax)
{
  return syntax == EXS_JPEG2000LosslessOnly || syntax == EXS_JPEG2000;
}

/* What is not decoded, and what would do it. */
CineRead
check_syntax (E_TransferSyntax syntax, char *why)
{
  DcmXfer xfer (syntax);
  std::string id = xfer.getXferID (), name = xfer.getXferName ();
  bool mpeg = !id.compare (0, 22, "1.2.840.10008.1.2.4.10");

  if (!is_encapsulated (syntax) || syntax == EXS_RLELossless
      || (has_j2k && is_jpeg_2000 (syntax))
      || DcmCodecList::canChangeCoding (syntax, EXS_LittleEndianExplicit))
    return CINE_READ_FINE;
  if (mpeg)
    return refuse (CINE_READ_REFUSED, why,
        "its frames are compressed as %s (%s), which is not read; export the "
        "recording as MP4, or as DICOM without compression",
        name.c_str (), id.c_str ());
  return refuse (CINE_READ_REFUSED, why,
      "its frames are compressed as %s (%s), which is not read; rewrite it "
      "without compression: gdcmconv --raw IN.dcm OUT.dcm",
      name.c_str (), id.c_str ());
}

/* The library does not get past a syntax that is younger than itself. */
CineRead
explain_unopened (DcmFileFormat &format, char *why)
{
  OFString id;

  if (format.getMetaInfo ()
          ->findAndGetOFString (DCM_TransferSyntaxUID, id)
          .bad ()
      || id.empty () || DcmXfer (id.c_str ()).getXfer () != EXS_Unknown)
    return CINE_READ_DAMAGED; /* as was said */
  return refuse (CINE_READ_REFUSED, why,
      "its transfer syntax is %.64s, which is not read; rewrite it without "
      "compression",
      id.c_str ());
}

CineRead
take_shape (DcmItem &set, CineClip *clip, char *why)
{
  double rows = number (set, DCM_Rows), columns = number (set, DCM_Columns);

  if (!set.tagExistsWithValue (DCM_PixelData))
    return refuse (CINE_READ_DAMAGED, why,
        "it holds no pictures; a recording is expected, copy or export it "
        "again");
  if (!(rows >= 1) || !(columns >= 1) || rows > MAX_SIDE || columns > MAX_SIDE)
    return refuse (CINE_READ_DAMAGED, why,
        "its header claims %g rows and %g columns, expected 1 to %d; copy or "
        "export it again",
        rows, columns, MAX_SIDE);
  clip->width = (int) columns;
  clip->height = (int) rows;
  double frames = set.tagExistsWithValue (DCM_NumberOfFrames)
                      ? number (set, DCM_NumberOfFrames)
                      : 1;
  clip->n_promised = frames >= 1 && frames <= MAX_FRAMES ? (int) frames : 0;
  return CINE_READ_FINE;
}

CineRead
take_palette (DcmItem &set, Samples *samples, char *why)
{
  const DcmTagKey descriptors[] = { DCM_RedPaletteColorLookupTableDescriptor,
    DCM_GreenPaletteColorLookupTableDescriptor,
    DCM_BluePaletteColorLookupTableDescriptor };
  const DcmTagKey tables[] = { DCM_RedPaletteColorLookupTableData,
    DCM_GreenPaletteColorLookupTableData, DCM_BluePaletteColorLookupTableData };

  for (int c = 0; c < 3; c++) {
    DcmElement *element = nullptr;
    int n = (int) number (set, descriptors[c], 0);
    samples->palette_first = (int) number (set, descriptors[c], 1);
    n = n ? n : 65536;
    if (set.findAndGetElement (tables[c], element).bad () || n < 1 || n > 65536)
      return refuse (CINE_READ_REFUSED, why,
          "its colours are in a palette that is missing or segmented; rewrite "
          "it "
          "as RGB: dcmdump shows what it holds");
    size_t bytes = element->getLength ();
    std::vector<uint8_t> data (bytes + 1);
    if (bytes < (size_t) n
        || element
               ->getPartialValue (
                   data.data (), 0, (Uint32) bytes, nullptr, EBO_LittleEndian)
               .bad ())
      return refuse (CINE_READ_DAMAGED, why,
          "its palette holds %zu bytes for %d entries; copy it again", bytes,
          n);
    bool wide = bytes >= 2 * (size_t) n, high = false;
    for (int i = 0; wide && i < n; i++)
      high = high || data[2 * i + 1];
    samples->palette.resize (3 * (size_t) n);
    for (int i = 0; i < n && 3 * (size_t) i < samples->palette.size (); i++)
      samples->palette[3 * i + c] = data[wide ? 2 * i + high : i];
  }
  return CINE_READ_FINE;
}

/* The meaning of samples by the header alone. */
CineRead
take_samples (DcmDataset &set, Clip *clip, const CineClip *shape, char *why)
{
  std::string kind = text (set, DCM_PhotometricInterpretation);
  int n = integer (set, DCM_SamplesPerPixel);
  int allocated = integer (set, DCM_BitsAllocated);
  Samples *s = &clip->samples;
  bool grey = kind == "MONOCHROME1" || kind == "MONOCHROME2";
  bool palette = kind == "PALETTE COLOR";
  bool ybr = kind == "YBR_FULL" || kind == "YBR_FULL_422";

  *s = Samples ();
  clip->is_j2k = is_jpeg_2000 (set.getOriginalXfer ());
  /* The decoder undoes these two. */
  clip->tag_is_rgb =
      kind == "RGB"
      || (clip->is_j2k && (kind == "YBR_RCT" || kind == "YBR_ICT"));
  s->colour = grey               ? Colour::GREY
              : palette          ? Colour::PALETTE
              : clip->tag_is_rgb ? Colour::RGB
                                 : Colour::YBR;
  s->width = shape->width;
  s->height = shape->height;
  s->planar = integer (set, DCM_PlanarConfiguration) == 1;
  s->is_signed = integer (set, DCM_PixelRepresentation) == 1;
  s->inverted = kind == "MONOCHROME1";
  s->bytes = allocated / 8;
  s->bits = integer (set, DCM_BitsStored);
  if (!grey && !palette && !clip->tag_is_rgb && !ybr)
    return refuse (CINE_READ_REFUSED, why,
        "its colours are %.32s; expected MONOCHROME1, MONOCHROME2, PALETTE "
        "COLOR, "
        "RGB, YBR_FULL or YBR_FULL_422, in JPEG 2000 YBR_RCT or YBR_ICT",
        kind.empty () ? "not said" : kind.c_str ());
  bool one = grey || palette;
  if (n != (one ? 1 : 3) || (allocated != 8 && !(one && allocated == 16))
      || s->bits < 1 || s->bits > allocated)
    return refuse (CINE_READ_REFUSED, why,
        "its pictures have %d samples of %d bits (%d used); expected 3 of 8, "
        "or 1 "
        "of 8 or 16",
        n, allocated, s->bits);
  return palette ? take_palette (set, s, why) : CINE_READ_FINE;
}

/* Where each frame begins: the decoder is ours, and finds no parts itself. */
int
find_j2k_frames (Clip *clip)
{
  DcmObject *table = clip->sequence->nextInContainer (nullptr);
  DcmObject *part = table ? clip->sequence->nextInContainer (table) : nullptr;
  uint8_t head[16];
  Uint32 i = 1;

  clip->fragments.clear ();
  for (; part; part = clip->sequence->nextInContainer (part), i++) {
    DcmPixelItem *item = dynamic_cast<DcmPixelItem *> (part);
    Uint32 size = item ? std::min<Uint32> (item->getLength (), sizeof head) : 0;
    bool read =
        size > 0 && item->getPartialValue (head, 0, size, &clip->cache).good ();
    bool begins = clip->fragments.empty () || (read && starts_j2k (head, size));
    if (begins && clip->fragments.size () == (size_t) MAX_FRAMES)
      break;
    if (begins)
      clip->fragments.push_back (i);
  }
  if (clip->fragments.empty ())
    return 0;
  clip->fragments.push_back (i);
  return (int) clip->fragments.size () - 1;
}

/* Plain pixels that a file which is cut off still holds, in bytes. */
Uint32
find_end (Clip *clip)
{
  Uint32 low = 0, high = clip->pixels->getLength () & ~(Uint32) 1;
  Uint8 word[2];

  while (low < high) { /* a word at `low` may be there, none at `high` */
    Uint32 middle = ((low + high) / 2) & ~(Uint32) 1;
    if (clip->pixels->getPartialValue (word, middle, 2, &clip->cache).good ())
      low = middle + 2;
    else
      high = middle;
  }
  return low;
}

/* Takes the last fragment out of a file that is cut off, unless it is whole. */
void
drop_cut_fragment (Clip *clip)
{
  unsigned long last = clip->sequence->card ();
  DcmPixelItem *item = nullptr;
  Uint8 byte;

  if (last < 2 || clip->sequence->getItem (item, last - 1).bad () || !item)
    return;
  Uint32 size = item->getLength ();
  if (size == 0
      || item->getPartialValue (&byte, size - 1, 1, &clip->cache).good ())
    return;
  if (clip->sequence->remove (item).good ())
    delete item;
}

/* Frames whose fragments are all there, of a file that is cut off, by the
 * offsets of all frames. The last one is whole where each has one fragment. */
int
count_whole_frames (Clip *clip, DcmPixelItem *table, int listed)
{
  std::vector<uint8_t> offsets (4 * (size_t) listed);
  DcmObject *part = table;
  uint64_t last = 0, there = 0; /* from the first fragment on */
  int whole = 0, parts = 0;

  auto offset = [&] (int frame) {
    const uint8_t *at = &offsets[4 * (size_t) frame];
    return at[0] | at[1] << 8 | at[2] << 16 | (uint64_t) at[3] << 24;
  };
  if (table
          ->getPartialValue (
              offsets.data (), 0, (Uint32) offsets.size (), &clip->cache)
          .bad ())
    return 0;
  for (; (part = clip->sequence->nextInContainer (part)); parts++) {
    last = there;
    there += 8 + (uint64_t) part->getLength ();
  }
  while (whole + 1 < listed && offset (whole + 1) <= there)
    whole++;
  return parts == listed && offset (listed - 1) == last ? listed : whole;
}

/* How many frames the file holds, which the header may not know. */
int
count_frames (Clip *clip, int promised, bool is_cut)
{
  Samples *s = &clip->samples;

  if (!clip->sequence) {
    size_t length = clip->pixels->getLength ();
    size_t whole = (size_t) s->width * s->height * 3;
    if (s->colour == Colour::YBR_422
        && length >= whole * (promised ? promised : 1))
      s->colour = Colour::YBR; /* every pixel has its own chroma */
    if (is_cut)
      length = find_end (clip);
    return (int) std::min<size_t> (length / s->size (), MAX_FRAMES);
  }
  if (is_cut)
    drop_cut_fragment (clip);
  if (clip->is_j2k)
    return find_j2k_frames (clip);
  DcmPixelItem *table = nullptr;
  int fragments = (int) clip->sequence->card () - 1;
  int listed = 0;
  if (clip->sequence->getItem (table, 0).good ())
    listed = (int) (table->getLength () / 4);
  if (is_cut && fragments > 0 && listed > 1)
    return count_whole_frames (clip, table, listed);
  return listed > 1 && listed <= fragments ? listed
         : promised == 1                   ? std::min (fragments, 1)
                                           : fragments;
}

CineRead
find_frames (DcmDataset &set, Clip *data, CineClip *clip, char *why)
{
  DcmElement *element = nullptr;
  E_TransferSyntax syntax = set.getOriginalXfer ();

  if (set.findAndGetElement (DCM_PixelData, element).good ())
    data->pixels = dynamic_cast<DcmPixelData *> (element);
  if (!data->pixels)
    return refuse (
        CINE_READ_DAMAGED, why, "it holds no pictures; copy it again");
  if (is_encapsulated (syntax)
      && data->pixels
             ->getEncapsulatedRepresentation (syntax, nullptr, data->sequence)
             .bad ())
    return refuse (
        CINE_READ_DAMAGED, why, "its pictures are not in parts; copy it again");
  if (!data->sequence
      && text (set, DCM_PhotometricInterpretation) == "YBR_FULL_422")
    data->samples.colour = Colour::YBR_422;
  int held = count_frames (data, clip->n_promised, clip->is_cut);
  if (held < 1 && clip->is_cut)
    return refuse (CINE_READ_DAMAGED, why,
        "it is cut off within its first frame; copy it again");
  if (held < 1)
    return refuse (CINE_READ_DAMAGED, why,
        "it holds %u bytes of pictures, and one of %d x %d needs %zu; copy it "
        "again",
        (unsigned) data->pixels->getLength (), clip->width, clip->height,
        data->samples.size ());
  if (!clip->n_promised)
    note (clip, "its header claims no number of frames; it holds %d", held);
  clip->n_frames = clip->n_promised ? std::min (clip->n_promised, held) : held;
  /* Decoders believe the header. */
  set.putAndInsertString (
      DCM_NumberOfFrames, std::to_string (clip->n_frames).c_str ());
  if (!data->is_j2k)
    data->fragments.assign (clip->n_frames + 1, 0);
  data->stored.assign (
      (std::max (data->samples.size (), (size_t) 3 * clip->width * clip->height)
          + 1)
          & ~(size_t) 1,
      0);
  return CINE_READ_FINE;
}

/* The compressed stream that begins a frame, and its size; NULL where it is not
 * known which part holds it. */
const Uint8 *
find_stream (Clip *clip, int frame, int n_frames, size_t *size)
{
  DcmPixelItem *item = nullptr;
  Uint8 *data = nullptr;
  Uint32 fragment = clip->fragments[frame];

  if (frame == 0 || (int) clip->sequence->card () - 1 == n_frames)
    fragment = frame + 1;
  if (fragment == 0 || clip->sequence->getItem (item, fragment).bad ()
      || item->getUint8Array (data).bad ())
    return nullptr;
  *size = item->getLength ();
  return data;
}

/* Colour of JPEG frames, by the first one. */
void
take_jpeg (Clip *data, CineClip *clip)
{
  size_t size = 0;
  const Uint8 *stream = find_stream (data, 0, clip->n_frames, &size);
  JpegHead head;
  int rule = 0;

  if (!stream || !read_jpeg_head (stream, size, &head) || head.components != 3)
    return;
  data->samples.colour = judge_jpeg (head, data->tag_is_rgb, &rule);
  std::snprintf (clip->colour, sizeof clip->colour,
      "%s in JPEG, by rule %d (%s)",
      data->samples.colour == Colour::RGB ? "RGB" : "YCbCr", rule,
      rule == 1   ? "JFIF"
      : rule == 2 ? "Adobe marker"
      : rule == 3 ? "component identifiers"
      : rule == 4 ? "subsampled chroma"
                  : "photometric interpretation");
}

/* The parts of a frame in JPEG 2000, put together. */
bool
join_j2k (Clip *clip, int frame, std::vector<uint8_t> *stream)
{
  for (Uint32 i = clip->fragments[frame]; i < clip->fragments[frame + 1]; i++) {
    DcmPixelItem *item = nullptr;
    if (clip->sequence->getItem (item, i).bad () || !item)
      return false;
    size_t size = item->getLength (), at = stream->size ();
    stream->resize (at + size);
    if (size
        && item->getPartialValue (
                   stream->data () + at, 0, (Uint32) size, &clip->cache)
               .bad ())
      return false;
  }
  return true;
}

/* Colour of JPEG 2000 frames, by the first one. */
void
take_j2k (Clip *data, CineClip *clip)
{
  std::vector<uint8_t> stream;
  bool transformed = join_j2k (data, 0, &stream)
                     && transforms_j2k (stream.data (), stream.size ());

  if (data->samples.channels () != 3 || data->samples.colour == Colour::PALETTE)
    return;
  if (transformed)
    data->samples.colour = Colour::RGB;
  std::snprintf (clip->colour, sizeof clip->colour,
      "%s in JPEG 2000, by its %s",
      data->samples.colour == Colour::RGB ? "RGB" : "YCbCr",
      transformed ? "component transform" : "photometric interpretation");
}

/* The planes that a decoder hands out are not always those of the header. */
void
take_compressed (DcmDataset &set, Clip *data, CineClip *clip)
{
  E_TransferSyntax syntax = set.getOriginalXfer ();
  bool jpeg_ls = syntax == EXS_JPEGLSLossless || syntax == EXS_JPEGLSLossy;

  keep (clip->colour, text (set, DCM_PhotometricInterpretation));
  if (!data->sequence || syntax == EXS_RLELossless)
    return;
  data->samples.planar = false;
  data->is_jpeg = !jpeg_ls && !data->is_j2k;
  if (data->is_j2k)
    take_j2k (data, clip);
  if (data->is_jpeg && data->samples.channels () == 3
      && data->samples.colour != Colour::PALETTE)
    take_jpeg (data, clip);
}

bool
fetch_raw (Clip *clip, int frame, char *why)
{
  size_t size = clip->samples.size (), at = size * frame;
  size_t end = clip->pixels->getLength ();
  /* Words are swapped whole. */
  size_t from = at & ~(size_t) 1,
         to = std::min ((at + size + 1) & ~(size_t) 1, end);

  clip->stored.resize (std::max (clip->stored.size (), to - from + 2));
  OFCondition read = clip->pixels->getPartialValue (clip->stored.data (),
      (Uint32) from, (Uint32) (to - from), &clip->cache, EBO_LittleEndian);
  if (read.bad ()) {
    std::snprintf (why, CINE_WHY, "%s", read.text ());
    return false;
  }
  if (at != from)
    std::memmove (clip->stored.data (), clip->stored.data () + 1, size);
  return true;
}

/* Whether the stream is a picture of the header's size. */
bool
check_stream (Clip *clip, int frame, int n_frames, char *why)
{
  const Samples &s = clip->samples;
  size_t size = 0;
  const Uint8 *stream = find_stream (clip, frame, n_frames, &size);
  JpegHead head;

  if (!stream)
    return true; /* the decoder finds it, or fails */
  if (!read_jpeg_head (stream, size, &head)) {
    std::snprintf (why, CINE_WHY, "it is no JPEG picture");
    return false;
  }
  int components = s.colour == Colour::RGB || s.colour == Colour::YBR ? 3 : 1;
  if (head.width == s.width && head.height == s.height
      && head.components == components)
    return true;
  std::snprintf (why, CINE_WHY,
      "it is %d x %d px of %d components, expected %d x %d of %d", head.width,
      head.height, head.components, s.width, s.height, components);
  return false;
}

bool
fetch_j2k (Clip *clip, int frame, char *why)
{
  std::vector<uint8_t> stream;

  if (join_j2k (clip, frame, &stream))
    return decode_j2k (stream.data (), stream.size (), clip->samples,
        clip->stored.data (), why);
  std::snprintf (why, CINE_WHY, "it cannot be read");
  return false;
}

bool
fetch_compressed (Clip *clip, int frame, int n_frames, char *why)
{
  if (clip->is_j2k)
    return fetch_j2k (clip, frame, why);
  Uint32 fragment = clip->fragments[frame];
  OFString model;

  if (clip->is_jpeg && !check_stream (clip, frame, n_frames, why))
    return false;
  unsigned complaints = count_complaints ();
  std::memset (clip->stored.data (), 0, clip->stored.size ());
  OFCondition decoded = clip->pixels->getUncompressedFrame (
      clip->format.getDataset (), frame, fragment, clip->stored.data (),
      (Uint32) clip->stored.size (), model, &clip->cache);
  if (decoded.bad ()) {
    std::snprintf (why, CINE_WHY, "%s", decoded.text ());
    return false;
  }
  clip->fragments[frame + 1] = fragment;
  if (count_complaints () != complaints) {
    std::snprintf (why, CINE_WHY, "its compressed data are damaged");
    return false;
  }
  return true;
}

/* Grey of 16 bits: its window, else what the first frame spans. */
void
take_window (DcmItem &set, CineClip *clip)
{
  Clip *data = (Clip *) clip->data;
  Samples *s = &data->samples;
  double centre = number (set, DCM_WindowCenter);
  double width = number (set, DCM_WindowWidth);
  double slope = number (set, DCM_RescaleSlope);
  double shift = number (set, DCM_RescaleIntercept);
  char why[CINE_WHY];

  if (s->colour != Colour::GREY || s->bytes == 1)
    return;
  slope = std::isfinite (slope) && slope != 0 ? slope : 1;
  shift = std::isfinite (shift) ? shift : 0;
  if (std::isfinite (centre) && width >= 1) {
    s->low = (centre - 0.5 - (width - 1) / 2 - shift) / slope;
    s->high = (centre - 0.5 + (width - 1) / 2 - shift) / slope;
    return;
  }
  bool there = data->sequence ? fetch_compressed (data, 0, clip->n_frames, why)
                              : fetch_raw (data, 0, why);
  s->high = (1 << s->bits) - 1;
  if (there)
    find_range (*s, data->stored.data (), &s->low, &s->high);
}

CineRead
open_data (DcmDataset &set, CineClip *clip, char *why)
{
  Clip *data = (Clip *) clip->data;
  CineRead read;

  keep (clip->modality, text (set, DCM_Modality));
  keep (clip->manufacturer, text (set, DCM_Manufacturer));
  keep (clip->model, text (set, DCM_ManufacturerModelName));
  read = take_shape (set, clip, why);
  if (read == CINE_READ_FINE)
    read = check_syntax (set.getOriginalXfer (), why);
  if (read == CINE_READ_FINE)
    read = take_samples (set, data, clip, why);
  if (read == CINE_READ_FINE)
    read = find_frames (set, data, clip, why);
  if (read != CINE_READ_FINE)
    return read;
  take_compressed (set, data, clip);
  take_window (set, clip);
  clip->channels = data->samples.channels ();
  if (!take_timing (set, clip) || !take_regions (set, clip))
    return refuse (CINE_READ_DAMAGED, why, "out of memory");
  take_beat (set, clip);
  return CINE_READ_FINE;
}

} // namespace

CineRead
cine::clip_open (const char *path, CineClip *clip, char *why)
{
  CineRead read = CINE_READ_DAMAGED;

  std::memset (clip, 0, sizeof *clip);
  if (!has_magic (path))
    return refuse (
        CINE_READ_OTHER, why, "it has no DICOM header (\"DICM\" at byte 128)");
  try {
    set_up ();
    std::unique_ptr<Clip> data (new Clip);
    clip->data = data.get ();
    bool whole = open_file (data->format, path, why);
    clip->is_cut = !whole && open_cut_file (data->format, path);
    if (whole || clip->is_cut)
      read = open_data (*data->format.getDataset (), clip, why);
    else
      read = explain_unopened (data->format, why);
    if (read == CINE_READ_FINE)
      data.release ();
  } catch (const std::exception &e) {
    read = refuse (CINE_READ_DAMAGED, why, "%s", e.what ());
  } catch (...) {
    read = refuse (CINE_READ_DAMAGED, why, "its header does not hold together");
  }
  if (read != CINE_READ_FINE) {
    clip->data = nullptr;
    clip_close (clip);
  }
  return read;
}

bool
cine::clip_frame (
    CineClip *clip, int frame, uint8_t *pixels, size_t stride, char *why)
{
  Clip *data = (Clip *) clip->data;

  try {
    bool there = data->sequence
                     ? fetch_compressed (data, frame, clip->n_frames, why)
                     : fetch_raw (data, frame, why);
    if (there)
      show (data->samples, data->stored.data (), pixels, stride);
    return there;
  } catch (const std::exception &e) {
    std::snprintf (why, CINE_WHY, "%s", e.what ());
  } catch (...) {
    std::snprintf (why, CINE_WHY, "it cannot be decoded");
  }
  return false;
}

void
cine::clip_close (CineClip *clip)
{
  delete (Clip *) clip->data;
  std::free (clip->starts_ns);
  std::free (clip->regions);
  std::memset (clip, 0, sizeof *clip);
}
