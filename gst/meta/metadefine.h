/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef META_DEFINE_H
#define META_DEFINE_H

#include <gst/gst.h>

/* Registers a meta once: defines gst_cardiac_NAME_meta_api_get_type() and
 * gst_cardiac_NAME_meta_get_info() of GstCardiacNameMeta.
 * @tags: array of strings that ends with %NULL
 * @init, @free, @transform: of the meta; @free may be %NULL */
#define GST_CARDIAC_DEFINE_META(Name, name, tags, init, free, transform)       \
  GType gst_cardiac_##name##_meta_api_get_type (void)                          \
  {                                                                            \
    static gsize type = 0;                                                     \
                                                                               \
    if (g_once_init_enter (&type))                                             \
      g_once_init_leave (                                                      \
          &type, gst_meta_api_type_register (                                  \
                     "GstCardiac" #Name "MetaAPI", (const gchar **) tags));    \
    return type;                                                               \
  }                                                                            \
                                                                               \
  const GstMetaInfo *gst_cardiac_##name##_meta_get_info (void)                 \
  {                                                                            \
    static const GstMetaInfo *info = NULL;                                     \
                                                                               \
    if (g_once_init_enter ((GstMetaInfo **) &info)) {                          \
      const GstMetaInfo *meta =                                                \
          gst_meta_register (gst_cardiac_##name##_meta_api_get_type (),        \
              "GstCardiac" #Name "Meta", sizeof (GstCardiac##Name##Meta),      \
              init, free, transform);                                          \
      g_once_init_leave ((GstMetaInfo **) &info, (GstMetaInfo *) meta);        \
    }                                                                          \
    return info;                                                               \
  }

#endif
