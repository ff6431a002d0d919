/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_DICOM_DEMUX_H
#define GST_DICOM_DEMUX_H

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_DICOM_DEMUX (gst_dicom_demux_get_type ())
G_DECLARE_FINAL_TYPE (
    GstDicomDemux, gst_dicom_demux, GST, DICOM_DEMUX, GstElement)

GST_ELEMENT_REGISTER_DECLARE (dicomdemux);
GST_TYPE_FIND_REGISTER_DECLARE (dicom);

G_END_DECLS

#endif
