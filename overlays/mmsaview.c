/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public view of wall motion, checked once. */
#include "mmsaview.h"

#include <math.h>

#define NO_SCORES "The result carries no scores."

void
cardiac_mmsa_view_init (CardiacMmsaView *view)
{
  *view = (CardiacMmsaView){
    .layout = CARDIAC_OVERLAY_INSIDE,
    .enabled = true,
    .draw_motion = true,
    .state = CARDIAC_OVERLAY_WAIT,
    .least_scored = CARDIAC_OVERLAY_DEFAULT_LEAST_SCORED,
    .motion_step = 1,
    .rv_anterior_angle = AHA_ANTERIOR_ANGLE,
    .septum_angle = NAN,
    .age_s = -1.0,
  };
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    view->slices[i].slice = view->slices[i].phase = -1;
}

double
cardiac_mmsa_index (
    const uint8_t scores[CARDIAC_OVERLAY_SEGMENTS], int least, int *scored)
{
  int sum = 0;
  *scored = 0;
  for (int i = 0; i < CARDIAC_OVERLAY_SEGMENTS; i++)
    if (scores[i] >= 1 && scores[i] <= CARDIAC_OVERLAY_SCORES) {
      sum += scores[i];
      ++*scored;
    }
  return *scored > 0 && *scored >= least ? (double) sum / *scored : NAN;
}

/* What a view of any kind has, as the view of the kind that was there first. */
static CardiacMRegView
common_of (const CardiacMmsaView *given)
{
  CardiacMRegView common;
  cardiac_mreg_view_init (&common);
  common.picture_width = given->picture_width;
  common.picture_height = given->picture_height;
  common.layout = given->layout;
  common.no_draw = given->no_draw;
  common.n_no_draw = given->n_no_draw;
  common.enabled = given->enabled;
  common.hide_marks = given->hide_marks;
  common.withhold_grade = given->withhold_scores;
  common.state = given->state;
  common.reason = given->reason;
  common.wait_done = given->wait_done;
  common.wait_total = given->wait_total;
  common.state_time = given->state_time;
  common.map_mode = CARDIAC_OVERLAY_MAP_OFF;
  common.age_s = given->age_s;
  common.final = given->final;
  common.model_name = given->model_name;
  common.model_hash = given->model_hash;
  common.device = given->device;
  common.precision = given->precision;
  common.trained = given->trained;
  common.synthetic = given->synthetic;
  common.view_checked = true;
  common.note = given->note;
  /* Not a mitral word: borrowed for its cleaning. */
  common.nyquist = given->landmarks;
  return common;
}

static bool
box_is_sane (const Box *b, int width, int height)
{
  return isfinite (b->x) && isfinite (b->y) && isfinite (b->width)
         && isfinite (b->height) && b->x >= 0.0 && b->y >= 0.0
         && b->width >= 16.0 && b->height >= 16.0
         && b->x + b->width <= width + 0.5 && b->y + b->height <= height + 0.5;
}

static void
check_slice (MmsaView *view, int i)
{
  CardiacMmsaSlice *s = &view->v.slices[i];
  s->shown = s->shown
             && box_is_sane (
                 &s->rectangle, view->v.picture_width, view->v.picture_height);
  s->has_landmarks = s->shown && s->has_landmarks
                     && aha_orient (s->lv_centre, s->rv_anterior,
                         s->rv_inferior, &view->orientation[i]);
  if (!s->has_landmarks)
    view->orientation[i] = (AhaOrientation){ 0 };
  if (!(s->crop_side >= 8.0) || s->crop_side > 1e5)
    s->crop_side = 2.2 * view->orientation[i].radius / 0.62;
  s->slice = CLAMP (s->slice, -1, 9999);
  s->phases = CLAMP (s->phases, 0, 9999);
  if (s->phase < 0 || s->phase >= s->phases)
    s->phase = -1;
  view->shown += s->shown;
}

static void
check_finding (MmsaView *view)
{
  CardiacMmsaView *v = &view->v;
  CardiacMRegView *common = &view->common.v;
  for (int i = 0; i < CARDIAC_OVERLAY_SEGMENTS; i++)
    if (v->scores[i] > CARDIAC_OVERLAY_SCORES)
      v->scores[i] = 0;
  v->least_scored = CLAMP (v->least_scored, 1, CARDIAC_OVERLAY_SEGMENTS);
  view->index = cardiac_mmsa_index (v->scores, v->least_scored, &view->scored);
  if (v->withhold_index)
    view->index = NAN;
  bool found = common->state == CARDIAC_OVERLAY_RESULT
               || common->state == CARDIAC_OVERLAY_UNSURE;
  if (found && view->scored == 0) {
    common->state = CARDIAC_OVERLAY_MODEL_ERROR;
    common->reason = NO_SCORES;
    found = false;
  }
  view->has_finding = found && v->enabled && !v->withhold_scores;
  view->common.has_finding = view->has_finding;
  v->state = common->state;
}

static void
check_motion (CardiacMmsaView *v, bool has_finding)
{
  if (!has_finding || !v->draw_motion || v->n_phases < 1
      || v->n_phases > CARDIAC_OVERLAY_MAX_PHASES)
    v->motion = NULL;
  v->motion_step = CLAMP (v->motion_step, 1, CARDIAC_OVERLAY_MAX_PHASES);
}

/* Septa differ: the ticks stand where the pictures have the insertions. Towards
 * the apex the RV tapers off, so that its slice counts only when it is alone. */
static void
find_septum (MmsaView *view)
{
  const CardiacMmsaView *v = &view->v;
  double sum = 0.0;
  int n = 0;
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    if (v->slices[i].has_landmarks && (i != AHA_APICAL || n == 0)) {
      sum += view->orientation[i].septum;
      n++;
    }
  view->septum_angle = n ? sum / n : AHA_SEPTUM_ANGLE;
  if (v->septum_angle >= 10.0 && v->septum_angle <= 180.0)
    view->septum_angle = v->septum_angle;
}

static void
check_palette (MmsaView *view)
{
  cardiac_mmsa_palette_init (&view->palette);
  if (view->v.palette)
    for (int i = 0; i <= CARDIAC_OVERLAY_SCORES; i++)
      for (int c = 0; c < 3; c++) {
        double value = view->v.palette->rgb[i][c];
        if (isfinite (value))
          view->palette.rgb[i][c] = CLAMP (value, 0.0, 1.0);
      }
  view->v.palette = &view->palette;
}

bool
mmsa_view_read (MmsaView *view, const CardiacMmsaView *given)
{
  CardiacMRegView common = common_of (given);
  *view = (MmsaView){ .v = *given };
  CardiacMmsaView *v = &view->v;
  bool good = view_read_frame (&view->common, &common);
  view->landmarks = view->common.v.nyquist;
  v->no_draw = view->common.v.no_draw;
  v->n_no_draw = view->common.v.n_no_draw;
  if (v->layout != CARDIAC_OVERLAY_PANEL)
    v->layout = view->common.v.layout = CARDIAC_OVERLAY_INSIDE;
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++)
    check_slice (view, i);
  if (!isfinite (v->rv_anterior_angle))
    v->rv_anterior_angle = AHA_ANTERIOR_ANGLE;
  v->rv_anterior_angle = fmod (v->rv_anterior_angle, 360.0);
  check_finding (view);
  check_motion (v, view->has_finding);
  check_palette (view);
  find_septum (view);
  return good;
}

void
mmsa_view_clear (MmsaView *view)
{
  view_clear (&view->common);
}

void
mmsa_view_key (const MmsaView *view, Key *key)
{
  const CardiacMmsaView *v = &view->v;
  view_key (&view->common, key);
  key_string (key, view->landmarks);
  key_double (key, v->rv_anterior_angle);
  key_double (key, view->septum_angle);
  key_bytes (key, &view->palette, sizeof view->palette);
  for (int i = 0; i < CARDIAC_OVERLAY_SLICES; i++) {
    key_int (key, v->slices[i].shown);
    key_int (key, v->slices[i].phases);
  }
  if (!view->has_finding)
    return;
  key_bytes (key, v->scores, sizeof v->scores);
  key_bytes (key, v->unsure, sizeof v->unsure);
  key_double (key, view->index);
  key_int (key, v->least_scored);
  key_int (key, v->withhold_index);
  key_int (key, v->motion ? v->motion_step : 0);
}

void
mmsa_slice_key (const MmsaView *view, int slice, Key *key)
{
  const CardiacMmsaView *v = &view->v;
  const AhaOrientation *o = &view->orientation[slice];
  key_int (key, v->picture_width);
  key_int (key, v->picture_height);
  key_int (key, v->layout);
  key_bytes (key, &v->slices[slice].rectangle, sizeof (Box));
  key_bytes (key, o->centre, sizeof o->centre);
  key_bytes (key, v->slices[slice].rv_anterior, 2 * sizeof (double));
  key_bytes (key, v->slices[slice].rv_inferior, 2 * sizeof (double));
  key_int (key, view->has_finding);
  if (!view->has_finding)
    return;
  key_bytes (key, v->scores, sizeof v->scores);
  key_bytes (key, v->unsure, sizeof v->unsure);
  key_bytes (key, &view->palette, sizeof view->palette);
}

const float *
mmsa_view_motion (const MmsaView *view, int slice, int segment)
{
  const CardiacMmsaView *v = &view->v;
  const CardiacMmsaSlice *s = &v->slices[slice];
  /* A cycle of another length is another cycle. */
  if (v->motion == NULL || s->phase < 0 || s->phases != v->n_phases)
    return NULL;
  return &v->motion[((size_t) s->phase * CARDIAC_OVERLAY_SEGMENTS
                        + (size_t) (segment - 1))
                    * 2];
}
