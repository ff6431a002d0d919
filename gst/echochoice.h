/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ECHO_CHOICE_H
#define ECHO_CHOICE_H

#include <echo/echo-phantom.h>
#include <glib-object.h>
#include <jansson.h>

/* What a person chose of an echo phantom, as properties of an element: a whole
 * recording drawn by chance, single settings of it, or single settings of the
 * normal heart. One table holds names, units and offsets; ranges and defaults
 * are those of the phantom itself. */

typedef struct {
  EchoSettings values; ///< valid where chosen
  guint64 chosen;      ///< a bit for each setting
  gint64 recording;    ///< number of the drawn recording; -1: none
  gint grade;          ///< of the drawn recording; -1: any
} EchoChoice;

void echo_choice_init (EchoChoice *choice);

/** Installs the properties; their ids are @first to the returned one, which is
 * the first free id. */
guint echo_choice_install (GObjectClass *klass, guint first);

/** @id: counted from the first one. Returns: whether something changed */
gboolean echo_choice_set (EchoChoice *choice, guint id, const GValue *value);
/** The value that is in effect. */
void echo_choice_get (const EchoChoice *choice, guint id, GValue *value);

/** The settings that follow. Returns: whether the recording has an end */
gboolean echo_choice_resolve (const EchoChoice *choice, EchoSettings *settings);

/** Sets what is known under the names of JSON ("heart_rate") or of properties
 * ("heart-rate"). %FALSE with @error names what is wrong. */
gboolean echo_choice_set_json (
    EchoChoice *choice, const json_t *object, GError **error);

/** All settings under the properties' names, with underscores. */
json_t *echo_settings_to_json (const EchoSettings *settings);

#endif
