/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dicom-set.h"

#include "reader.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/appender.h>
#include <dcmtk/oflog/logger.h>
#include <dcmtk/oflog/oflog.h>

namespace {

const Uint32 MAX_IN_MEMORY = 4096; /* longer values stay in the file */
/* Of a file that is cut off: what was read in part looks like the whole. */
const Uint32 MAX_OF_CUT = 8;

/* Decoders, as long as the process lives. */
struct Decoders {
  Decoders ()
  {
    /* Components as they are: dicom-clip.cc knows better what they mean. */
    DJDecoderRegistration::registerCodecs (
        EDC_never, EUC_default, EPC_colorByPixel);
    DJLSDecoderRegistration::registerCodecs (
        EJLSUC_default, EJLSPC_colorByPixel);
    DcmRLEDecoderRegistration::registerCodecs ();
  }
  ~Decoders ()
  {
    DJDecoderRegistration::cleanup ();
    DJLSDecoderRegistration::cleanup ();
    DcmRLEDecoderRegistration::cleanup ();
  }
};

thread_local unsigned n_complaints;

/* The JPEG decoder shows whatever it makes of damaged data, and says so in a
 * warning alone. */
struct Listener : dcmtk::log4cplus::Appender {
  void
  close () override
  {
  }
  void
  append (const dcmtk::log4cplus::spi::InternalLoggingEvent &) override
  {
    n_complaints++;
  }
  ~Listener ()
  {
    destructorImpl ();
  }
};

/* Nothing is printed: the library's messages may hold names. */
bool
listen ()
{
  OFLog::configure (OFLogger::OFF_LOG_LEVEL);
  OFLogger jpeg = OFLog::getLogger ("dcmtk.dcmjpeg");
  jpeg.setLogLevel (OFLogger::WARN_LOG_LEVEL);
  jpeg.setAdditivity (false);
  jpeg.addAppender (dcmtk::log4cplus::SharedAppenderPtr (new Listener));
  return true;
}

} // namespace

void
cine::set_up ()
{
  static const bool listening = listen ();
  static const Decoders decoders;
  (void) listening;
  (void) decoders;
}

unsigned
cine::count_complaints ()
{
  return n_complaints;
}

bool
cine::is_encapsulated (E_TransferSyntax syntax)
{
#if OFFIS_DCMTK_VERSION_NUMBER >= 369
  return DcmXfer (syntax).usesEncapsulatedFormat ();
#else
  return DcmXfer (syntax).isEncapsulated ();
#endif
}

std::string
cine::text (DcmItem &set, const DcmTagKey &tag)
{
  OFString value;
  if (set.findAndGetOFStringArray (tag, value).bad ())
    return "";
  std::string s (value.c_str ());
  while (!s.empty () && s.back () == ' ')
    s.pop_back ();
  return s;
}

double
cine::number (DcmItem &set, const DcmTagKey &tag, unsigned long position)
{
  OFString value;
  OFBool fine = OFFalse;
  if (set.findAndGetOFString (tag, value, position).bad () || value.empty ())
    return NAN;
  double v = OFStandard::atof (value.c_str (), &fine);
  return fine && std::isfinite (v) ? v : NAN;
}

int
cine::integer (DcmItem &set, const DcmTagKey &tag)
{
  double value = number (set, tag);
  return std::fabs (value) < 1e9 ? (int) value : 0;
}

bool
cine::has_magic (const char *path)
{
  char head[132] = "";
  std::ifstream stream (path, std::ios::binary);
  stream.read (head, sizeof head);
  return stream.gcount () == (std::streamsize) sizeof head
         && !std::memcmp (head + 128, "DICM", 4);
}

bool
cine::open_file (DcmFileFormat &format, const char *path, char *why)
{
  OFCondition read = format.loadFile (
      path, EXS_Unknown, EGL_noChange, MAX_IN_MEMORY, ERM_fileOnly);
  if (read.good ())
    return true;
  std::snprintf (why, CINE_WHY,
      "it is cut off or does not hold together (%s); copy it again",
      read.text ());
  return false;
}

bool
cine::open_cut_file (DcmFileFormat &format, const char *path)
{
  OFCondition read = format.loadFile (
      path, EXS_Unknown, EGL_noChange, MAX_OF_CUT, ERM_fileOnly);
  DcmDataset *set = format.getDataset ();

  /* Within an element, or between two fragments. What is deflated is read into
   * memory in any case. */
  return (read == EC_StreamNotifyClient
             || read == EC_SequDelimitationItemMissing)
         && set && set->getOriginalXfer () != EXS_DeflatedLittleEndianExplicit
         && set->tagExists (DCM_PixelData);
}
