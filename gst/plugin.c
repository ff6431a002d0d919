/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * plugin-cardiac:
 *
 * Elements that grade mitral regurgitation in colour-Doppler echo and draw the
 * result onto the video. Research use only, not for diagnosis.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstcardiacmeta2json.h"
#include "gstcardiacoverlay.h"
#include "gstcmrpolar.h"
#include "gstmmsascore.h"
#include "gstcmrcinesrc.h"
#include "gstdicomdemux.h"
#include "gstechotestsrc.h"
#include "gstcmrtestsrc.h"
#include "gstmregclassify.h"
#include "gstmregroi.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean any = FALSE;

  any |= GST_ELEMENT_REGISTER (mregroi, plugin);
  any |= GST_ELEMENT_REGISTER (mregclassify, plugin);
  any |= GST_ELEMENT_REGISTER (cardiacoverlay, plugin);
  any |= GST_ELEMENT_REGISTER (cardiacmeta2json, plugin);
  any |= GST_ELEMENT_REGISTER (cmrpolar, plugin);
  any |= GST_ELEMENT_REGISTER (mmsascore, plugin);
  any |= GST_ELEMENT_REGISTER (cmrcinesrc, plugin);
  any |= GST_ELEMENT_REGISTER (dicomdemux, plugin);
  any |= GST_TYPE_FIND_REGISTER (dicom, plugin);
  any |= GST_ELEMENT_REGISTER (echotestsrc, plugin);
  any |= GST_ELEMENT_REGISTER (cmrtestsrc, plugin);
  return any;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, cardiac,
    "Cardiac echo analysis, research use only", plugin_init, VERSION, "LGPL",
    PACKAGE, "Unknown package origin")
