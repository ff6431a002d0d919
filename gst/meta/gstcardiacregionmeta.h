/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_REGION_META_H
#define GST_CARDIAC_REGION_META_H

#include "gstcardiacresult.h"

G_BEGIN_DECLS

/**
 * GstCardiacRegionKind:
 * @GST_CARDIAC_REGION_UNKNOWN: not said, often the whole screen
 * @GST_CARDIAC_REGION_TISSUE: a 2-D picture in grey
 * @GST_CARDIAC_REGION_COLOUR_FLOW: a 2-D picture with colour Doppler, or its
 *   colour box
 * @GST_CARDIAC_REGION_M_MODE: one line over time
 * @GST_CARDIAC_REGION_SPECTRAL: velocities over time
 * @GST_CARDIAC_REGION_OTHER: ECG and other traces, colour and grey bars,
 *   graphics
 *
 * What a region means for those who look at the heart or draw on the picture:
 * the heart is in tissue or colour flow, and nothing is drawn on M-mode, spectra
 * and the rest.
 */
typedef enum {
  GST_CARDIAC_REGION_UNKNOWN,
  GST_CARDIAC_REGION_TISSUE,
  GST_CARDIAC_REGION_COLOUR_FLOW,
  GST_CARDIAC_REGION_M_MODE,
  GST_CARDIAC_REGION_SPECTRAL,
  GST_CARDIAC_REGION_OTHER,
} GstCardiacRegionKind;

typedef struct _GstCardiacRegionMeta GstCardiacRegionMeta;

/**
 * GstCardiacRegionMeta:
 * @number: of the region in its file, from 0
 * @kind: what follows from @spatial_format and @data_type
 * @spatial_format: Region Spatial Format (0018,6012)
 * @data_type: Region Data Type (0018,6014)
 * @flags: Region Flags (0018,6016)
 * @box: where it lies in this very picture, in its pixels
 * @unit: Physical Units (0018,6024) along x, (0018,6026) along y: 3 is cm, 4 s,
 *   5 Hz, 7 cm/s; 0: not said
 * @delta: units a pixel of this picture, along x and y, signed; NaN: not said
 * @reference: a pixel of this picture whose value is known; it may lie outside;
 *   NaN: not said
 * @reference_value: units at @reference; NaN: not said
 *
 * A region of an ultrasound screen, as the scanner described it in the Sequence
 * of Ultrasound Regions of a DICOM file (PS3.3 C.8.5.5). A buffer has one for
 * each, and they may overlap. Maps itself when the picture is copied or scaled
 * and vanishes where it cannot be mapped.
 */
struct _GstCardiacRegionMeta {
  GstMeta meta;

  guint number;
  GstCardiacRegionKind kind;
  guint spatial_format, data_type, flags;
  GstCardiacBox box;
  guint unit[2];
  gdouble delta[2];
  gdouble reference[2], reference_value[2];
};

GST_CARDIAC_API GType gst_cardiac_region_kind_get_type (void);
#define GST_TYPE_CARDIAC_REGION_KIND (gst_cardiac_region_kind_get_type ())

GST_CARDIAC_API GType gst_cardiac_region_meta_api_get_type (void);
GST_CARDIAC_API const GstMetaInfo *gst_cardiac_region_meta_get_info (void);
#define GST_CARDIAC_REGION_META_API_TYPE                                       \
  (gst_cardiac_region_meta_api_get_type ())

/** Adds a region of this number to a writable buffer, or empties the one that
 * is there; fill it in. */
GST_CARDIAC_API GstCardiacRegionMeta *gst_buffer_add_cardiac_region_meta (
    GstBuffer *buffer, guint number);

/** The buffer's next region, or %NULL.
 * @state: an opaque pointer that is %NULL at first */
GST_CARDIAC_API GstCardiacRegionMeta *gst_buffer_iterate_cardiac_region_meta (
    GstBuffer *buffer, gpointer *state);

/** What the standard's two numbers mean. */
GST_CARDIAC_API GstCardiacRegionKind gst_cardiac_region_kind_from_dicom (
    guint spatial_format, guint data_type);

/** Whether nothing may be drawn on a region of this kind. */
GST_CARDIAC_API gboolean gst_cardiac_region_kind_is_reserved (
    GstCardiacRegionKind kind);

G_END_DECLS

#endif
