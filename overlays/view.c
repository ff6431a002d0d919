/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public view, checked once: everything behind it is in range. */
#include "view.h"

#include <math.h>

enum { LEAST_SIDE = 64, MOST_SIDE = 8192 };
#define MOST_NS (INT64_MAX / 2) /* differences do not overflow */

void
cardiac_mreg_view_init (CardiacMRegView *view)
{
  *view = (CardiacMRegView){
    .layout = CARDIAC_OVERLAY_INSIDE,
    .enabled = true,
    .state = CARDIAC_OVERLAY_WAIT,
    .unsure_low = -1,
    .value = NAN,
    .probability = -1.0,
    .presence = -1.0,
    .selected = -1,
    .position_ns = -1,
    .map_mode = CARDIAC_OVERLAY_MAP_CONTOUR,
    .fill_alpha = CARDIAC_OVERLAY_DEFAULT_FILL_ALPHA,
    .age_s = -1.0,
  };
}

bool
picture_size_is_valid (int width, int height)
{
  return width >= LEAST_SIDE && width <= MOST_SIDE && height >= LEAST_SIDE
         && height <= MOST_SIDE;
}

static const char *
own (View *view, const char *string)
{
  char *clean = text_clean (string);
  if (clean == NULL)
    return NULL;
  g_strstrip (clean);
  if (*clean == '\0') {
    g_free (clean);
    return NULL;
  }
  view->strings[view->n_strings++] = clean;
  return clean;
}

static void
own_strings (View *view)
{
  CardiacMRegView *v = &view->v;
  v->reason = own (view, v->reason);
  v->state_time = own (view, v->state_time);
  v->nyquist = own (view, v->nyquist);
  v->model_name = own (view, v->model_name);
  v->model_hash = own (view, v->model_hash);
  v->device = own (view, v->device);
  v->precision = own (view, v->precision);
  v->note = own (view, v->note);
  for (int k = 0; k < CARDIAC_OVERLAY_MAX_CLASSES; k++)
    v->labels[k] = k < v->n_classes ? own (view, v->labels[k]) : NULL;
}

/* The classes count 0, 1, 2 .. around which the regression was trained, so
 * the outer ones get half of their neighbour's width. */
static void
find_scale (View *view)
{
  const CardiacMRegView *v = &view->v;
  int borders = v->n_classes - 1;
  view->has_scale = borders >= 1;
  for (int k = 0; k < borders; k++)
    if (!isfinite (v->thresholds[k])
        || (k > 0 && v->thresholds[k] <= v->thresholds[k - 1]))
      view->has_scale = false;
  if (!view->has_scale)
    return;
  const double *t = v->thresholds;
  double first = borders > 1 ? t[1] - t[0] : 1.0;
  double last = borders > 1 ? t[borders - 1] - t[borders - 2] : 1.0;
  view->low = t[0] - first / 2.0;
  view->high = t[borders - 1] + last / 2.0;
  view->has_scale = isfinite (view->low) && isfinite (view->high);
}

static int
lower_neighbour (const View *view)
{
  const CardiacMRegView *v = &view->v;
  int most = v->n_classes - 2;
  if (v->unsure_low >= 0)
    return MIN (v->unsure_low, most);
  if (!view->has_scale || !isfinite (v->value))
    return MIN (v->grade, most);
  int nearest = 0;
  for (int k = 1; k <= most; k++)
    if (fabs (v->value - v->thresholds[k])
        < fabs (v->value - v->thresholds[nearest]))
      nearest = k;
  return nearest;
}

static bool
grade_is_whole (const CardiacMRegView *v)
{
  if (v->n_classes < 2 || v->grade < 0 || v->grade >= v->n_classes)
    return false;
  for (int k = 0; k < v->n_classes; k++)
    if (v->labels[k] == NULL)
      return false;
  return true;
}

static void
check_finding (View *view)
{
  CardiacMRegView *v = &view->v;
  bool graded =
      v->state == CARDIAC_OVERLAY_RESULT || v->state == CARDIAC_OVERLAY_UNSURE;
  if (graded && !grade_is_whole (v)) {
    v->state = CARDIAC_OVERLAY_MODEL_ERROR;
    v->reason = "The result carries no grade or no label for it.";
    graded = false;
  }
  view->has_finding = graded && v->enabled && !v->withhold_grade;
  if (!view->has_finding)
    return;
  find_scale (view);
  view->neighbour = lower_neighbour (view);
}

static void
check_curve (CardiacMRegView *v)
{
  bool whole = v->curve != NULL && v->n_points >= 2 && v->n_points <= 4096
               && v->n_instances > 0
               && v->n_instances <= CARDIAC_OVERLAY_MAX_INSTANCES;
  for (int i = 0; whole && i < v->n_instances; i++)
    whole = v->spans_ns[i][0] >= 0 && v->spans_ns[i][1] > v->spans_ns[i][0]
            && v->spans_ns[i][1] <= MOST_NS;
  if (!whole)
    v->n_instances = 0;
  if (v->selected < 0 || v->selected >= v->n_instances)
    v->selected = -1;
  v->duration_ns = CLAMP (v->duration_ns, 0, MOST_NS);
}

static bool
box_is_finite (Box b)
{
  return isfinite (b.x) && isfinite (b.y) && isfinite (b.width)
         && isfinite (b.height) && fabs (b.x) < 1e6 && fabs (b.y) < 1e6
         && b.width >= 1.0 && b.height >= 1.0 && b.width < 1e6
         && b.height < 1e6;
}

static void
check_marks (CardiacMRegView *v)
{
  if (v->map_mode < CARDIAC_OVERLAY_MAP_OFF
      || v->map_mode > CARDIAC_OVERLAY_MAP_FILL)
    v->map_mode = CARDIAC_OVERLAY_MAP_CONTOUR;
  v->fill_alpha = isfinite (v->fill_alpha) ? CLAMP (
                      v->fill_alpha, 0.0, CARDIAC_OVERLAY_MAX_FILL_ALPHA)
                                           : CARDIAC_OVERLAY_DEFAULT_FILL_ALPHA;
  if (v->map_rows < 2 || v->map_rows > 256 || v->map_cols < 2
      || v->map_cols > 256 || !box_is_finite (v->crop))
    v->map = NULL;
  if (!box_is_finite (v->roi))
    v->draw_roi = false;
  if (v->no_draw == NULL)
    v->n_no_draw = 0;
  v->n_no_draw = CLAMP (v->n_no_draw, 0, CARDIAC_OVERLAY_MAX_NO_DRAW);
  if (v->pictures == NULL)
    v->n_pictures = 0;
  v->n_pictures = CLAMP (v->n_pictures, 0, CARDIAC_OVERLAY_MAX_PICTURES);
}

bool
view_read_frame (View *view, const CardiacMRegView *given)
{
  *view = (View){ .v = *given };
  CardiacMRegView *v = &view->v;
  v->n_classes = CLAMP (v->n_classes, 0, CARDIAC_OVERLAY_MAX_CLASSES);
  if (v->state < 0 || v->state >= CARDIAC_OVERLAY_N_STATES)
    v->state = CARDIAC_OVERLAY_MODEL_ERROR;
  if (!(v->age_s >= 0.0)) /* NaN too */
    v->age_s = -1.0;
  own_strings (view);
  check_curve (v);
  check_marks (v);
  return picture_size_is_valid (v->picture_width, v->picture_height);
}

bool
view_read (View *view, const CardiacMRegView *given)
{
  bool good = view_read_frame (view, given);
  check_finding (view);
  return good;
}

void
view_clear (View *view)
{
  for (int i = 0; i < view->n_strings; i++)
    g_free (view->strings[i]);
  view->n_strings = 0;
}

static void
finding_key (const View *view, Key *key)
{
  const CardiacMRegView *v = &view->v;
  key_int (key, v->n_classes);
  for (int k = 0; k < v->n_classes; k++)
    key_string (key, v->labels[k]);
  for (int k = 0; k + 1 < v->n_classes; k++)
    key_double (key, v->thresholds[k]);
  key_int (key, v->grade);
  key_int (key, view->neighbour);
  key_int (key, view->v.unsure_alone);
  key_double (key, v->value);
  key_double (key, v->probability);
  key_double (key, v->presence);
  key_string (key, v->nyquist);
  key_int (key, v->map_mode != CARDIAC_OVERLAY_MAP_OFF);
  key_int (key, v->final);
  key_int (key, v->age_s >= 0.0);
  key_int (key, v->n_instances);
  if (v->n_instances == 0)
    return;
  key_int (key, v->n_points);
  key_bytes (key, v->curve,
      sizeof (float) * (size_t) v->n_instances * (size_t) v->n_points);
  key_bytes (key, v->spans_ns, sizeof v->spans_ns[0] * (size_t) v->n_instances);
  key_int (key, v->selected);
  key_int (key, v->duration_ns);
}

void
view_key_model (const CardiacMRegView *v, Key *key)
{
  key_string (key, v->model_name);
  key_string (key, v->model_hash);
  key_string (key, v->device);
  key_string (key, v->precision);
  key_int (key, v->trained);
  key_int (key, v->synthetic);
}

void
view_key (const View *view, Key *key)
{
  const CardiacMRegView *v = &view->v;
  key_int (key, v->picture_width);
  key_int (key, v->picture_height);
  key_int (key, v->enabled);
  key_int (key, v->withhold_grade);
  key_int (key, v->state);
  key_string (key, v->reason);
  key_int (key, v->wait_done);
  key_int (key, v->wait_total);
  key_string (key, v->state_time);
  if (v->state == CARDIAC_OVERLAY_STALE)
    key_int (key, (int64_t) fmin (v->age_s, 1e9));
  view_key_model (v, key);
  key_int (key, v->view_checked);
  key_string (key, v->note);
  key_int (key, view->has_finding);
  if (view->has_finding)
    finding_key (view, key);
}
