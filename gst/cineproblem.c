/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "cineproblem.h"

#include "meta/gstcardiacresult.h"

static void
get_error_number (CineProblem problem, GQuark *domain, gint *number)
{
  *domain = GST_RESOURCE_ERROR;
  switch (problem) {
    case CINE_NOT_FOUND:
      *number = GST_RESOURCE_ERROR_NOT_FOUND;
      return;
    case CINE_BAD_SETTING:
      *number = GST_RESOURCE_ERROR_SETTINGS;
      return;
    case CINE_UNREADABLE:
      *number = GST_RESOURCE_ERROR_READ;
      return;
    case CINE_NO_MEMORY:
      *number = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
      return;
    case CINE_UNSUPPORTED:
      *domain = GST_CORE_ERROR;
      *number = GST_CORE_ERROR_MISSING_PLUGIN;
      return;
    default:
      *domain = GST_STREAM_ERROR;
      *number = GST_STREAM_ERROR_FORMAT;
      return;
  }
}

static gboolean
get_state (CineProblem problem, GstCardiacState *state)
{
  switch (problem) {
    case CINE_STACK_INCOMPLETE:
      *state = GST_CARDIAC_STATE_STACK_INCOMPLETE;
      return TRUE;
    case CINE_PHASES_DIFFER:
      *state = GST_CARDIAC_STATE_PHASES_DIFFER;
      return TRUE;
    case CINE_LEVEL_UNKNOWN:
      *state = GST_CARDIAC_STATE_LEVEL_UNKNOWN;
      return TRUE;
    default:
      return FALSE;
  }
}

void
cine_problem_post (GstElement *element, const CineError *error)
{
  GstStructure *details = NULL;
  GstCardiacState state;
  GQuark domain;
  gint number;

  if (get_state (error->problem, &state)) {
    GstCardiacResult *record = gst_cardiac_result_new (GST_CARDIAC_RESULT_MMSA);

    record->state = state;
    record->reason = g_strdup (error->text);
    record->version = g_strdup (VERSION);
    gst_element_post_message (
        element, gst_message_new_element (GST_OBJECT (element),
                     gst_cardiac_result_to_structure (record)));
    gst_cardiac_result_unref (record);
    details = gst_structure_new ("cardiac-stack-problem", "state",
        G_TYPE_STRING, gst_cardiac_state_name (state), NULL);
  }
  get_error_number (error->problem, &domain, &number);
  gst_element_message_full_with_details (element, GST_MESSAGE_ERROR, domain,
      number, g_strdup (error->text),
      *error->detail ? g_strdup (error->detail) : NULL, __FILE__, G_STRFUNC,
      __LINE__, details);
}
