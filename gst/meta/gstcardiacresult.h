/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef GST_CARDIAC_RESULT_H
#define GST_CARDIAC_RESULT_H

#include <gst/gst.h>

G_BEGIN_DECLS

#ifndef GST_CARDIAC_API
#define GST_CARDIAC_API __attribute__ ((visibility ("default"))) extern
#endif

#define GST_CARDIAC_MAX_CLASSES 8
#define GST_CARDIAC_MAX_INSTANCES 8
#define GST_CARDIAC_SEGMENTS 16
#define GST_CARDIAC_SCORES 4

/**
 * GstCardiacResultType:
 * @GST_CARDIAC_RESULT_MREG: mitral regurgitation
 * @GST_CARDIAC_RESULT_MMSA: regional wall motion
 * @GST_CARDIAC_RESULT_ROI: a detected region
 *
 * What a record is about.
 */
typedef enum {
  GST_CARDIAC_RESULT_MREG,
  GST_CARDIAC_RESULT_MMSA,
  GST_CARDIAC_RESULT_ROI,
} GstCardiacResultType;

/**
 * GstCardiacState:
 *
 * What a record says. One state at a time; a grade or scores exist in RESULT
 * and UNSURE only.
 */
typedef enum {
  GST_CARDIAC_STATE_RESULT,
  GST_CARDIAC_STATE_UNSURE,
  GST_CARDIAC_STATE_WAIT,
  GST_CARDIAC_STATE_STALE,
  GST_CARDIAC_STATE_NO_SIGNAL,
  GST_CARDIAC_STATE_FROZEN,
  GST_CARDIAC_STATE_NO_DOPPLER,
  GST_CARDIAC_STATE_VIEW_NOT_A4C,
  GST_CARDIAC_STATE_POOR_IMAGE,
  GST_CARDIAC_STATE_TOO_SHORT,
  GST_CARDIAC_STATE_MODEL_ERROR,
  GST_CARDIAC_STATE_PAUSED,
  GST_CARDIAC_STATE_STACK_INCOMPLETE,
  GST_CARDIAC_STATE_PHASES_DIFFER,
  GST_CARDIAC_STATE_LEVEL_UNKNOWN,
} GstCardiacState;

/**
 * GstCardiacBox:
 * @x: left side
 * @y: top side
 * @w: width
 * @h: height
 *
 * A rectangle in pixels of a picture.
 */
typedef struct {
  gdouble x, y, w, h;
} GstCardiacBox;

typedef struct _GstCardiacResult GstCardiacResult;

/**
 * GstCardiacResult:
 *
 * One statement about the video: an evaluation of a network or a change of
 * state. Whoever makes it fills in the fields; from the moment it is shared it
 * is immutable. Strings are owned by the record and may be %NULL. Times are
 * stream time.
 */
struct _GstCardiacResult {
  GstMiniObject mini_object;

  GstCardiacResultType type;
  GstCardiacState state;
  gchar *reason;     ///< one sentence
  guint64 serial;    ///< grows by one with each record of an element
  gboolean is_final; ///< of the whole recording
  GstClockTime pts;  ///< newest frame that it considers

  guint n_spans;                                    ///< 0 .. MAX_INSTANCES
  GstClockTime spans[GST_CARDIAC_MAX_INSTANCES][2]; ///< first, last frame
  gint instance;   ///< selected one, -1: unknown
  guint instances; ///< I; 0: unknown

  gint grade;      ///< -1: none
  gdouble value;   ///< regression; NaN: none
  guint n_classes; ///< K; 0: unknown
  gchar *labels[GST_CARDIAC_MAX_CLASSES];
  gdouble thresholds[GST_CARDIAC_MAX_CLASSES - 1]; ///< borders of `value`
  gboolean has_probabilities;
  gfloat probabilities[GST_CARDIAC_MAX_CLASSES];
  gdouble presence; ///< of regurgitation, selected instance; NaN: unknown
  guint n_points;   ///< T, frames an instance; 0: no curve
  gfloat *curve;    ///< [instances][n_points], or NULL
  gboolean has_roi;
  GstCardiacBox roi; ///< pixels of the frame that was analysed

  gboolean has_scores;                 ///< MMSA
  guint8 scores[GST_CARDIAC_SEGMENTS]; ///< 1 .. 4, 0: not scored
  gdouble index;                       ///< motion score index; NaN: none
  gint scored;                         ///< segments behind `index`; -1: unknown
  gboolean has_score_probabilities;
  gfloat score_probabilities[GST_CARDIAC_SEGMENTS][GST_CARDIAC_SCORES];
  guint n_phases;    ///< t, pictures of the cycle; 0: unknown
  guint motion_step; ///< d, phases from one picture of a pair to the other
  /** [n_phases][16][2], or NULL: mean motion of each segment from phase j to
   * phase j + d mod t, radial (+ is outward), then angular (+ is towards higher
   * columns), in pixels of the 80 x 192 polar picture of its level. Not in JSON
   * lines. */
  gfloat *motion;

  gchar *model_name, *model_sha256, *model_arch;
  gboolean trained, synthetic;
  gchar *device, *precision;
  gdouble inference_ms; ///< < 0: unknown
  gchar *version;       ///< of the software

  /* Maps of the network's activation. They hold no coordinates: where they lie
   * in a picture is said by GstCardiacGeometryMeta. */
  gchar *map_method; ///< "activation", "mixed" or "eigencam"
  guint map_rows, map_cols;
  gfloat *maps; ///< [instances][n_points][rows][cols], NaN: undefined
  gfloat map_peaks[GST_CARDIAC_MAX_INSTANCES];
  GstClockTime *frame_times; ///< [instances][n_points], or NULL
};

GST_CARDIAC_API GType gst_cardiac_result_get_type (void);
GST_CARDIAC_API GType gst_cardiac_state_get_type (void);
#define GST_TYPE_CARDIAC_RESULT (gst_cardiac_result_get_type ())
#define GST_TYPE_CARDIAC_STATE (gst_cardiac_state_get_type ())
#define GST_CARDIAC_RESULT(obj) ((GstCardiacResult *) (obj))

/** "RESULT", "NO_SIGNAL", ...: the word of JSON lines. */
GST_CARDIAC_API const gchar *gst_cardiac_state_name (GstCardiacState state);
GST_CARDIAC_API gboolean gst_cardiac_state_from_name (
    const gchar *name, GstCardiacState *state);

/** True in RESULT and UNSURE: the only states with a grade or scores. */
GST_CARDIAC_API gboolean gst_cardiac_state_has_finding (GstCardiacState state);

/** An empty record in WAIT; unknown fields say so. */
GST_CARDIAC_API GstCardiacResult *gst_cardiac_result_new (
    GstCardiacResultType type);

/** A deep copy that its caller may still change. */
GST_CARDIAC_API GstCardiacResult *gst_cardiac_result_copy (
    const GstCardiacResult *result);

static inline GstCardiacResult *
gst_cardiac_result_ref (GstCardiacResult *result)
{
  return (GstCardiacResult *) gst_mini_object_ref (
      GST_MINI_OBJECT_CAST (result));
}

static inline void
gst_cardiac_result_unref (GstCardiacResult *result)
{
  gst_mini_object_unref (GST_MINI_OBJECT_CAST (result));
}

/** Takes what is only known of a finding (grade, value, scores) out of a
 * record that its caller may still change. */
GST_CARDIAC_API void gst_cardiac_result_clear_finding (
    GstCardiacResult *result);

/** The sampled frame nearest to @time among those of the instance whose span
 * holds it. False when no instance does. */
GST_CARDIAC_API gboolean gst_cardiac_result_find_frame (
    const GstCardiacResult *result, GstClockTime time, gint *instance,
    gint *frame);

/** Map of one sampled frame, [map_rows][map_cols], or %NULL. */
GST_CARDIAC_API const gfloat *gst_cardiac_result_get_map (
    const GstCardiacResult *result, gint instance, gint frame);

/** The record as one JSON object on one line, without a line feed; schema
 * "gst-cardiac/1". Free with g_free(). */
GST_CARDIAC_API gchar *gst_cardiac_result_to_json (
    const GstCardiacResult *result);

/** Reads such a line. %NULL with @error for anything else. */
GST_CARDIAC_API GstCardiacResult *gst_cardiac_result_from_json (
    const gchar *json, gsize length, GError **error);

/** The record as the structure "cardiac-result" of a bus message: the fields
 * of the JSON line under the same names, `json` (the line itself) and `result`
 * (this record). */
GST_CARDIAC_API GstStructure *gst_cardiac_result_to_structure (
    GstCardiacResult *result);

G_END_DECLS

#endif
