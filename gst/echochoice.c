/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "echochoice.h"

#include <float.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <string.h>

#include "gstcardiacenums.h"

typedef enum {
  KIND_REAL,    /* double */
  KIND_COUNT,   /* int */
  KIND_SWITCH,  /* bool */
  KIND_WALL,    /* int, GstCardiacEchoWall */
  KIND_SEED,    /* uint64_t */
  KIND_FACTORS, /* double[ECHO_BEATS] */
} Kind;

typedef struct {
  const gchar *name, *nick, *blurb;
  Kind kind;
  gsize offset;
  gboolean live; /* controllable: changes little by little */
} Setting;

#define AT(field) G_STRUCT_OFFSET (EchoSettings, field)
#define LIVE TRUE
#define FIXED FALSE

static const Setting table[] = {
  { "seed", "Seed", "Of speckle, noise and turbulence", KIND_SEED, AT (seed),
      FIXED },
  { "duration", "Duration",
      "Length of the recording in s, from which three clips are graded. Chosen "
      "or drawn it ends there; otherwise the video has no end",
      KIND_REAL, AT (duration), FIXED },
  { "clip", "Clip", "Length of a graded clip in s", KIND_REAL, AT (clip),
      FIXED },
  { "frame-rate", "Frame rate",
      "Pictures a second of the scanner; caps without a rate get it", KIND_REAL,
      AT (frame_rate), FIXED },
  { "heart-rate", "Heart rate", "Beats a minute", KIND_REAL, AT (heart_rate),
      FIXED },
  { "phase", "Phase", "Of the cycle at time 0, 0 to 1; 0 is the R wave",
      KIND_REAL, AT (phase), FIXED },
  { "systole", "Systole", "Its share of the cycle", KIND_REAL, AT (systole),
      FIXED },
  { "heart-x", "Heart x",
      "Apex of the left ventricle, cm to the right of the transducer",
      KIND_REAL, AT (heart_x), FIXED },
  { "heart-y", "Heart y", "Apex of the left ventricle, cm below the transducer",
      KIND_REAL, AT (heart_y), FIXED },
  { "tilt", "Tilt", "Of the heart's axis, radians", KIND_REAL, AT (tilt),
      FIXED },
  { "scale", "Scale", "Of the whole heart", KIND_REAL, AT (scale), FIXED },
  { "lv-length", "LV length", "Cavity at end-diastole, cm", KIND_REAL,
      AT (lv_length), FIXED },
  { "lv-width", "LV width", "Cavity at end-diastole, cm", KIND_REAL,
      AT (lv_width), FIXED },
  { "la-length", "LA length", "At end-systole, cm", KIND_REAL, AT (la_length),
      FIXED },
  { "la-width", "LA width", "At end-systole, cm", KIND_REAL, AT (la_width),
      FIXED },
  { "rv-width", "RV width", "cm", KIND_REAL, AT (rv_width), FIXED },
  { "ra-width", "RA width", "cm", KIND_REAL, AT (ra_width), FIXED },
  { "ra-length", "RA length", "cm", KIND_REAL, AT (ra_length), FIXED },
  { "wall-thickness", "Wall thickness", "Of the left ventricle, cm", KIND_REAL,
      AT (wall), FIXED },
  { "shortening", "Shortening", "Share of lv-width that systole takes",
      KIND_REAL, AT (shortening), FIXED },
  { "excursion", "Excursion", "Of the mitral annulus, cm", KIND_REAL,
      AT (excursion), FIXED },
  { "jets", "Jets",
      "Number of regurgitant jets; as many as jet properties are set",
      KIND_COUNT, AT (jets), FIXED },
  { "jet-area", "Jet area",
      "Of the jet at its largest, share of the left atrium at end-systole",
      KIND_REAL, AT (jet[0].area), LIVE },
  { "jet-aspect", "Jet aspect", "Length / width", KIND_REAL, AT (jet[0].aspect),
      FIXED },
  { "jet-wall", "Jet wall", "Wall that an eccentric jet hugs", KIND_WALL,
      AT (jet[0].wall), FIXED },
  { "jet-direction", "Jet direction",
      "Of a central jet, radians from the atrium's axis; + is lateral",
      KIND_REAL, AT (jet[0].direction), FIXED },
  { "jet-orifice", "Jet orifice",
      "Place on the coaptation line, -1 (septal) to 1", KIND_REAL,
      AT (jet[0].orifice), FIXED },
  { "jet-onset", "Jet onset", "Share of systole at which the jet begins",
      KIND_REAL, AT (jet[0].onset), FIXED },
  { "jet-duration", "Jet duration", "Share of systole", KIND_REAL,
      AT (jet[0].duration), FIXED },
  { "jet2-area", "Second jet's area", "As jet-area", KIND_REAL,
      AT (jet[1].area), LIVE },
  { "jet2-aspect", "Second jet's aspect", "As jet-aspect", KIND_REAL,
      AT (jet[1].aspect), FIXED },
  { "jet2-wall", "Second jet's wall", "As jet-wall", KIND_WALL,
      AT (jet[1].wall), FIXED },
  { "jet2-direction", "Second jet's direction", "As jet-direction", KIND_REAL,
      AT (jet[1].direction), FIXED },
  { "jet2-orifice", "Second jet's orifice", "As jet-orifice", KIND_REAL,
      AT (jet[1].orifice), FIXED },
  { "jet2-onset", "Second jet's onset", "As jet-onset", KIND_REAL,
      AT (jet[1].onset), FIXED },
  { "jet2-duration", "Second jet's duration", "As jet-duration", KIND_REAL,
      AT (jet[1].duration), FIXED },
  { "beats", "Beats",
      "Factors of the jets' areas, a beat each, 0 to 1; repeated", KIND_FACTORS,
      AT (beat), FIXED },
  { "inflow", "Inflow", "Peak of the E wave, m/s", KIND_REAL, AT (inflow),
      FIXED },
  { "inflow-a", "Inflow A", "Peak of the A wave, m/s", KIND_REAL, AT (inflow_a),
      FIXED },
  { "outflow", "Outflow", "In the LV outflow tract, m/s", KIND_REAL,
      AT (outflow), FIXED },
  { "pulmonary-vein", "Pulmonary vein", "Flow out of it, m/s; 0: none",
      KIND_REAL, AT (pulmonary_vein), FIXED },
  { "swirl", "Swirl", "Flow around the left atrium, m/s; 0: none", KIND_REAL,
      AT (swirl), FIXED },
  { "tricuspid-jet", "Tricuspid jet", "Area / right atrium; 0: none", KIND_REAL,
      AT (tricuspid_jet), FIXED },
  { "depth", "Depth", "Of the picture, cm", KIND_REAL, AT (depth), FIXED },
  { "sector", "Sector", "Half its opening, radians", KIND_REAL, AT (sector),
      FIXED },
  { "nyquist", "Nyquist velocity", "At which colours wrap, m/s", KIND_REAL,
      AT (nyquist), LIVE },
  { "colour-gain", "Colour gain", "1 is right", KIND_REAL, AT (colour_gain),
      LIVE },
  { "colour-noise", "Colour noise", "Share of specks in the colour box",
      KIND_REAL, AT (colour_noise), LIVE },
  { "grey-gain", "Grey gain", "1 is right", KIND_REAL, AT (grey_gain), LIVE },
  { "grey-noise", "Grey noise", "0: none", KIND_REAL, AT (grey_noise), LIVE },
  { "depth-gain", "Depth gain", "Loss of brightness with depth", KIND_REAL,
      AT (depth_gain), LIVE },
  { "variance", "Variance", "Green for turbulence", KIND_SWITCH, AT (variance),
      FIXED },
  { "box-left", "Box left", "Side of the colour box, radians", KIND_REAL,
      AT (box_left), FIXED },
  { "box-right", "Box right", "Side of the colour box, radians", KIND_REAL,
      AT (box_right), FIXED },
  { "box-top", "Box top", "Of the colour box, cm", KIND_REAL, AT (box_top),
      FIXED },
  { "box-bottom", "Box bottom", "Of the colour box, cm", KIND_REAL,
      AT (box_bottom), FIXED },
  { "layout", "Layout", "Whose scanner's screen", KIND_COUNT, AT (layout),
      FIXED },
  { "colour", "Colour", "Colour flow; without it grey scale alone", KIND_SWITCH,
      AT (colour), FIXED },
};

enum {
  SETTINGS = G_N_ELEMENTS (table),
  ID_RECORDING = SETTINGS,
  ID_GRADE,
  IDS,
};

G_STATIC_ASSERT (SETTINGS <= 64);

#define DEFAULT_RECORDING (-1)
#define DEFAULT_GRADE (-1)

static gpointer
field_of (EchoSettings *settings, const Setting *setting)
{
  return (guint8 *) settings + setting->offset;
}

static gconstpointer
const_field_of (const EchoSettings *settings, const Setting *setting)
{
  return (const guint8 *) settings + setting->offset;
}

static gint
find_setting (gsize offset)
{
  for (guint i = 0; i < SETTINGS; i++)
    if (table[i].offset == offset)
      return i;
  g_assert_not_reached ();
}

/* What a jet is like where nothing else is said. */
static const EchoJet standard_jet = {
  .area = 0.15,
  .aspect = 2.2,
  .onset = 0.05,
  .duration = 0.9,
};
#define ECCENTRIC_ASPECT 4.5

/* The normal heart, with jets that `jets` or one of their properties shows. */
static void
set_standard (EchoSettings *settings)
{
  echo_settings_default (settings);
  for (gint j = settings->jets; j < ECHO_MAX_JETS; j++)
    settings->jet[j] = standard_jet;
}

static gboolean
is_chosen (const EchoChoice *choice, gsize offset)
{
  return choice->chosen >> find_setting (offset) & 1;
}

void
echo_choice_init (EchoChoice *choice)
{
  memset (choice, 0, sizeof *choice);
  set_standard (&choice->values);
  choice->recording = DEFAULT_RECORDING;
  choice->grade = DEFAULT_GRADE;
}

/* Whether any property of jet `number` was set. */
static gboolean
jet_is_chosen (const EchoChoice *choice, guint number)
{
  gsize begin = AT (jet) + number * sizeof (EchoJet);

  for (guint i = 0; i < SETTINGS; i++)
    if (table[i].offset >= begin && table[i].offset < begin + sizeof (EchoJet)
        && choice->chosen >> i & 1)
      return TRUE;
  return FALSE;
}

static gsize
size_of (const Setting *setting)
{
  switch (setting->kind) {
    case KIND_REAL:
      return sizeof (gdouble);
    case KIND_COUNT:
    case KIND_WALL:
      return sizeof (int);
    case KIND_SWITCH:
      return sizeof (bool);
    case KIND_SEED:
      return sizeof (uint64_t);
    case KIND_FACTORS:
      return ECHO_BEATS * sizeof (gdouble);
  }
  g_assert_not_reached ();
}

/* Jets that a drawn recording does not have, and how many there are. */
static void
complete_jets (const EchoChoice *choice, EchoSettings *settings, gint drawn)
{
  for (gint j = drawn; j < ECHO_MAX_JETS; j++) {
    gsize jet = AT (jet) + j * sizeof (EchoJet);

    if (settings->jet[j].wall
        && !is_chosen (choice, jet + G_STRUCT_OFFSET (EchoJet, aspect)))
      settings->jet[j].aspect = ECCENTRIC_ASPECT;
    if (jet_is_chosen (choice, j) && !is_chosen (choice, AT (jets)))
      settings->jets = MAX (settings->jets, j + 1);
  }
}

gboolean
echo_choice_resolve (const EchoChoice *choice, EchoSettings *settings)
{
  gboolean drawn = choice->recording >= 0 || choice->grade >= 0;
  gint jets;

  if (drawn)
    echo_settings_draw (settings, MAX (choice->recording, 0), choice->grade);
  else
    echo_settings_default (settings);
  jets = settings->jets;
  for (gint j = jets; j < ECHO_MAX_JETS; j++)
    settings->jet[j] = standard_jet;
  for (guint i = 0; i < SETTINGS; i++)
    if (choice->chosen >> i & 1)
      memcpy (field_of (settings, &table[i]),
          const_field_of (&choice->values, &table[i]), size_of (&table[i]));
  complete_jets (choice, settings, jets);
  echo_settings_clamp (settings);
  return drawn || is_chosen (choice, AT (duration));
}

/* ---- properties -------------------------------------------------------- */

/* Makes room for any value of those that others are limited by. */
static void
widen (EchoSettings *settings)
{
  settings->jets = ECHO_MAX_JETS;
  settings->clip = settings->box_left = settings->box_top = -DBL_MAX;
  settings->sector = settings->depth = DBL_MAX;
  for (gint j = 0; j < ECHO_MAX_JETS; j++)
    settings->jet[j].onset = 0;
}

/* What the phantom itself allows of a field. */
static void
find_range (const Setting *setting, gdouble *low, gdouble *high)
{
  const gdouble ends[2] = { -DBL_MAX, DBL_MAX };
  gdouble range[2];

  for (guint end = 0; end < 2; end++) {
    EchoSettings settings;
    gpointer field = field_of (&settings, setting);

    set_standard (&settings);
    widen (&settings);
    if (setting->kind == KIND_REAL)
      *(gdouble *) field = ends[end];
    else
      *(int *) field = end ? G_MAXINT : G_MININT;
    echo_settings_clamp (&settings);
    range[end] =
        setting->kind == KIND_REAL ? *(gdouble *) field : *(int *) field;
  }
  *low = range[0];
  *high = range[1];
}

static GParamSpec *
make_real (
    const Setting *setting, const EchoSettings *defaults, GParamFlags flags)
{
  gdouble standard = *(const gdouble *) const_field_of (defaults, setting);
  gdouble low, high;

  find_range (setting, &low, &high);
  return g_param_spec_double (setting->name, setting->nick, setting->blurb,
      MIN (low, standard), MAX (high, standard), standard, flags);
}

static GParamSpec *
make_count (
    const Setting *setting, const EchoSettings *defaults, GParamFlags flags)
{
  gint standard = *(const int *) const_field_of (defaults, setting);
  gdouble low, high;

  find_range (setting, &low, &high);
  return g_param_spec_int (
      setting->name, setting->nick, setting->blurb, low, high, standard, flags);
}

static GParamSpec *
make_factors (const Setting *setting, GParamFlags flags)
{
  return gst_param_spec_array (setting->name, setting->nick, setting->blurb,
      g_param_spec_double ("factor", "Factor", "Of a beat", 0, 1, 1,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS),
      flags);
}

static GParamSpec *
make_pspec (
    const Setting *setting, const EchoSettings *defaults, GParamFlags flags)
{
  gconstpointer standard = const_field_of (defaults, setting);

  switch (setting->kind) {
    case KIND_REAL:
      return make_real (setting, defaults, flags);
    case KIND_COUNT:
      return make_count (setting, defaults, flags);
    case KIND_SWITCH:
      return g_param_spec_boolean (setting->name, setting->nick, setting->blurb,
          *(const bool *) standard, flags);
    case KIND_WALL:
      return g_param_spec_enum (setting->name, setting->nick, setting->blurb,
          GST_TYPE_CARDIAC_ECHO_WALL, *(const int *) standard, flags);
    case KIND_SEED:
      return g_param_spec_uint64 (setting->name, setting->nick, setting->blurb,
          0, G_MAXUINT64, *(const uint64_t *) standard, flags);
    case KIND_FACTORS:
      return make_factors (setting, flags);
  }
  g_assert_not_reached ();
}

guint
echo_choice_install (GObjectClass *klass, guint first)
{
  const GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
  EchoSettings defaults;

  set_standard (&defaults);
  for (guint i = 0; i < SETTINGS; i++)
    g_object_class_install_property (klass, first + i,
        make_pspec (&table[i], &defaults,
            flags | (table[i].live ? GST_PARAM_CONTROLLABLE : 0)));
  g_object_class_install_property (klass, first + ID_RECORDING,
      g_param_spec_int64 ("phantom-seed", "Phantom seed",
          "Number of a recording that is drawn by chance; other properties "
          "change single settings of it. -1: the normal heart",
          -1, G_MAXINT64, DEFAULT_RECORDING, flags));
  g_object_class_install_property (klass, first + ID_GRADE,
      g_param_spec_int ("grade", "Grade",
          "Of the drawn recording, 0 to 2; -1: any, in the proportions 403 : "
          "307 : 98. Alone, it draws recording 0",
          -1, 2, DEFAULT_GRADE, flags));
  return first + IDS;
}

/* A value is read into a copy of the field first, so that a change shows. */
static void
read_value (const Setting *setting, const GValue *value, gpointer field)
{
  switch (setting->kind) {
    case KIND_REAL:
      *(gdouble *) field = g_value_get_double (value);
      break;
    case KIND_COUNT:
      *(int *) field = g_value_get_int (value);
      break;
    case KIND_SWITCH:
      *(bool *) field = g_value_get_boolean (value);
      break;
    case KIND_WALL:
      *(int *) field = g_value_get_enum (value);
      break;
    case KIND_SEED:
      *(uint64_t *) field = g_value_get_uint64 (value);
      break;
    case KIND_FACTORS:
      for (guint i = 0, n = gst_value_array_get_size (value); i < ECHO_BEATS;
           i++)
        ((gdouble *) field)[i] =
            n ? g_value_get_double (gst_value_array_get_value (value, i % n))
              : 1;
      break;
  }
}

gboolean
echo_choice_set (EchoChoice *choice, guint id, const GValue *value)
{
  EchoChoice before = *choice;

  if (id == ID_RECORDING) {
    choice->recording = g_value_get_int64 (value);
  } else if (id == ID_GRADE) {
    choice->grade = g_value_get_int (value);
  } else {
    g_assert (id < SETTINGS);
    read_value (&table[id], value, field_of (&choice->values, &table[id]));
    choice->chosen |= G_GUINT64_CONSTANT (1) << id;
  }
  return memcmp (&before, choice, sizeof before) != 0;
}

static void
write_factors (const gdouble *factors, GValue *value)
{
  GValue factor = G_VALUE_INIT;

  g_value_init (&factor, G_TYPE_DOUBLE);
  for (guint i = 0; i < ECHO_BEATS; i++) {
    g_value_set_double (&factor, factors[i]);
    gst_value_array_append_value (value, &factor);
  }
  g_value_unset (&factor);
}

static void
write_value (const Setting *setting, gconstpointer field, GValue *value)
{
  switch (setting->kind) {
    case KIND_REAL:
      g_value_set_double (value, *(const gdouble *) field);
      break;
    case KIND_COUNT:
      g_value_set_int (value, *(const int *) field);
      break;
    case KIND_SWITCH:
      g_value_set_boolean (value, *(const bool *) field);
      break;
    case KIND_WALL:
      g_value_set_enum (value, *(const int *) field);
      break;
    case KIND_SEED:
      g_value_set_uint64 (value, *(const uint64_t *) field);
      break;
    case KIND_FACTORS:
      write_factors (field, value);
      break;
  }
}

void
echo_choice_get (const EchoChoice *choice, guint id, GValue *value)
{
  EchoSettings settings;

  if (id == ID_RECORDING) {
    g_value_set_int64 (value, choice->recording);
  } else if (id == ID_GRADE) {
    g_value_set_int (value, choice->grade);
  } else {
    g_assert (id < SETTINGS);
    echo_choice_resolve (choice, &settings);
    write_value (&table[id], const_field_of (&settings, &table[id]), value);
  }
}

/* ---- JSON -------------------------------------------------------------- */

static json_t *
field_to_json (const Setting *setting, gconstpointer field)
{
  json_t *factors;

  switch (setting->kind) {
    case KIND_REAL:
      return json_real (*(const gdouble *) field);
    case KIND_COUNT:
    case KIND_WALL:
      return json_integer (*(const int *) field);
    case KIND_SWITCH:
      return json_boolean (*(const bool *) field);
    case KIND_SEED:
      /* Bit for bit: JSON's whole numbers are signed here. */
      return json_integer ((json_int_t) * (const uint64_t *) field);
    case KIND_FACTORS:
      factors = json_array ();
      for (guint i = 0; i < ECHO_BEATS; i++)
        json_array_append_new (
            factors, json_real (((const gdouble *) field)[i]));
      return factors;
  }
  g_assert_not_reached ();
}

json_t *
echo_settings_to_json (const EchoSettings *settings)
{
  json_t *object = json_object ();

  for (guint i = 0; i < SETTINGS; i++) {
    gchar *name = g_strdelimit (g_strdup (table[i].name), "-", '_');

    json_object_set_new (object, name,
        field_to_json (&table[i], const_field_of (settings, &table[i])));
    g_free (name);
  }
  return object;
}

static gboolean
field_from_json (const Setting *setting, const json_t *value, gpointer field)
{
  gdouble *factors = field;

  switch (setting->kind) {
    case KIND_REAL:
      *(gdouble *) field = json_number_value (value);
      return json_is_number (value);
    case KIND_COUNT:
    case KIND_WALL:
      *(int *) field = CLAMP (json_integer_value (value), G_MININT, G_MAXINT);
      return json_is_integer (value);
    case KIND_SWITCH:
      *(bool *) field = json_is_true (value);
      return json_is_boolean (value);
    case KIND_SEED:
      *(uint64_t *) field = (uint64_t) json_integer_value (value);
      return json_is_integer (value);
    case KIND_FACTORS:
      for (guint i = 0, n = json_array_size (value); n && i < ECHO_BEATS; i++)
        factors[i] = json_number_value (json_array_get (value, i % n));
      return json_array_size (value) > 0;
  }
  g_assert_not_reached ();
}

gboolean
echo_choice_set_json (EchoChoice *choice, const json_t *object, GError **error)
{
  const gchar *key;
  json_t *value;

  json_object_foreach ((json_t *) object, key, value)
  {
    gchar *name = g_strdelimit (g_strdup (key), "_", '-');
    guint i = 0;

    while (i < SETTINGS && strcmp (table[i].name, name))
      i++;
    g_free (name);
    if (i == SETTINGS
        || !field_from_json (
            &table[i], value, field_of (&choice->values, &table[i]))) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
          i == SETTINGS ? "\"%s\" is no setting of the phantom"
                        : "\"%s\" has a value of the wrong kind",
          key);
      return FALSE;
    }
    choice->chosen |= G_GUINT64_CONSTANT (1) << i;
  }
  return TRUE;
}
