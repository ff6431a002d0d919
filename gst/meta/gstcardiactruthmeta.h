/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_TRUTH_META_H
#define GST_CARDIAC_TRUTH_META_H

#include "gstcardiacresult.h"

G_BEGIN_DECLS

typedef struct _GstCardiacEchoTruthMeta GstCardiacEchoTruthMeta;
typedef struct _GstCardiacEchoPlacesMeta GstCardiacEchoPlacesMeta;

/**
 * GstCardiacEchoTruthMeta:
 * @grade: of regurgitation: 0, 1 or 2
 * @severity: Σ area (eccentric ? 2.5 : 1) min (1, duration / 0.7) of the worst
 *   beat; grade 0 below 0.05, 1 below 0.2
 * @area: of that beat's jets, share of the left atrium, at their largest
 * @duration: of its longest jet, share of systole
 * @eccentric: its larger jet hugs a wall
 * @worst_beat: its number; -1: there is none
 * @instance: the clip that holds it, 0 to 2; -1: the recording has no end
 * @beat: number of this frame's beat
 * @phase: of the cycle at this frame, 0 to 1; 0 is the R wave
 * @systole: whether this frame lies in systole
 * @jet_area: of the jets at this frame, share of the left atrium
 *
 * What is true of an echo phantom. The first seven fields describe the three
 * clips that the recording is graded from, the others this frame. Where the
 * recording has no end, the former describe the time of three clips up to this
 * frame.
 *
 * It holds no coordinates and has no tags: it survives conversion, scaling,
 * cropping, encoding and cudadownload.
 */
struct _GstCardiacEchoTruthMeta {
  GstMeta meta;

  gint grade;
  gdouble severity, area, duration;
  gboolean eccentric;
  gint worst_beat, instance;
  gint beat;
  gdouble phase;
  gboolean systole;
  gdouble jet_area;
};

/**
 * GstCardiacEchoPlacesMeta:
 * @roi: rectangle that covers all chambers over the whole cycle
 * @annulus: septal, then lateral end of the mitral annulus (x, y)
 * @atrium: centre of the left atrium (x, y)
 *
 * Where a phantom's structures lie in this very picture, in its pixels. Maps
 * itself when the picture is copied or scaled (from GStreamer 1.28 on: cropped
 * or padded, too; it may then lie outside) and vanishes where it cannot be mapped
 * (flip).
 */
struct _GstCardiacEchoPlacesMeta {
  GstMeta meta;

  GstCardiacBox roi;
  gdouble annulus[2][2];
  gdouble atrium[2];
};

GST_CARDIAC_API GType gst_cardiac_echo_truth_meta_api_get_type (void);
GST_CARDIAC_API const GstMetaInfo *gst_cardiac_echo_truth_meta_get_info (void);
GST_CARDIAC_API GType gst_cardiac_echo_places_meta_api_get_type (void);
GST_CARDIAC_API const GstMetaInfo *gst_cardiac_echo_places_meta_get_info (void);
#define GST_CARDIAC_ECHO_TRUTH_META_API_TYPE                                   \
  (gst_cardiac_echo_truth_meta_api_get_type ())
#define GST_CARDIAC_ECHO_PLACES_META_API_TYPE                                  \
  (gst_cardiac_echo_places_meta_api_get_type ())

/** Adds an empty one to a writable buffer; fill it in. */
GST_CARDIAC_API GstCardiacEchoTruthMeta *
gst_buffer_add_cardiac_echo_truth_meta (GstBuffer *buffer);
GST_CARDIAC_API GstCardiacEchoPlacesMeta *
gst_buffer_add_cardiac_echo_places_meta (GstBuffer *buffer);

/** The buffer's, or %NULL. */
GST_CARDIAC_API GstCardiacEchoTruthMeta *
gst_buffer_get_cardiac_echo_truth_meta (GstBuffer *buffer);
GST_CARDIAC_API GstCardiacEchoPlacesMeta *
gst_buffer_get_cardiac_echo_places_meta (GstBuffer *buffer);

G_END_DECLS

#endif
