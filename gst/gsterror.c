/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gsterror.h"

static void
get_domain (CardiacErrorCode code, GQuark *domain, gint *number)
{
  *domain = GST_RESOURCE_ERROR;
  switch (code) {
    case CARDIAC_ERROR_NOT_FOUND:
      *number = GST_RESOURCE_ERROR_NOT_FOUND;
      return;
    case CARDIAC_ERROR_IO:
      *number = GST_RESOURCE_ERROR_READ;
      return;
    case CARDIAC_ERROR_FORMAT:
    case CARDIAC_ERROR_MODEL:
    case CARDIAC_ERROR_INVALID_ARGUMENT:
      *number = GST_RESOURCE_ERROR_SETTINGS;
      return;
    case CARDIAC_ERROR_NO_MEMORY:
      *number = GST_RESOURCE_ERROR_NO_SPACE_LEFT;
      return;
    default:
      break;
  }

  *domain = GST_LIBRARY_ERROR;
  switch (code) {
    case CARDIAC_ERROR_DEVICE:
      *number = GST_LIBRARY_ERROR_INIT;
      return;
    case CARDIAC_ERROR_UNSUPPORTED:
      *number = GST_LIBRARY_ERROR_SETTINGS;
      return;
    default:
      *number = GST_LIBRARY_ERROR_FAILED;
      return;
  }
}

void
gst_cardiac_post_error (GstElement *element, CardiacError **error)
{
  GQuark domain;
  gint number;

  get_domain (cardiac_error_code (*error), &domain, &number);
  gst_element_message_full (element, GST_MESSAGE_ERROR, domain, number,
      g_strdup (cardiac_error_message (*error)),
      g_strdup (cardiac_error_detail (*error)), __FILE__, G_STRFUNC, __LINE__);
  cardiac_error_free (error);
}
