/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "made-clip.h"

#include <cstdlib>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmimage/diregist.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dcmtk/dcmjpeg/djrploss.h>
#include <dcmtk/dcmjpls/djencode.h>
#include <dcmtk/dcmjpls/djrparam.h>

/* Spatial format, data type, box; 0.05 cm a pixel, upwards; (10, 20) of the
 * region is 1.5, -2 cm. */
static void
put_region (DcmDataset &set, const unsigned *v)
{
  DcmItem *item = nullptr;

  set.findOrCreateSequenceItem (DCM_SequenceOfUltrasoundRegions, item, -2);
  item->putAndInsertUint16 (DCM_RegionSpatialFormat, (Uint16) v[0]);
  item->putAndInsertUint16 (DCM_RegionDataType, (Uint16) v[1]);
  item->putAndInsertUint32 (DCM_RegionFlags, 2);
  item->putAndInsertUint32 (DCM_RegionLocationMinX0, v[2]);
  item->putAndInsertUint32 (DCM_RegionLocationMinY0, v[3]);
  item->putAndInsertUint32 (DCM_RegionLocationMaxX1, v[4]);
  item->putAndInsertUint32 (DCM_RegionLocationMaxY1, v[5]);
  item->putAndInsertSint32 (DCM_ReferencePixelX0, 10);
  item->putAndInsertSint32 (DCM_ReferencePixelY0, 20);
  item->putAndInsertUint16 (DCM_PhysicalUnitsXDirection, 3);
  item->putAndInsertUint16 (DCM_PhysicalUnitsYDirection, 3);
  item->putAndInsertFloat64 (DCM_ReferencePixelPhysicalValueX, 1.5);
  item->putAndInsertFloat64 (DCM_ReferencePixelPhysicalValueY, -2);
  item->putAndInsertFloat64 (DCM_PhysicalDeltaX, 0.05);
  item->putAndInsertFloat64 (DCM_PhysicalDeltaY, -0.05);
}

static void
put_elements (DcmDataset &set, const char *elements)
{
  std::istringstream lines (elements);
  std::string line;
  unsigned group, element, v[6];

  set.putAndInsertString (
      DCM_SOPClassUID, UID_UltrasoundMultiframeImageStorage);
  set.putAndInsertString (DCM_SOPInstanceUID, "1.2.3.4");
  set.putAndInsertString (DCM_PatientName, "Secret^Person");
  set.putAndInsertString (DCM_PatientID, "4711");
  set.putAndInsertString (DCM_Modality, "US");
  while (std::getline (lines, line))
    if (std::sscanf (line.c_str (), "region=%u,%u,%u,%u,%u,%u", &v[0], &v[1],
            &v[2], &v[3], &v[4], &v[5])
        == 6)
      put_region (set, v);
    else if (std::sscanf (line.c_str (), "%x,%x=", &group, &element) == 2) {
      DcmTag tag ((Uint16) group, (Uint16) element);
      std::string value = line.substr (10);
      if (tag.getEVR () == EVR_US || tag.getEVR () == EVR_xs)
        set.putAndInsertUint16 (tag, (Uint16) std::atoi (value.c_str ()));
      else
        set.putAndInsertString (tag, value.c_str ());
    }
}

/* A palette of three entries: black, the patch, white. */
static void
put_palette (DcmDataset &set)
{
  const Uint16 descriptor[3] = { 3, 0, 16 };
  const Uint16 tables[3][3] = { { 0, 200 << 8, 65535 }, { 0, 30 << 8, 65535 },
    { 0, 20 << 8, 65535 } };

  for (int c = 0; c < 3; c++) {
    DcmUnsignedShort *d =
        new DcmUnsignedShort (DcmTag (0x0028, (Uint16) (0x1101 + c), EVR_US));
    d->putUint16Array (descriptor, 3);
    set.insert (d, OFTrue);
    set.putAndInsertUint16Array (
        DcmTag (0x0028, (Uint16) (0x1201 + c), EVR_OW), tables[c], 3);
  }
}

static OFCondition
put_streams (DcmDataset &set, const unsigned char *frames, int n, unsigned size,
    E_TransferSyntax syntax)
{
  DcmPixelData *pixels = new DcmPixelData (DCM_PixelData);
  DcmPixelSequence *sequence = new DcmPixelSequence (DCM_PixelSequenceTag);

  for (int i = -1; i < n; i++) {
    DcmPixelItem *item = new DcmPixelItem (DCM_PixelItemTag);
    if (i >= 0)
      item->putUint8Array (frames + (size_t) i * size, size);
    sequence->insert (item);
  }
  pixels->putOriginalRepresentation (syntax, nullptr, sequence);
  return set.insert (pixels, OFTrue);
}

static OFCondition
convert (DcmDataset &set, E_TransferSyntax syntax)
{
  const DJ_RPLossy lossy (95);
  const DJ_RPLossless lossless;
  const DJLSRepresentationParameter ls (0, OFTrue);

  if (syntax == EXS_JPEGProcess1 || syntax == EXS_JPEGProcess2_4)
    return set.chooseRepresentation (syntax, &lossy);
  if (syntax == EXS_JPEGProcess14SV1)
    return set.chooseRepresentation (syntax, &lossless);
  if (syntax == EXS_JPEGLSLossless)
    return set.chooseRepresentation (syntax, &ls);
  return set.chooseRepresentation (syntax, nullptr);
}

int
made_clip (const char *path, const char *elements, const unsigned char *frames,
    int n_frames, unsigned size, int is_stream, const char *syntax)
{
  E_TransferSyntax to = DcmXfer (syntax).getXfer ();
  DcmFileFormat format;
  DcmDataset &set = *format.getDataset ();
  OFCondition done;

  DJEncoderRegistration::registerCodecs (ECC_lossyYCbCr, EUC_default, OFTrue, 0,
      0, std::strstr (elements, "fragments=1") ? 1 : 0);
  DJLSEncoderRegistration::registerCodecs ();
  DcmRLEEncoderRegistration::registerCodecs ();
  put_elements (set, elements);
  OFString kind;
  set.findAndGetOFString (DCM_PhotometricInterpretation, kind);
  if (kind == "PALETTE COLOR")
    put_palette (set);
  if (is_stream) {
    done = put_streams (set, frames, n_frames, size, to);
  } else {
    done = set.putAndInsertUint8Array (
        DCM_PixelData, frames, (unsigned long) n_frames * size);
    if (done.good ())
      done = convert (set, to);
  }
  if (done.good ())
    done = format.saveFile (path, to);
  DJEncoderRegistration::cleanup ();
  DJLSEncoderRegistration::cleanup ();
  DcmRLEEncoderRegistration::cleanup ();
  if (done.bad ())
    std::fprintf (stderr, "%s: %s\n", syntax, done.text ());
  return done.bad ();
}
