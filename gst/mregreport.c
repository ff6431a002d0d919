/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mregreport.h"

#include "jsonlines.h"
#include "resultstate.h"

struct _MregReport {
  GstElement *element;
  JsonLines *lines; /* NULL: none are wanted */
  const MregProvenance *provenance;
  ClipFeeder *feeder;

  GstCardiacResult *finding; /* newest of the network */
  gboolean finding_said;
  gchar *failure;          /* why the network failed; NULL: it did not */
  gboolean no_picture;     /* by the scanner's description of the screen */
  GstCardiacResult *shown; /* what frames carry now */
  gboolean is_new;         /* ... since this frame */
  guint64 serial, records;
  guint warned_write;
};

MregReport *
mreg_report_new (GstElement *element, gchar *const *results_location)
{
  MregReport *self = g_new0 (MregReport, 1);

  self->element = element;
  if (json_lines_open_for (element, results_location, &self->lines))
    return self;
  mreg_report_free (self);
  return NULL;
}

void
mreg_report_free (MregReport *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->lines, json_lines_close);
  mreg_report_forget_finding (self);
  mreg_report_forget_shown (self);
  g_free (self->failure);
  g_free (self);
}

void
mreg_report_set_source (
    MregReport *self, const MregProvenance *provenance, ClipFeeder *feeder)
{
  self->provenance = provenance;
  self->feeder = feeder;
}

/* One line and one message; a record is said once. */
static void
say (MregReport *self, GstCardiacResult *record)
{
  GError *error = NULL;

  self->records++;
  if (self->lines && !json_lines_write (self->lines, record, &error)) {
    if (self->warned_write++ == 0)
      GST_ELEMENT_ERROR (self->element, RESOURCE, WRITE,
          ("Results cannot be written: %s.", error->message), (NULL));
    g_clear_error (&error);
  }
  gst_element_post_message (
      self->element, gst_message_new_element (GST_OBJECT (self->element),
                         gst_cardiac_result_to_structure (record)));
}

static void
show (MregReport *self, GstCardiacResult *record)
{
  if (self->shown)
    gst_cardiac_result_unref (self->shown);
  self->shown = gst_cardiac_result_ref (record);
  self->is_new = TRUE;
}

/* A sentence with what was left out of the clips. */
static gchar *
make_reason (MregReport *self, const gchar *text)
{
  const ClipFeederCounts *counts = clip_feeder_get_counts (self->feeder);
  GString *reason = g_string_new (text ? text : "");

  if (counts->corrupt)
    g_string_append_printf (
        reason, "; %" G_GUINT64_FORMAT " damaged frames", counts->corrupt);
  if (counts->gaps)
    g_string_append_printf (
        reason, "; %" G_GUINT64_FORMAT " gaps", counts->gaps);
  if (counts->corrupt || counts->gaps)
    g_string_append (reason, " left out");
  return g_string_free (reason, FALSE);
}

/* A sentence for pictures that come too slowly. */
static gchar *
make_slow_text (MregReport *self)
{
  const gdouble second = GST_SECOND;
  gdouble period = clip_feeder_get_period (self->feeder) / second;
  gdouble longest = clip_feeder_get_longest_period (self->feeder) / second;
  guint frames = self->provenance->shape->frames;

  return g_strdup_printf (
      "%.1f pictures a second are too few: %u of them take %.1f s; at least "
      "%.1f a second are needed",
      1 / period, frames, frames * period, 1 / longest);
}

/* A record that says a state but no grade. */
static GstCardiacResult *
make_state_record (MregReport *self, GstCardiacState state, GstClockTime time)
{
  GstCardiacResult *record = mreg_record_new (self->provenance);
  const GstCardiacBox *roi = clip_feeder_get_roi (self->feeder);
  const gchar *text = state_reason (state);
  gchar *slow = NULL;

  record->state = state;
  record->pts = time;
  record->instances = self->provenance->shape->instances;
  if (state == GST_CARDIAC_STATE_MODEL_ERROR && self->failure)
    text = self->failure;
  if (state == GST_CARDIAC_STATE_VIEW_NOT_A4C && self->no_picture)
    text = "the scanner describes M-mode or spectra and no 2-D picture";
  if (state == GST_CARDIAC_STATE_POOR_IMAGE)
    text = slow = make_slow_text (self);
  record->reason = make_reason (self, text);
  g_free (slow);
  if (roi) {
    record->has_roi = TRUE;
    record->roi = *roi;
  }
  record->serial = ++self->serial;
  return record;
}

void
mreg_report_update (MregReport *self, GstCardiacState state, GstClockTime time)
{
  GstCardiacResult *record;

  if (gst_cardiac_state_has_finding (state)) {
    if (self->shown != self->finding)
      show (self, self->finding);
    if (!self->finding_said)
      say (self, self->finding);
    self->finding_said = TRUE;
    return;
  }
  if (self->shown && self->shown->state == state)
    return;
  record = make_state_record (self, state, time);
  show (self, record);
  say (self, record);
  gst_cardiac_result_unref (record);
}

/* ---- what is known ----------------------------------------------------- */

void
mreg_report_take_finding (MregReport *self, GstCardiacResult *record)
{
  if (!record->reason)
    record->reason = make_reason (self, state_reason (record->state));
  record->serial = ++self->serial;
  mreg_report_forget_finding (self);
  self->finding = record;
  self->finding_said = FALSE;
}

GstCardiacResult *
mreg_report_get_finding (MregReport *self)
{
  return self->finding;
}

void
mreg_report_forget_finding (MregReport *self)
{
  g_clear_pointer (&self->finding, gst_cardiac_result_unref);
}

void
mreg_report_set_failure (MregReport *self, const gchar *failure)
{
  g_free (self->failure);
  self->failure = g_strdup (failure);
}

const gchar *
mreg_report_get_failure (MregReport *self)
{
  return self->failure;
}

void
mreg_report_set_no_picture (MregReport *self, gboolean no_picture)
{
  self->no_picture = no_picture;
}

guint64
mreg_report_count (MregReport *self)
{
  return self->records;
}

void
mreg_report_end (MregReport *self, GstCardiacState state)
{
  GstCardiacResult *record =
      make_state_record (self, state, clip_feeder_get_time (self->feeder));

  record->is_final = TRUE;
  if (state == GST_CARDIAC_STATE_TOO_SHORT) {
    gchar *text = g_strdup_printf (
        "the recording of %.1f s does not hold %u clips of %.2f s without "
        "overlap",
        clip_feeder_get_duration (self->feeder) / (gdouble) GST_SECOND,
        self->provenance->shape->instances,
        clip_feeder_get_clip_duration (self->feeder) / (gdouble) GST_SECOND);

    g_free (record->reason);
    record->reason = make_reason (self, text);
    g_free (text);
  }
  show (self, record);
  say (self, record);
  gst_cardiac_result_unref (record);
}

/* ---- what frames carry ------------------------------------------------- */

gboolean
mreg_report_shows (MregReport *self, GstCardiacState state)
{
  return self->shown && self->shown->state == state;
}

void
mreg_report_forget_shown (MregReport *self)
{
  g_clear_pointer (&self->shown, gst_cardiac_result_unref);
}

GstCardiacResultMeta *
mreg_report_attach (MregReport *self, GstBuffer *buffer, GstClockTime time)
{
  GstCardiacResultMeta *meta;

  if (!self->shown)
    return NULL;
  meta = gst_buffer_add_cardiac_result_meta (buffer, self->shown);
  meta->is_new = self->is_new;
  self->is_new = FALSE;
  if (GST_CLOCK_TIME_IS_VALID (time)
      && GST_CLOCK_TIME_IS_VALID (self->shown->pts) && time >= self->shown->pts)
    meta->age = time - self->shown->pts;
  gst_cardiac_result_find_frame (
      self->shown, time, &meta->map_instance, &meta->map_frame);
  mreg_attach_geometry (buffer, clip_feeder_get_roi (self->feeder),
      clip_feeder_get_crop (self->feeder));
  return meta;
}

void
mreg_attach_geometry (
    GstBuffer *buffer, const GstCardiacBox *roi, const CardiacSquare *crop)
{
  GstCardiacGeometryMeta *meta = gst_buffer_add_cardiac_geometry_meta (buffer);

  if (roi && !meta->has_roi) {
    meta->has_roi = TRUE;
    meta->roi = *roi;
    meta->roi_confidence = 1;
  }
  if (crop) {
    meta->has_crop = TRUE;
    meta->crop.x = crop->x;
    meta->crop.y = crop->y;
    meta->crop.w = meta->crop.h = crop->side;
  }
}
